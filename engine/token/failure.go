package token

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// refusals is how many failures in a row, the last of them the same refusal of an unknown kind, are
// taken before the person is asked.
const refusals = 5

// failed writes down what came of a renewal that failed, and returns what a reader is told:
// errElsewhere if somebody else has taken over and this failure does not count.
func (s *Source) failed(ctx context.Context, j job, err error) error {
	kind := fault.KindOf(err)
	switch {
	case kind == fault.NeedsReauth && j.earlier != nil:
		return s.endGrant(ctx, j, "refresh_result_unknown", err)
	case kind == fault.NeedsReauth:
		return s.endGrant(ctx, j, reason(codeOf(err), "invalid_grant"), err)
	case codeOf(err) == "credential-rejected", kind == fault.Misconfigured && j.c.App == "":
		// The person's own client or password, not ours.
		return s.endGrant(ctx, j, "credential_rejected", err)
	case j.accuses(err):
		return s.accuseApp(ctx, j, err)
	case kind == fault.Refused && j.c.Health.Failures+1 >= refusals && strings.HasPrefix(j.c.Health.LastRefreshError, summary(err)):
		return s.endGrant(ctx, j, "refresh_refused", err)
	default:
		return s.tryLater(ctx, j, err)
	}
}

// accuses reports whether err says that the provider refuses our app.
func (j job) accuses(err error) bool {
	return j.c.App != "" && fault.KindOf(err) == fault.Misconfigured && codeOf(err) != "credential-rejected"
}

func reason(code, usual string) string {
	if code == "" {
		return usual
	}
	return code
}

func codeOf(err error) string {
	if f := fault.As(err); f != nil {
		return f.Code
	}
	return ""
}

// maxRetryAfter is the longest wait a provider may ask for.
const maxRetryAfter = time.Hour

// tryLater moves the renewal out on the ladder; the old token is served while it lives.
func (s *Source) tryLater(ctx context.Context, j job, err error) error {
	wait := backoff(j.c.Health.Failures + 1)
	if f := fault.As(err); f != nil && f.RetryAfter > 0 {
		wait = max(wait, min(f.RetryAfter, maxRetryAfter))
	}
	at := now().Add(wait)
	kind := fault.KindOf(err)
	if kind == fault.RateLimited {
		s.lanes.pause(laneOf(j.c), at)
	}
	lost := j.attempt.MaySpend && auth.OutcomeUnknown(err)
	if lost && !j.graceAt(at) && at.Before(j.c.ExpiresAt) {
		at = j.c.ExpiresAt // see mayRetry
	}
	werr := s.settle(ctx, j, func(c *storage.Connection) {
		if !lost {
			c.Attempt = j.earlier // ours was answered; that one still was not
		}
		c.RefreshAt = at
		c.Health.Failures++
		c.Health.LastRefreshError = describe(err)
		c.Emit(audit.New(audit.CredentialRefreshFail, c.Tenant, c.ID, s.actor(), map[string]string{
			"connector": c.Connector, "error": describe(err), "kind": kind.String(),
		}))
	})
	if errors.Is(werr, errElsewhere) {
		return werr
	}
	if werr != nil {
		s.Logger.Warn("note failed refresh", "tenant", j.c.Tenant, "connection", j.c.ID, "err", werr)
	}
	if kind != fault.Timeout && kind != fault.RateLimited {
		kind = fault.Unavailable
	}
	return fault.E(kind, "the provider could not renew the token; trying again soon", err).WithRetryAfter(time.Until(at)).WithCode(codeOf(err))
}

// endGrant marks that the end user has to connect again, if the lease is still the newest: a loser
// can not declare a healthy connection dead.
func (s *Source) endGrant(ctx context.Context, j job, why string, cause error) error {
	err := s.settle(ctx, j, func(c *storage.Connection) {
		c.Status, c.StatusReason = storage.NeedsReauth, why
		c.RefreshAt, c.Attempt = time.Time{}, nil
		c.Health.Failures++
		c.Health.LastRefreshError = describe(cause)
		c.Emit(audit.New(audit.ConnectionNeedsReauth, c.Tenant, c.ID, s.actor(), map[string]string{
			"connector": c.Connector, "reason": why, "error": describe(cause),
		}))
	})
	s.cache.drop(j.c.Ref)
	if err != nil {
		return fmt.Errorf("note the end of the grant: %w", err)
	}
	return fault.E(fault.NeedsReauth, "the end user has to connect again", cause).WithCode(why)
}

// accuseApp notes that the provider refuses our app: its connections wait, none of them is blamed, and
// one event tells the operator.
func (s *Source) accuseApp(ctx context.Context, j job, cause error) error {
	retry := now().Add(jittered(5 * time.Minute))
	_, err := s.Store.UpdateApp(ctx, j.app.Ref, func(a *storage.App) error {
		if a.Refused.IsZero() {
			a.Refused = now()
			a.Outbox = append(a.Outbox, audit.New(audit.AppRefused, a.Tenant, a.ID, s.actor(), map[string]string{
				"connector": a.Connector, "error": describe(cause),
			}))
		}
		a.RetryAt, a.RefusedReason = retry, describe(cause)
		return nil
	})
	if err != nil {
		s.Logger.Warn("note refused app", "tenant", j.c.Tenant, "app", j.c.App, "err", err)
	}
	return s.postpone(ctx, j, &postponed{until: retry, err: appRefused(retry, cause)})
}

// pardon notes that the provider takes an app again that it had refused.
func (s *Source) pardon(ctx context.Context, j job) {
	if j.app.Refused.IsZero() {
		return
	}
	_, err := s.Store.UpdateApp(ctx, j.app.Ref, func(a *storage.App) error {
		if a.Refused.IsZero() {
			return nil
		}
		a.Refused, a.RetryAt, a.RefusedReason = time.Time{}, time.Time{}, ""
		a.Outbox = append(a.Outbox, audit.New(audit.AppUpdated, a.Tenant, a.ID, s.actor(), map[string]string{"connector": a.Connector}))
		return nil
	})
	if err != nil {
		s.Logger.Warn("note accepted app", "tenant", j.c.Tenant, "app", j.c.App, "err", err)
	}
}

// postpone moves the renewal out without counting a failure: nothing was spent. A renewal nobody had
// planned is not planned now, unless the sweep would come again and again because the token has ended.
func (s *Source) postpone(ctx context.Context, j job, p *postponed) error {
	err := s.settle(ctx, j, func(c *storage.Connection) {
		if !c.RefreshAt.IsZero() || !alive(*c, now()) {
			c.RefreshAt = p.until.UTC().Truncate(time.Millisecond)
		}
		c.Attempt = j.earlier
		c.Health.LastRefreshError = describe(p.err)
	})
	if errors.Is(err, errElsewhere) {
		return err
	}
	if err != nil {
		s.Logger.Warn("postpone refresh", "tenant", j.c.Tenant, "connection", j.c.ID, "err", err)
	}
	return p.err
}

// settle writes the end of a renewal that brought nothing, and gives the lease back in the same write.
// It returns errElsewhere if the lease is not the newest any more.
func (s *Source) settle(ctx context.Context, j job, change func(*storage.Connection)) error {
	ctx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	_, err := s.Store.UpdateLeased(ctx, j.lease, func(c *storage.Connection) error {
		change(c)
		c.RaiseFence()
		return nil
	})
	return overtaken(err)
}

// overtaken turns the conflict of a lease that is no longer the newest into errElsewhere.
func overtaken(err error) error {
	if fault.KindOf(err) == fault.Conflict {
		return errElsewhere
	}
	return err
}

func (s *Source) actor() string { return "engine:" + s.Holder }

// describe writes a failure for people: our words, and the provider's as a quotation.
func describe(err error) string {
	out := summary(err)
	var pe *auth.ProviderError
	if errors.As(err, &pe) && pe.Description != "" {
		out += ": “" + pe.Description + "”"
	}
	return out
}

// summary is describe without the provider's own sentence.
func summary(err error) string {
	var pe *auth.ProviderError
	public := fault.Public(err)
	if !errors.As(err, &pe) {
		return public
	}
	if pe.Code == "" {
		return fmt.Sprintf("%s (%d)", public, pe.Status)
	}
	return fmt.Sprintf("%s (%d %s)", public, pe.Status, pe.Code)
}
