package auth

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"dowel/engine/definition"
)

// The longest lifetimes believed; what a provider says beyond them is cut.
const (
	longest        = 365 * 24 * time.Hour
	longestRefresh = 10 * longest
	longestTyped   = 10 * longest // the definition's word, not the provider's
)

// expiry says when something ends that was received at the given time. usual reads the answer when l
// does not say how. What lies not after its receipt says nothing: providers write 0 for "does not
// expire", and a clock that is ahead must not have a credential renewed without end. The zero time
// means that nothing is known.
func expiry(l *definition.Lifetime, usual any, env definition.Env, received time.Time, most time.Duration) time.Time {
	received = stamp(received)
	if l == nil {
		return after(received, interval(usual, "s"), most)
	}
	var d time.Duration
	if l.At != nil {
		d = until(l.At.Value(env), l.Unit, received)
	} else {
		d = interval(lifetimeValue(l, usual, env), l.Unit)
	}
	if d <= 0 {
		d = time.Duration(l.Default)
	}
	return after(received, d, most)
}

func lifetimeValue(l *definition.Lifetime, usual any, env definition.Env) any {
	if l.In == nil {
		return usual
	}
	return l.In.Value(env)
}

func after(received time.Time, d, most time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return received.Add(min(d, most))
}

// stamp is t as it is kept: UTC, milliseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// interval reads a duration: a number or a text with one, in s or ms. What is none is zero.
func interval(v any, unit string) time.Duration {
	f, ok := numeric(v)
	if !ok || f <= 0 {
		return 0
	}
	if unit == "ms" {
		f /= 1000
	}
	return time.Duration(min(f, (2*longestRefresh).Seconds()) * float64(time.Second)).Truncate(time.Millisecond)
}

func numeric(v any) (float64, bool) {
	var f float64
	switch v := v.(type) {
	case int:
		f = float64(v)
	case float64:
		f = v
	case json.Number:
		return numeric(string(v))
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return 0, false
		}
		f = n
	default:
		return 0, false
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0)
}

// momentLayouts are RFC 3339 and its looser relatives; without a zone it is UTC.
var momentLayouts = [...]string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly,
}

// until reads a point in time, in iso, epoch or epoch_ms, and returns how long after received it is;
// zero if it is none.
func until(v any, unit string, received time.Time) time.Duration {
	if unit == "epoch" || unit == "epoch_ms" {
		f, ok := numeric(v)
		if !ok || f <= 0 {
			return 0
		}
		if unit == "epoch" {
			f *= 1000
		}
		return time.UnixMilli(int64(min(f, 1e14))).Sub(received) // beyond the year 5000 all are alike
	}
	s, _ := v.(string)
	for _, layout := range momentLayouts {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return stamp(t).Sub(received)
		}
	}
	return 0
}
