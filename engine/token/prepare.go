package token

import (
	"context"
	"errors"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// job is one renewal: everything it needs, opened.
type job struct {
	lease     storage.Lease // zero until it is ours
	until     time.Time     // when the provider must have answered
	c         storage.Connection
	app       storage.App
	method    auth.Method
	refresher auth.Refresher
	request   auth.Request
	old       auth.Credential
	// earlier is an attempt with the same secret that may have spent it and was never answered; nil if
	// there is none. attempt is ours.
	earlier *storage.Attempt
	attempt storage.Attempt
	rotates bool // asking twice with the same secret is not safe
	verify  bool // a typed credential whose time is up: see whether it still works
	// answered, unless nil, is told that the provider has answered.
	answered func()
}

func (j job) leased() bool { return j.lease.Fence > 0 }

// postponed says that now is not the time.
type postponed struct {
	until time.Time
	err   error
}

func (p *postponed) Error() string { return "postponed: " + p.err.Error() }
func (p *postponed) Unwrap() error { return p.err }

// errResultUnknown says that an earlier attempt may have spent the secret and nobody knows its answer.
var errResultUnknown = errors.New("the result of the last refresh is unknown")

// prepare opens what the renewal of j's record needs and decides whether it may be tried now.
func (s *Source) prepare(ctx context.Context, j *job) (err error) {
	c := j.c
	if t := c.Attempt; t != nil && t.Version == c.Version && t.MaySpend {
		j.earlier = t
	}
	if j.app, err = s.paused(ctx, c); err != nil {
		return err
	}
	if j.method, j.request, err = s.Vault.RequestWith(ctx, c, j.app); err != nil {
		return err
	}
	if j.old, err = s.Vault.OpenCredential(ctx, c.Ref, c.Credential); err != nil {
		return err
	}
	j.request.Fields = j.old.Fields
	if err := j.request.CheckApp(); err != nil {
		return err
	}
	j.rotates = rotates(j.request.Auth)
	if !j.old.Renewable(j.request.Auth) {
		if typed(j.request.Auth) {
			j.verify = true
			return nil
		}
		return fault.E(fault.NeedsReauth, "the credential cannot be renewed", nil)
	}
	var ok bool
	if j.refresher, ok = j.method.(auth.Refresher); !ok {
		return fault.E(fault.NeedsReauth, "this kind of credential cannot be renewed", nil)
	}
	return j.mayRetry()
}

// typed reports whether the credential is what the person typed and nothing else.
func typed(a *definition.Auth) bool {
	return a.Token == nil && len(a.Login) == 0
}

// rotates reports whether the secret that a renewal sends may be good for one time only.
func rotates(a *definition.Auth) bool {
	return a.RefreshGrant() == definition.GrantRefreshToken && (a.Refresh == nil || a.Refresh.Rotation != "never")
}

// mayRetry judges an attempt that was never answered. Sending the same refresh token again can end the
// whole grant where the provider detects reuse, so without rotation, or within the provider's grace,
// it is simply done; otherwise not while the old access token lives; and then once.
func (j job) mayRetry() error {
	t := j.earlier
	if t == nil || j.graceAt(time.Now()) {
		return nil
	}
	if t.Tries >= 2 {
		return fault.E(fault.NeedsReauth, "the result of the last refresh is unknown", errResultUnknown)
	}
	if end := j.c.ExpiresAt; time.Now().Before(end) {
		return &postponed{until: end, err: fault.E(fault.Unavailable, "the result of the last refresh is unknown; the token is renewed when it ends", errResultUnknown).WithRetryAfter(time.Until(end))}
	}
	return nil
}

// graceAt reports whether the provider would at the given time take the secret a second time.
func (j job) graceAt(at time.Time) bool {
	f := j.request.Auth.Refresh
	if f == nil || f.ReuseGrace <= 0 {
		return false
	}
	first := j.attempt.At
	if j.earlier != nil {
		first = j.earlier.At
	}
	return at.Sub(first) < time.Duration(f.ReuseGrace)
}

// paused returns the app of c, or a *postponed if it or the provider is to be left alone for now.
func (s *Source) paused(ctx context.Context, c storage.Connection) (storage.App, error) {
	if until := s.lanes.pausedUntil(laneOf(c)); time.Now().Before(until) {
		return storage.App{}, &postponed{until: until, err: fault.E(fault.RateLimited, "the provider asks to slow down", nil).WithRetryAfter(time.Until(until))}
	}
	if c.App == "" {
		return storage.App{}, nil
	}
	a, err := s.Store.App(ctx, storage.Ref{Tenant: c.Tenant, ID: c.App})
	if fault.KindOf(err) == fault.NotFound {
		err = fault.E(fault.Misconfigured, "the app this connection was made with is gone", err).WithCode("app-missing")
	}
	if err != nil {
		return storage.App{}, err
	}
	if time.Now().Before(a.RetryAt) {
		return a, &postponed{until: a.RetryAt, err: appRefused(a.RetryAt, nil)}
	}
	return a, nil
}

func appRefused(retryAt time.Time, cause error) error {
	return fault.E(fault.Misconfigured, "the provider refuses the app's client id or secret; an operator has to mend it", cause).
		WithCode("app-refused").WithRetryAfter(time.Until(retryAt))
}
