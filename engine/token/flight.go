package token

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// fly makes sure that r has a version beyond seen and returns the record. It belongs to no caller: it
// has its own deadline and goes on when the first of them leaves.
func (s *Source) fly(r storage.Ref, seen int64) (storage.Connection, error) {
	if err := s.work.enter(); err != nil {
		return storage.Connection{}, err
	}
	defer s.work.leave()
	// A flight is shared by callers with deadlines of their own, so none of theirs may end it.
	ctx, cancel := context.WithTimeout(context.Background(), s.leaseTTL()+s.readWait())
	defer cancel()
	for wait := 20 * time.Millisecond; ; wait = min(wait*3/2, 250*time.Millisecond) {
		if c, ok := s.held.get(r); ok && c.Version > seen {
			return c, nil
		}
		lease, ours, err := s.Store.AcquireLease(ctx, r, s.Holder, s.leaseTTL())
		if err != nil {
			return storage.Connection{}, fmt.Errorf("acquire lease: %w", err)
		}
		// Read again, whoever has the lease: somebody may have finished since the caller looked.
		c, err := s.Store.Connection(ctx, r)
		if err != nil {
			return storage.Connection{}, s.release(ctx, lease, ours, err)
		}
		if c.Version > seen {
			return c, s.release(ctx, lease, ours, nil)
		}
		if err := standing(c); err != nil {
			return storage.Connection{}, s.release(ctx, lease, ours, err)
		}
		if ours {
			return s.spend(ctx, lease, c)
		}
		select {
		case <-ctx.Done():
			return storage.Connection{}, fault.E(fault.Timeout, "the token is being renewed elsewhere", ctx.Err()).WithRetryAfter(time.Second)
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

// release gives the lease back if it is ours; failing to is no reason to fail: it runs out.
func (s *Source) release(ctx context.Context, l storage.Lease, ours bool, err error) error {
	if ours {
		if rerr := s.Store.ReleaseLease(context.WithoutCancel(ctx), l); rerr != nil {
			s.Logger.Warn("release lease", "tenant", l.Ref.Tenant, "connection", l.Ref.ID, "err", rerr)
		}
	}
	return err
}

func (s *Source) leaseTTL() time.Duration {
	if s.LeaseTTL > 0 {
		return s.LeaseTTL
	}
	return 30 * time.Second
}

// spend renews the credential of c under the lease l, once.
func (s *Source) spend(ctx context.Context, l storage.Lease, c storage.Connection) (storage.Connection, error) {
	job, err := s.prepare(ctx, l, c)
	if err != nil {
		return storage.Connection{}, s.notBegun(ctx, l, c, err)
	}
	if job.verify {
		return s.verify(ctx, job)
	}
	// Before anything is sent, the attempt is on record: whoever finds it later knows that the secret
	// may have been spent and its answer lost.
	job.attempt = storage.Attempt{ID: newAttempt(), At: now(), Version: c.Version, Tries: 1, MaySpend: job.rotates}
	if t := c.Attempt; t != nil && t.Version == c.Version {
		job.attempt.Tries += t.Tries
	}
	noted, err := s.Store.UpdateLeased(ctx, l, func(c *storage.Connection) error {
		c.Attempt = &job.attempt
		return nil
	})
	if err != nil {
		return storage.Connection{}, s.release(ctx, l, true, fmt.Errorf("note attempt: %w", err))
	}
	job.c = noted
	// From here nothing may be cancelled: a credential in hand has to be saved.
	ctx = context.WithoutCancel(ctx)
	next, err := job.refresher.Refresh(ctx, job.request, job.old)
	if err != nil {
		return storage.Connection{}, s.failed(ctx, job, err)
	}
	return s.save(ctx, job, next)
}

// notBegun handles a renewal that could not even be tried; nothing was sent.
func (s *Source) notBegun(ctx context.Context, l storage.Lease, c storage.Connection, err error) error {
	var wait *postponed
	switch {
	case errors.As(err, &wait):
		return s.postpone(ctx, l, wait)
	case errors.Is(err, errResultUnknown):
		return s.endGrant(context.WithoutCancel(ctx), l, c, "refresh_result_unknown", err)
	case fault.KindOf(err) == fault.NeedsReauth:
		return s.endGrant(context.WithoutCancel(ctx), l, c, "expired", err)
	case fault.KindOf(err) == fault.StoreDown:
		return s.release(ctx, l, true, err)
	default:
		return s.postpone(ctx, l, &postponed{until: now().Add(jittered(5 * time.Minute)), err: err})
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
