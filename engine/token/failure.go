package token

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// patience is how many refusals of an unknown kind in a row are taken before the person is asked.
const patience = 5

// failed writes down what came of a renewal that failed, and returns what a reader is told.
func (s *Source) failed(ctx context.Context, j job, err error) error {
	kind := fault.KindOf(err)
	code := ""
	if f := fault.As(err); f != nil {
		code = f.Code
	}
	own := j.c.App == "" // the person's own client or password, not ours
	switch {
	case kind == fault.NeedsReauth:
		if j.attempt.Tries > 1 {
			return s.endGrant(ctx, j.lease, j.c, "refresh_result_unknown", err)
		}
		return s.endGrant(ctx, j.lease, j.c, reason(code, "invalid_grant"), err)
	case code == "credential-rejected", kind == fault.Misconfigured && own && code != "definition-missing":
		return s.endGrant(ctx, j.lease, j.c, "credential_rejected", err)
	case kind == fault.Misconfigured && !own:
		return s.accuseApp(ctx, j, err)
	case kind == fault.Refused && j.c.Health.Failures+1 >= patience:
		return s.endGrant(ctx, j.lease, j.c, "refresh_refused", err)
	default:
		return s.tryLater(ctx, j, err)
	}
}

func reason(code, usual string) string {
	if code == "" {
		return usual
	}
	return code
}

// tryLater moves the renewal out on the ladder; the old token is served while it lives.
func (s *Source) tryLater(ctx context.Context, j job, err error) error {
	wait := backoff(j.c.Health.Failures + 1)
	f := fault.As(err)
	if f != nil && f.RetryAfter > 0 {
		wait = max(wait, f.RetryAfter)
	}
	if fault.KindOf(err) == fault.RateLimited {
		s.pauses.set(pauseKey(j.c), time.Now().Add(wait))
	}
	at := now().Add(wait)
	lost := j.attempt.MaySpend && auth.OutcomeUnknown(err)
	if lost && at.Before(j.c.ExpiresAt) {
		at = j.c.ExpiresAt // see mayRetry
	}
	_, werr := s.Store.UpdateLeased(ctx, j.lease, func(c *storage.Connection) error {
		if !lost {
			c.Attempt = nil
		}
		c.RefreshAt = at
		c.Health.Failures++
		c.Health.LastRefreshError = describe(err)
		c.Emit(s.failEvent(j.c, err))
		c.RaiseFence()
		return nil
	})
	if werr != nil {
		s.Logger.Warn("note failed refresh", "tenant", j.c.Tenant, "connection", j.c.ID, "err", werr)
	}
	public := "the provider could not renew the token; trying again soon"
	kind := fault.KindOf(err)
	if kind != fault.Timeout && kind != fault.RateLimited {
		kind = fault.Unavailable
	}
	return fault.E(kind, public, err).WithRetryAfter(time.Until(at)).WithCode(codeOf(err))
}

func codeOf(err error) string {
	if f := fault.As(err); f != nil {
		return f.Code
	}
	return ""
}

// endGrant marks that the end user has to connect again, if the lease is still the newest: a loser
// can not declare a healthy connection dead.
func (s *Source) endGrant(ctx context.Context, l storage.Lease, c storage.Connection, why string, cause error) error {
	_, err := s.Store.UpdateLeased(ctx, l, func(c *storage.Connection) error {
		c.Status, c.StatusReason = storage.NeedsReauth, why
		c.RefreshAt, c.Attempt = time.Time{}, nil
		c.Health.Failures++
		c.Health.LastRefreshError = describe(cause)
		c.Emit(audit.New(audit.ConnectionNeedsReauth, c.Tenant, c.ID, "engine:"+s.Holder, map[string]string{
			"connector": c.Connector, "reason": why, "error": describe(cause),
		}))
		c.RaiseFence()
		return nil
	})
	s.cache.drop(c.Ref)
	if fault.KindOf(err) == fault.Conflict {
		return fault.E(fault.Unavailable, "the token is being renewed elsewhere", cause).WithRetryAfter(time.Second)
	}
	if err != nil {
		return fmt.Errorf("note the end of the grant: %w", err)
	}
	return fault.E(fault.NeedsReauth, "the end user has to connect again", cause).WithCode(why)
}

// accuseApp notes that the provider refuses our app: its connections wait, none of them is blamed, and
// one event tells the operator.
func (s *Source) accuseApp(ctx context.Context, j job, cause error) error {
	retry := now().Add(jittered(5 * time.Minute))
	_, err := s.Store.UpdateApp(ctx, storage.Ref{Tenant: j.c.Tenant, ID: j.c.App}, func(a *storage.App) error {
		if a.Refused.IsZero() {
			a.Refused = now()
			a.Outbox = append(a.Outbox, audit.New(audit.AppRefused, a.Tenant, a.ID, "engine:"+s.Holder, map[string]string{
				"connector": a.Connector, "error": describe(cause),
			}))
		}
		a.RetryAt, a.RefusedReason = retry, describe(cause)
		return nil
	})
	if err != nil {
		s.Logger.Warn("note refused app", "tenant", j.c.Tenant, "app", j.c.App, "err", err)
	}
	refused := fault.E(fault.Misconfigured, "the provider refuses the app's client id or secret; an operator has to mend it", cause).
		WithCode("app-refused").WithRetryAfter(time.Until(retry))
	return s.postpone(ctx, j.lease, &postponed{until: retry, err: refused})
}

// postpone moves the renewal out without counting a failure: nothing was spent.
func (s *Source) postpone(ctx context.Context, l storage.Lease, p *postponed) error {
	_, err := s.Store.UpdateLeased(context.WithoutCancel(ctx), l, func(c *storage.Connection) error {
		c.RefreshAt = p.until.UTC().Truncate(time.Millisecond)
		c.Health.LastRefreshError = describe(p.err)
		if !errors.Is(p.err, errResultUnknown) {
			c.Attempt = nil
		}
		c.RaiseFence()
		return nil
	})
	if err != nil && fault.KindOf(err) != fault.Conflict {
		s.Logger.Warn("postpone refresh", "tenant", l.Ref.Tenant, "connection", l.Ref.ID, "err", err)
	}
	return p.err
}

// verify checks a typed credential whose time is up: while it works it is extended, and nobody's
// credential is silently ended because a form set a lifetime for it.
func (s *Source) verify(ctx context.Context, j job) (storage.Connection, error) {
	ctx = context.WithoutCancel(ctx)
	if j.request.Auth.OnExpiry == "expire" {
		return storage.Connection{}, s.endGrant(ctx, j.lease, j.c, "expired", fault.E(fault.NeedsReauth, "its lifetime is over", nil))
	}
	_, err := auth.Test(ctx, j.method, j.request, j.old)
	if err != nil && !errors.Is(err, auth.ErrNoTest) {
		return storage.Connection{}, s.failed(ctx, j, err)
	}
	life := lifetime(j.c)
	return s.Store.UpdateLeased(ctx, j.lease, func(c *storage.Connection) error {
		c.Health.LastTestAt, c.Health.LastTestError, c.Health.Failures = now(), "", 0
		c.Version++ // readers are waiting for something newer than what has run out
		if errors.Is(err, auth.ErrNoTest) || life <= 0 {
			c.Unverified, c.ExpiresAt, c.RefreshAt = true, time.Time{}, time.Time{}
		} else {
			c.ObtainedAt, c.ExpiresAt = now(), now().Add(life)
			c.RefreshAt = c.ExpiresAt
		}
		c.RaiseFence()
		return nil
	})
}

func (s *Source) failEvent(c storage.Connection, err error) audit.Event {
	return audit.New(audit.CredentialRefreshFail, c.Tenant, c.ID, "engine:"+s.Holder, map[string]string{
		"connector": c.Connector, "error": describe(err), "kind": fault.KindOf(err).String(),
	})
}

// describe writes a failure for people: our words, and the provider's as a quotation.
func describe(err error) string {
	var pe *auth.ProviderError
	public := fault.Public(err)
	if !errors.As(err, &pe) {
		return public
	}
	out := fmt.Sprintf("%s (%d", public, pe.Status)
	if pe.Code != "" {
		out += " " + pe.Code
	}
	out += ")"
	if pe.Description != "" {
		out += ": “" + pe.Description + "”"
	}
	return out
}

// pauses remembers until when a provider asked an app to be left alone.
type pauses struct {
	mu sync.Mutex
	m  map[string]time.Time
}

func pauseKey(c storage.Connection) string { return c.Tenant + "\x00" + c.Connector + "\x00" + c.App }

func (p *pauses) until(key string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.m[key]
	if !t.IsZero() && time.Now().After(t) {
		delete(p.m, key)
	}
	return t
}

func (p *pauses) set(key string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil {
		p.m = map[string]time.Time{}
	}
	if until.After(p.m[key]) {
		p.m[key] = until
	}
}
