package token

import (
	"context"
	"errors"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// verify checks a typed credential, when its time is up or because somebody asked. Its lifetime is
// what a form said, not the provider: while it works it is extended, and while nobody can tell it is
// served as unverified. Only a definition that says so ends it without asking.
func (s *Source) verify(ctx context.Context, j job) (storage.Connection, error) {
	ctx = context.WithoutCancel(ctx)
	expire, over := j.request.Auth.OnExpiry == "expire", due(j.c, time.Now())
	if expire && over {
		return storage.Connection{}, s.endGrant(ctx, j, "expired", fault.E(fault.NeedsReauth, "its lifetime is over", nil))
	}
	err := s.test(ctx, j)
	untested := errors.Is(err, auth.ErrNoTest)
	switch {
	case err == nil, untested:
	case codeOf(err) == "credential-rejected", fault.KindOf(err) == fault.NeedsReauth:
		return storage.Connection{}, s.failed(ctx, j, err)
	case !over:
		return storage.Connection{}, s.release(ctx, j, err)
	default:
		return s.doubt(ctx, j, err)
	}
	life := j.old.ExpiresAt.Sub(j.old.ObtainedAt)
	if j.old.ExpiresAt.IsZero() {
		life = lifetime(j.c)
	}
	return s.verified(ctx, j, func(c *storage.Connection) {
		c.Health.Failures, c.Health.LastRefreshError = 0, ""
		switch {
		case untested && over:
			c.Unverified, c.ExpiresAt, c.RefreshAt = true, time.Time{}, time.Time{}
		case !untested:
			c.Unverified = false
			c.Health.LastTestAt, c.Health.LastTestError = now(), ""
			if life > 0 && !expire {
				c.ObtainedAt, c.ExpiresAt = now(), now().Add(life)
				c.RefreshAt = c.ExpiresAt
			}
		}
	})
}

// test runs the definition's test; see ask.
func (s *Source) test(ctx context.Context, j job) (err error) {
	ctx, cancel := context.WithDeadline(ctx, j.until)
	defer cancel()
	defer func() { err = s.panicked(j, recover(), err) }()
	_, err = auth.Test(ctx, j.method, j.request, j.old)
	return err
}

// doubt lets the credential go on as unverified and tries again later.
func (s *Source) doubt(ctx context.Context, j job, cause error) (storage.Connection, error) {
	return s.verified(ctx, j, func(c *storage.Connection) {
		c.Unverified, c.ExpiresAt, c.RefreshAt = true, time.Time{}, now().Add(backoff(c.Health.Failures+1))
		c.Health.Failures++
		c.Health.LastTestAt, c.Health.LastTestError = now(), describe(cause)
		c.Health.LastRefreshError = describe(cause)
	})
}

// verified writes what came of a test. The version moves although the credential does not, because
// readers wait for something newer than what has run out.
func (s *Source) verified(ctx context.Context, j job, change func(*storage.Connection)) (storage.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	c, err := s.Store.UpdateLeased(ctx, j.lease, func(c *storage.Connection) error {
		change(c)
		c.Version++
		c.UpdatedAt = now()
		c.Emit(audit.New(audit.ConnectionTested, c.Tenant, c.ID, s.actor(), map[string]string{"error": c.Health.LastTestError}))
		c.RaiseFence()
		return nil
	})
	s.cache.drop(j.c.Ref)
	return c, overtaken(err)
}
