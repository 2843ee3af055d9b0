package token

import (
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// skew is how much life a token should have left to be handed out without waiting for a newer one.
const skew = 10 * time.Second

// leeway is skew, or less for a token that does not live long. It is shorter than the margin of Plan,
// so that a renewal behind the reader's back comes first. A token that is planned to be renewed at its
// end is as good as it gets until then.
func leeway(c storage.Connection) time.Duration {
	if c.RefreshAt.Equal(c.ExpiresAt) && c.Health.LastRefreshError == "" {
		return 0
	}
	if life := lifetime(c); life > 0 {
		return min(skew, life/10)
	}
	return skew
}

// lifetime is the whole life of the token now held; zero if unknown.
func lifetime(c storage.Connection) time.Duration {
	if c.ExpiresAt.IsZero() || c.ObtainedAt.IsZero() {
		return 0
	}
	return c.ExpiresAt.Sub(c.ObtainedAt)
}

// alive reports whether the token still works, as far as we know.
func alive(c storage.Connection, now time.Time) bool {
	return c.ExpiresAt.IsZero() || now.Before(c.ExpiresAt)
}

// good reports whether the token lives long enough for a reader who wants minTTL.
func good(c storage.Connection, minTTL time.Duration, now time.Time) bool {
	if c.ExpiresAt.IsZero() {
		return true
	}
	want := leeway(c)
	if minTTL > want {
		want = minTTL
		if half := lifetime(c) / 2; half > 0 && want > half {
			want = half // a wish beyond the whole life would renew at every read
		}
	}
	return c.ExpiresAt.Sub(now) > want
}

// due reports whether the renewal the record plans should have begun.
func due(c storage.Connection, now time.Time) bool {
	return !c.RefreshAt.IsZero() && !now.Before(c.RefreshAt)
}

// backingOff is the answer to whoever wants a renewal before the time that the last failure set.
func backingOff(c storage.Connection) error {
	if wait := time.Until(c.RefreshAt); c.Health.Failures > 0 && wait > 0 {
		return fault.E(fault.Unavailable, "the provider could not renew the token; trying again soon", nil).
			WithCode("backing-off").WithRetryAfter(wait)
	}
	return nil
}
