package token

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// spend renews the credential of c under the lease l, which runs out at until, once.
func (s *Source) spend(ctx context.Context, l storage.Lease, until time.Time, c storage.Connection, t *turn) (storage.Connection, error) {
	j, err := s.prepare(ctx, l, c)
	if err != nil {
		return storage.Connection{}, s.notBegun(ctx, j, err)
	}
	j.until = until.Add(-min(5*time.Second, s.leaseTTL()/6))
	if j.verify {
		return s.verify(ctx, j)
	}
	if j.earlier != nil && !j.graceAt(time.Now()) {
		if err := s.linger(ctx, j); err != nil {
			return storage.Connection{}, s.release(ctx, l, true, err)
		}
	}
	if err := s.note(ctx, &j); err != nil {
		return storage.Connection{}, s.release(ctx, l, true, err)
	}
	// From here nothing may be cancelled: a credential in hand has to be saved.
	ctx = context.WithoutCancel(ctx)
	next, err := s.ask(ctx, j)
	if j.accuses(err) {
		t.narrow()
	} else {
		t.widen()
	}
	if err != nil {
		return storage.Connection{}, s.failed(ctx, j, err)
	}
	saved, err := s.save(ctx, j, next)
	s.pardon(ctx, j)
	return saved, err
}

// courtesy is how long somebody who has the answer to an unanswered attempt in hand is given to save
// it: longer than he waits between two tries.
const courtesy = 3 * saveAgain

// linger watches the record before an unanswered attempt is repeated. An instance that was cut off
// from the store saves what it holds as soon as it is back; until then its lease may have run out.
func (s *Source) linger(ctx context.Context, j job) error {
	for end := time.Now().Add(courtesy); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return fault.E(fault.Timeout, "the token is still being renewed", ctx.Err()).WithRetryAfter(time.Second)
		case <-time.After(jittered(saveAgain / 5)):
		}
		c, err := s.Store.Connection(ctx, j.c.Ref)
		switch {
		case err != nil:
			return err
		case c.Version != j.c.Version || c.Lease.Fence != j.lease.Fence:
			return errElsewhere
		}
	}
	return nil
}

// note puts the attempt on record before anything is sent: whoever finds it later knows that the
// secret may have been spent and its answer lost.
func (s *Source) note(ctx context.Context, j *job) error {
	j.attempt = storage.Attempt{ID: "att_" + rand.Text(), At: now(), Version: j.c.Version, Tries: 1, MaySpend: j.rotates}
	if t := j.earlier; t != nil {
		// A provider's grace counts from the first time, which may be the one that was carried out.
		j.attempt.At, j.attempt.Tries = t.At, t.Tries+1
	}
	noted, err := s.Store.UpdateLeased(ctx, j.lease, func(c *storage.Connection) error {
		c.Attempt = &j.attempt
		return nil
	})
	if err != nil {
		return fmt.Errorf("note attempt: %w", overtaken(err))
	}
	j.c = noted
	return nil
}

// ask sends the one request. Only its own deadline ends it, and that comes before the lease runs out,
// so that nobody sends the same secret while we may still be waiting.
func (s *Source) ask(ctx context.Context, j job) (next auth.Credential, err error) {
	ctx, cancel := context.WithDeadline(ctx, j.until)
	defer cancel()
	defer func() { err = s.panicked(j, recover(), err) }()
	return j.refresher.Refresh(ctx, j.request, j.old)
}

// panicked turns a panic of a method into a failure of this one connection.
func (s *Source) panicked(j job, v any, err error) error {
	if v == nil {
		return err
	}
	s.Logger.Error("panic", "tenant", j.c.Tenant, "connection", j.c.ID, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	return fault.E(fault.Internal, "", fmt.Errorf("panic: %v", v))
}

// notBegun handles a renewal that could not even be tried; nothing was sent.
func (s *Source) notBegun(ctx context.Context, j job, err error) error {
	ctx = context.WithoutCancel(ctx)
	var wait *postponed
	kind := fault.KindOf(err)
	switch {
	case errors.As(err, &wait):
		return s.postpone(ctx, j, wait)
	case errors.Is(err, errResultUnknown):
		return s.endGrant(ctx, j, "refresh_result_unknown", err)
	case kind == fault.NeedsReauth && !alive(j.c, time.Now()):
		return s.endGrant(ctx, j, "expired", err)
	case kind == fault.NeedsReauth:
		// It cannot be renewed and need not be yet; nobody is to connect again because somebody asked.
		return s.postpone(ctx, j, &postponed{until: j.c.ExpiresAt, err: fault.E(fault.Invalid, fault.Public(err), err).WithCode("not-renewable")})
	case kind == fault.StoreDown, kind == fault.Timeout:
		return s.release(ctx, j.lease, true, err)
	default:
		return s.postpone(ctx, j, &postponed{until: now().Add(jittered(5 * time.Minute)), err: err})
	}
}
