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

// spend renews the credential of j's record under the lease, once.
func (s *Source) spend(ctx context.Context, j job, t *turn) (storage.Connection, error) {
	if err := s.prepare(ctx, &j); err != nil {
		return storage.Connection{}, s.notBegun(ctx, j, err)
	}
	if j.verify {
		if err := s.own(ctx, &j); err != nil {
			return storage.Connection{}, s.release(ctx, j, err)
		}
		return s.verify(ctx, j)
	}
	if err := s.note(ctx, &j); err != nil {
		return storage.Connection{}, s.release(ctx, j, err)
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

// own takes the lease if it is not ours yet, and leaves the record as it is.
func (s *Source) own(ctx context.Context, j *job) error {
	if j.leased() {
		return nil
	}
	return s.lease(ctx, j, j.c.Attempt)
}

// note puts the attempt on record before anything is sent: whoever finds it later knows that the
// secret may have been spent and its answer lost. The lease is taken in the same write, unless it is
// ours already or an unanswered attempt has to be given time first.
func (s *Source) note(ctx context.Context, j *job) error {
	j.attempt = storage.Attempt{ID: "att_" + rand.Text(), At: now(), Version: j.c.Version, Tries: 1, MaySpend: j.rotates}
	if t := j.earlier; t != nil {
		// A provider's grace counts from the first time, which may be the one that was carried out.
		j.attempt.At, j.attempt.Tries = t.At, t.Tries+1
	}
	if j.earlier != nil && !j.graceAt(time.Now()) {
		if err := s.own(ctx, j); err != nil {
			return err
		}
		if err := s.linger(ctx, *j); err != nil {
			return err
		}
	}
	if !j.leased() {
		return s.lease(ctx, j, &j.attempt)
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
	if j.answered != nil {
		defer j.answered()
	}
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
	kind := fault.KindOf(err)
	if kind == fault.StoreDown || kind == fault.Timeout {
		return s.release(ctx, j, err)
	}
	if err := s.own(ctx, &j); err != nil {
		return s.release(ctx, j, err)
	}
	ctx = context.WithoutCancel(ctx)
	var wait *postponed
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
	default:
		return s.postpone(ctx, j, &postponed{until: now().Add(jittered(5 * time.Minute)), err: err})
	}
}
