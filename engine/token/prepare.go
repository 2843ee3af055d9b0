package token

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// job is one renewal: everything it needs, opened.
type job struct {
	lease     storage.Lease
	c         storage.Connection
	method    auth.Method
	refresher auth.Refresher
	request   auth.Request
	old       auth.Credential
	attempt   storage.Attempt
	rotates   bool // asking twice with the same secret is not safe
	verify    bool // a typed credential whose time is up: see whether it still works
}

// postponed says that now is not the time.
type postponed struct {
	until time.Time
	err   error
}

func (p *postponed) Error() string { return "postponed: " + p.err.Error() }
func (p *postponed) Unwrap() error { return p.err }

// errResultUnknown says that an earlier attempt may have spent the secret and nobody knows its answer.
var errResultUnknown = errors.New("the result of the last refresh is unknown")

// prepare opens what the renewal of c needs and decides whether it may be tried now.
func (s *Source) prepare(ctx context.Context, l storage.Lease, c storage.Connection) (job, error) {
	j := job{lease: l, c: c}
	if err := s.paused(ctx, c); err != nil {
		return job{}, err
	}
	var err error
	if j.method, j.request, err = s.Vault.Request(ctx, c); err != nil {
		return job{}, err
	}
	if j.old, err = s.Vault.OpenCredential(ctx, c.Ref, c.Credential); err != nil {
		return job{}, err
	}
	j.request.Fields = j.old.Fields
	j.rotates = rotates(j.request.Auth)
	if !j.old.Renewable(j.request.Auth) {
		if typed(j.request.Auth) {
			j.verify = true
			return j, nil
		}
		return job{}, fault.E(fault.NeedsReauth, "the credential cannot be renewed", nil)
	}
	var ok bool
	if j.refresher, ok = j.method.(auth.Refresher); !ok {
		return job{}, fault.E(fault.NeedsReauth, "this kind of credential cannot be renewed", nil)
	}
	return j, s.mayRetry(c, j.request.Auth)
}

// typed reports whether the credential is what the person typed and nothing else.
func typed(a *definition.Auth) bool {
	return a.Token == nil && len(a.Login) == 0
}

// rotates reports whether the secret that a renewal sends may be good for one time only.
func rotates(a *definition.Auth) bool {
	if a.Token == nil || a.Kind == definition.ClientCredentials {
		return false
	}
	return a.Refresh == nil || a.Refresh.Rotation != "never" && a.Refresh.Grant != "access_token"
}

// mayRetry judges an attempt that was never answered. Sending the same refresh token again can end the
// whole grant where the provider detects reuse, so without rotation, or within the provider's grace,
// it is simply done; otherwise not while the old access token lives; and then once.
func (s *Source) mayRetry(c storage.Connection, a *definition.Auth) error {
	t := c.Attempt
	if t == nil || t.Version != c.Version || !t.MaySpend {
		return nil
	}
	if a.Refresh != nil && a.Refresh.ReuseGrace > 0 && time.Since(t.At) < time.Duration(a.Refresh.ReuseGrace) {
		return nil
	}
	if t.Tries >= 2 {
		return errResultUnknown
	}
	if !c.ExpiresAt.IsZero() && time.Now().Before(c.ExpiresAt) {
		return &postponed{until: c.ExpiresAt, err: fault.E(fault.Unavailable, "the result of the last refresh is unknown; the token is renewed when it ends", errResultUnknown)}
	}
	return nil
}

// paused says whether the app or the provider is to be left alone for now.
func (s *Source) paused(ctx context.Context, c storage.Connection) error {
	if until := s.pauses.until(pauseKey(c)); time.Now().Before(until) {
		return &postponed{until: until, err: fault.E(fault.RateLimited, "the provider asks to slow down", nil).WithRetryAfter(time.Until(until))}
	}
	if c.App == "" {
		return nil
	}
	a, err := s.Store.App(ctx, storage.Ref{Tenant: c.Tenant, ID: c.App})
	if err != nil {
		return err
	}
	if time.Now().Before(a.RetryAt) {
		return &postponed{until: a.RetryAt, err: fault.E(fault.Misconfigured, "the provider refuses the app's client id or secret; an operator has to mend it", nil).WithCode("app-refused").WithRetryAfter(time.Until(a.RetryAt))}
	}
	return nil
}

func newAttempt() string { return "att_" + rand.Text() }
