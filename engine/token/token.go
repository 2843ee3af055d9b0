// Package token serves live credentials and is the only place where a refresh token is spent.
//
// A read of a fresh token costs at most one read of the store and one opening. A token that wants
// renewal is renewed once, whoever asks and on however many instances: callers of one process share a
// flight, processes share a lease with a fence that stands in the connection's own document. While
// the old token lives it is served rather than an error.
//
// Who may read a token is connection's affair; what a renewal says to the provider is auth's.
package token

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"golang.org/x/sync/singleflight"

	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/vault"
)

// Store is the part of the store this room uses.
type Store interface {
	storage.Leases
	Connection(ctx context.Context, r storage.Ref) (storage.Connection, error)
	UpdateConnection(ctx context.Context, r storage.Ref, change func(*storage.Connection) error) (storage.Connection, error)
	DueConnections(ctx context.Context, before time.Time, perTenant, limit int) ([]storage.Due, error)
	App(ctx context.Context, r storage.Ref) (storage.App, error)
	UpdateApp(ctx context.Context, r storage.Ref, change func(*storage.App) error) (storage.App, error)
}

// Source serves live credentials. Its fields are set once, before use; zero durations mean the
// defaults named beside them.
type Source struct {
	Store  Store
	Vault  *vault.Vault
	Holder string // names this instance in leases
	// LeaseTTL must outlive the longest call to a provider.
	LeaseTTL time.Duration
	// ReadWait is how long a reader waits for a renewal when the old token is of no use; 15 s.
	ReadWait time.Duration
	// CacheTTL is how old a sealed answer in memory may be; 1 s. Negative: none is kept.
	CacheTTL time.Duration
	// Next returns the next time a cron expression comes round, or zero.
	Next   func(spec string, after time.Time) time.Time
	Logger *slog.Logger

	flights singleflight.Group
	cache   cache
	held    held
	lanes   lanes
	work    work
}

// Wish is what a reader wants beyond a token that is good now.
type Wish struct {
	// MinTTL is how long the token should live at least. Of a token whose whole life is shorter than
	// twice that, half its life is asked for instead.
	MinTTL time.Duration
	// Force asks for a token newer than the one there is.
	Force bool
}

// Live is a credential that is good now, or as good as can be had.
type Live struct {
	Ref       storage.Ref
	Version   int64
	ExpiresAt time.Time // zero: unknown or never
	// Warning says what is wrong although there is a token: "needs_reauth", "stale", "unverified",
	// "definition_missing".
	Warning string
	// The answer, written already or still to be written: what is asked for inside the house is not
	// written at all, and what goes out is written where it is sent from.
	written []byte
	answer  *answer
}

// AppendJSON appends the answer of the token route to dst. It holds the secret in the open.
func (l Live) AppendJSON(dst []byte) []byte {
	if l.answer == nil {
		return append(dst, l.written...)
	}
	return l.answer.appendJSON(dst)
}

// Token returns a credential that is good now.
//
// It fails with NeedsReauth, Revoked or Disabled when the connection's status says so and the token
// is of no use; with Unavailable, Timeout or RateLimited (and a RetryAfter) when the provider cannot
// be had and the old token has ended; with Misconfigured when the app is refused; with Corrupt when
// the stored credential does not open; with StoreDown when the store does not answer.
func (s *Source) Token(ctx context.Context, r storage.Ref, w Wish) (Live, error) {
	if !w.Force {
		if live, ok := s.cache.get(r, s.cacheTTL(), w.MinTTL, time.Now()); ok {
			return live, nil
		}
	}
	seen := s.cache.mark(r)
	c, err := s.current(ctx, r)
	if err != nil {
		return Live{}, err
	}
	if w.Force {
		if err := standing(c); err != nil {
			return Live{}, err
		}
		return s.Newer(ctx, r, c.Version)
	}
	return s.serve(ctx, c, w, seen)
}

// Peek appends the answer for r to dst if one that suits is in memory. It never waits.
func (s *Source) Peek(dst []byte, r storage.Ref, minTTL time.Duration) ([]byte, bool) {
	return s.cache.open(dst, r, s.cacheTTL(), minTTL, time.Now())
}

// Newer returns a credential newer than the one read at version seen, refreshing if nobody has yet.
// A forced refresh is Newer at the current version. It does not ask a provider before the time that
// an earlier failure set.
func (s *Source) Newer(ctx context.Context, r storage.Ref, seen int64) (Live, error) {
	ctx, cancel := context.WithTimeout(ctx, s.readWait())
	defer cancel()
	c, err := s.newer(ctx, r, seen, waiting, nil)
	if err != nil {
		return Live{}, err
	}
	return s.live(ctx, c, "")
}

// current returns the record, with the credential in hand if one could not be saved yet.
func (s *Source) current(ctx context.Context, r storage.Ref) (storage.Connection, error) {
	if h, ok := s.held.get(r); ok && !h.hidden {
		return h.c, nil
	}
	return s.Store.Connection(ctx, r)
}

// serve answers from c if its token is good enough, and renews it otherwise. seen is the cache's mark
// from before c was read.
func (s *Source) serve(ctx context.Context, c storage.Connection, w Wish, seen mark) (Live, error) {
	now := time.Now()
	if err := standing(c); err != nil {
		if c.Status == storage.NeedsReauth && !c.ExpiresAt.IsZero() && now.Before(c.ExpiresAt) && len(c.Credential) > 0 {
			return s.live(ctx, c, "needs_reauth")
		}
		return Live{}, err
	}
	if good(c, w.MinTTL, now) {
		if due(c, now) {
			s.renewBehind(c) //nolint:contextcheck // nobody waits for it, so nobody's context may end it
		}
		live, err := s.live(ctx, c, "")
		if ttl := s.cacheTTL(); err == nil && ttl > 0 {
			live.written, live.answer = live.AppendJSON(nil), nil
			s.cache.put(live, c, seen, ttl)
		}
		return live, err
	}
	next, err := s.renewFor(ctx, c)
	if err == nil {
		return s.live(ctx, next, "")
	}
	return s.fallBack(ctx, c, err)
}

// fallBack serves the old token rather than an error, while it works and nobody has taken it away.
func (s *Source) fallBack(ctx context.Context, c storage.Connection, err error) (Live, error) {
	warning := "stale"
	switch fault.KindOf(err) {
	case fault.Revoked, fault.Disabled, fault.NotFound:
		return Live{}, err
	case fault.NeedsReauth:
		warning = "needs_reauth"
	}
	if !alive(c, time.Now()) {
		return Live{}, err
	}
	live, lerr := s.live(ctx, c, warning)
	if lerr == nil && !alive(c, time.Now()) {
		return Live{}, err // it ended while it was being opened
	}
	return live, lerr
}

// renewFor renews c for a reader. He waits as long as readers wait, but not so long that the old token
// ends meanwhile, unless there is next to nothing left of it. While backing off it does not ask.
func (s *Source) renewFor(ctx context.Context, c storage.Connection) (storage.Connection, error) {
	wait := s.readWait()
	if left := time.Until(c.ExpiresAt); left > 0 {
		if c.RefreshAt.IsZero() || !c.RefreshAt.Before(c.ExpiresAt) {
			return storage.Connection{}, fault.E(fault.Unavailable, "the token cannot be renewed before it ends", nil).WithRetryAfter(left)
		}
		if left > leeway(c)/4 {
			wait = min(wait, left/2)
		}
	}
	if err := backingOff(c); err != nil {
		return storage.Connection{}, err
	}
	var p *postponed
	if _, err := s.paused(ctx, c); errors.As(err, &p) {
		return storage.Connection{}, p.err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return s.newer(ctx, c.Ref, c.Version, waiting, nil)
}

// renewBehind starts a renewal nobody waits for.
func (s *Source) renewBehind(c storage.Connection) {
	s.flights.DoChan(flightKey(c.Ref, c.Version), func() (any, error) { return s.fly(c.Ref, c.Version, passing, nil) })
}

// newer shares a flight until one brings a version beyond seen. Flights are told apart by what they
// are to beat, so a caller is never satisfied by a flight that began before it looked. See fly for
// answered, which is not called if the flight is somebody else's.
func (s *Source) newer(ctx context.Context, r storage.Ref, seen int64, p patience, answered func()) (storage.Connection, error) {
	for {
		//nolint:contextcheck // a flight is shared, so no caller's context may end it
		ch := s.flights.DoChan(flightKey(r, seen), func() (any, error) { return s.fly(r, seen, p, answered) })
		select {
		case <-ctx.Done():
			return storage.Connection{}, fault.E(fault.Timeout, "the token is still being renewed", ctx.Err()).WithRetryAfter(time.Second)
		case res := <-ch:
			if errors.Is(res.Err, errElsewhere) && p == waiting {
				continue // a flight that does not wait was under way
			}
			if res.Err != nil {
				return storage.Connection{}, res.Err
			}
			if c := res.Val.(storage.Connection); c.Version > seen {
				return c, nil
			}
		}
	}
}

func flightKey(r storage.Ref, seen int64) string {
	return r.Tenant + "\x00" + r.ID + "\x00" + strconv.FormatInt(seen, 10)
}

// standing says why a connection cannot serve at all.
func standing(c storage.Connection) error {
	switch c.Status {
	case storage.Active:
		return nil
	case storage.NeedsReauth:
		return fault.E(fault.NeedsReauth, "the end user has to connect again", nil).WithCode(c.StatusReason)
	case storage.Disabled:
		return fault.E(fault.Disabled, "the connection is switched off", nil)
	default:
		return fault.E(fault.Revoked, "the connection was ended", nil)
	}
}

func (s *Source) readWait() time.Duration {
	if s.ReadWait > 0 {
		return s.ReadWait
	}
	return 15 * time.Second
}

func (s *Source) cacheTTL() time.Duration {
	if s.CacheTTL == 0 {
		return time.Second
	}
	return s.CacheTTL
}

// Forget drops what is in memory for r, so that an end of the connection on this instance holds at
// once.
func (s *Source) Forget(r storage.Ref) {
	s.cache.drop(r)
	s.held.hide(r)
}
