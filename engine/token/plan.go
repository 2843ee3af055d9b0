package token

import (
	"math/rand/v2"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
)

// Plan says when a credential obtained now should be renewed; zero if it should or can not.
//
// The margin before the end is the definition's, or a fifth of the lifetime and five minutes at most;
// it is jittered, so that connections made in one minute are not all renewed in one. A schedule of the
// definition may come earlier. A typed credential is due when it ends, to be checked. Nothing is due
// sooner than a second after it came, however short its life.
func Plan(a *definition.Auth, c auth.Credential, next func(string, time.Time) time.Time) time.Time {
	var at time.Time
	if !c.ExpiresAt.IsZero() {
		switch {
		case c.Renewable(a):
			at = c.ExpiresAt.Add(-margin(a, c))
		case typed(a):
			at = c.ExpiresAt
		}
	}
	if soonest := c.ObtainedAt.Add(time.Second); !at.IsZero() && at.Before(soonest) {
		at = soonest
	}
	spec := schedule(a)
	if spec == "" || next == nil || !c.Renewable(a) {
		return at
	}
	if tick := next(spec, time.Now()); !tick.IsZero() && (at.IsZero() || tick.Before(at)) {
		at = tick
	}
	return at.UTC().Truncate(time.Millisecond)
}

func schedule(a *definition.Auth) string {
	switch {
	case a.Refresh != nil && a.Refresh.Schedule != "":
		return a.Refresh.Schedule
	case a.Renew != nil:
		return a.Renew.Schedule
	}
	return ""
}

func margin(a *definition.Auth, c auth.Credential) time.Duration {
	life := c.ExpiresAt.Sub(c.ObtainedAt)
	m := min(5*time.Minute, life/5)
	var own definition.Duration
	switch {
	case a.Refresh != nil:
		own = a.Refresh.Margin
	case a.Renew != nil:
		own = a.Renew.Margin
	}
	if d := time.Duration(own); d > 0 {
		m = min(d, life/2)
	}
	return jittered(m).Truncate(time.Millisecond)
}

// jittered spreads d over 90 to 110 per cent of itself.
func jittered(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d - d/10 + rand.N(d/5+1)
}

// ladder is how long to wait after the first, second, … failure in a row; with its jitter the last is
// below 15 minutes.
var ladder = [...]time.Duration{5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute, 13 * time.Minute}

// backoff is the wait after the given number of failures in a row.
func backoff(failures int) time.Duration {
	return jittered(ladder[min(max(failures, 1), len(ladder))-1])
}
