package token

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// patience says what a flight does when somebody else is at the renewal.
type patience int

const (
	waiting patience = iota // see what comes of it: a reader wants the token
	passing                 // leave it to them: nobody waits
)

// errElsewhere says that somebody else is at the renewal, or was faster.
var errElsewhere = errors.New("the token is being renewed elsewhere")

// errMoved says that the record was written between our reading it and our taking the lease.
var errMoved = errors.New("the record has moved since it was read")

// fly makes sure that r has a version beyond seen and returns the record. It belongs to no caller: it
// has its own deadline and goes on when the first of them leaves. answered, unless nil, is called when
// the provider has answered and only the saving is left.
func (s *Source) fly(r storage.Ref, seen int64, p patience, answered func()) (c storage.Connection, err error) {
	if err := s.work.enter(); err != nil {
		return storage.Connection{}, err
	}
	defer s.work.leave()
	defer func() {
		if v := recover(); v != nil { // one connection nobody can handle must not end the process
			s.Logger.Error("panic", "tenant", r.Tenant, "connection", r.ID, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			c, err = storage.Connection{}, fault.E(fault.Internal, "", fmt.Errorf("panic: %v", v))
		}
	}()
	// A flight is shared by callers with deadlines of their own, so none of theirs may end it.
	ctx, cancel := context.WithTimeout(context.Background(), s.leaseTTL()+s.readWait())
	defer cancel()
	var t *turn
	defer func() { t.end() }()
	for wait := 20 * time.Millisecond; ; wait = min(wait*3/2, 250*time.Millisecond) {
		c, t, err = s.round(ctx, r, seen, t, answered)
		pause := wait/2 + rand.N(wait)
		switch {
		case errors.Is(err, errMoved):
			pause = 0
		case !errors.Is(err, errElsewhere) || p == passing:
			return c, err
		default:
			t.end() // whoever waits for somebody else takes no place
			t = nil
		}
		select {
		case <-ctx.Done():
			return storage.Connection{}, fault.E(fault.Timeout, "the token is being renewed elsewhere", ctx.Err()).WithRetryAfter(time.Second)
		case <-time.After(pause):
		}
	}
}

// round tries once: it returns a record beyond seen, renews it if nobody else is about to, or returns
// errElsewhere, or errMoved. t is the place in the lane that an earlier round has waited for; the one to
// give back is returned.
func (s *Source) round(ctx context.Context, r storage.Ref, seen int64, t *turn, answered func()) (storage.Connection, *turn, error) {
	none := storage.Connection{}
	if h, ok := s.held.get(r); ok {
		if h.c.Version > seen && !h.hidden {
			return h.c, t, nil
		}
		// What the record holds is spent, and what we hold has to be saved first.
		return none, t, errElsewhere
	}
	// Read again: somebody may have finished since the caller looked. The lease is then taken on the
	// record as it is read here or not at all, so that nothing that happens in between is missed.
	c, err := s.Store.Connection(ctx, r)
	if err == nil && c.Version > seen {
		return c, t, nil
	}
	if err == nil {
		err = standing(c)
	}
	j := job{c: c, answered: answered}
	if err == nil && !c.Lease.Until.IsZero() {
		// Somebody has the lease or died with it. Only the store knows which.
		err = s.lease(ctx, &j, c.Attempt)
	}
	if err == nil {
		err = backingOff(c)
	}
	if err != nil {
		return none, t, s.release(ctx, j, err)
	}
	if t == nil {
		var room bool
		if t, room = s.lanes.try(laneOf(c)); !room {
			// Wait without the lease: it has to outlive the call to the provider.
			err := s.release(ctx, j, errElsewhere)
			if t = s.lanes.wait(ctx, laneOf(c)); t == nil {
				return none, nil, err
			}
			return s.round(ctx, r, seen, t, answered)
		}
	}
	c, err = s.spend(ctx, j, t)
	return c, t, err
}

// lease takes the lease of j's record as it was read, and puts a on record with it. It returns
// errElsewhere if somebody else has it, and errMoved if the record is not what it was. With any error the
// lease is ours nevertheless if j says so.
func (s *Source) lease(ctx context.Context, j *job, a *storage.Attempt) error {
	until := time.Now().Add(s.leaseTTL() - min(5*time.Second, s.leaseTTL()/6))
	l, ok, err := s.Store.AcquireLease(ctx, j.c, a, s.Holder, s.leaseTTL())
	switch {
	case fault.KindOf(err) == fault.Conflict:
		return errMoved
	case err != nil:
		return fmt.Errorf("acquire lease: %w", err)
	case !ok:
		return errElsewhere
	}
	j.lease, j.until, j.c.Attempt = l, until, a
	if _, ok := s.held.get(j.c.Ref); ok {
		return errElsewhere // see round
	}
	return nil
}

// release gives the lease back if it is ours; failing to is no reason to fail: it runs out.
func (s *Source) release(ctx context.Context, j job, err error) error {
	if j.leased() {
		if rerr := s.Store.ReleaseLease(context.WithoutCancel(ctx), j.lease); rerr != nil {
			s.Logger.Warn("release lease", "tenant", j.c.Tenant, "connection", j.c.ID, "err", rerr)
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

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
