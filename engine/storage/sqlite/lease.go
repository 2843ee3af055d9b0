package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// AcquireLease implements storage.Leases. The store's clock is this machine's: the file is on it.
func (s *Store) AcquireLease(
	ctx context.Context, c storage.Connection, a *storage.Attempt, holder string, ttl time.Duration,
) (storage.Lease, bool, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	lease := storage.Lease{Ref: c.Ref, Holder: holder, Until: now.Add(ttl).Truncate(time.Millisecond)}
	c.Attempt = a
	for _, t := range connectionTimes(&c) {
		*t = t.UTC().Truncate(time.Millisecond)
	}
	body, err := s.connections.encode(&c)
	if err != nil {
		return storage.Lease{}, false, fmt.Errorf("encode connection: %w", err)
	}
	const query = "UPDATE connections SET lease_holder = ?, lease_until = ?, lease_fence = lease_fence + 1," +
		" body = ?, format = ?, revision = revision + 1" +
		" WHERE tenant = ? AND id = ? AND revision = ? AND lease_until <= ? AND format <= ? RETURNING lease_fence"
	fence := make(chan int64, 1)
	err = s.write(ctx, func(tx *transaction) error {
		var raised int64
		err := tx.row(query, []any{
			holder, millis(lease.Until), body, format, c.Tenant, c.ID, c.Revision, millis(now), format,
		}, &raised)
		fence <- raised
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return storage.Lease{}, false, s.notAcquired(ctx, c.Ref, now)
	}
	if err != nil {
		return storage.Lease{}, false, failure(err)
	}
	lease.Fence = <-fence
	return lease, true, nil
}

// notAcquired says why a lease was not to be had; nil means that somebody else holds it.
func (s *Store) notAcquired(ctx context.Context, r storage.Ref, now time.Time) error {
	c, err := s.Connection(ctx, r)
	if err == nil && !c.Lease.Until.After(now) {
		return moved("connection")
	}
	return err
}

// UpdateLeased implements storage.Leases.
func (s *Store) UpdateLeased(
	ctx context.Context, l storage.Lease, change func(*storage.Connection) error,
) (storage.Connection, error) {
	return s.connections.update(ctx, s, l.Ref, func(c *storage.Connection) error {
		// Every lease and every raised fence moves the revision, so this still holds when it is written.
		if c.Lease.Fence != l.Fence {
			return fault.E(fault.Conflict, "somebody else has taken over the refresh of this connection", nil)
		}
		return keepLease(change)(c)
	})
}

// ReleaseLease implements storage.Leases.
func (s *Store) ReleaseLease(ctx context.Context, l storage.Lease) error {
	return s.write(ctx, func(tx *transaction) error {
		_, err := tx.exec("UPDATE connections SET lease_holder = '', lease_until = 0, revision = revision + 1"+
			" WHERE tenant = ? AND id = ? AND lease_fence = ? AND lease_until <> 0 AND format <= ?",
			l.Ref.Tenant, l.Ref.ID, l.Fence, format)
		return err
	})
}
