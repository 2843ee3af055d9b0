package auth

import (
	"math"
	"strconv"
	"strings"
	"time"

	"dowel/engine/definition"
)

// longest is the longest lifetime believed; what a provider says beyond it is cut.
const longest = 365 * 24 * time.Hour

// expiry says when something ends that was received at the given time. usual reads the answer when l
// does not say how. A lifetime of zero or less says nothing: providers write 0 for "does not expire".
func expiry(l *definition.Lifetime, usual any, env definition.Env, received time.Time) time.Time {
	received = received.UTC().Truncate(time.Millisecond)
	if l == nil {
		return after(received, seconds(usual, "s"))
	}
	if l.At != nil {
		if at, ok := moment(l.At.Value(env), l.Unit); ok {
			return at
		}
	} else if d := seconds(lifetimeValue(l, usual, env), l.Unit); d > 0 {
		return after(received, d)
	}
	return after(received, time.Duration(l.Default))
}

func lifetimeValue(l *definition.Lifetime, usual any, env definition.Env) any {
	if l.In == nil {
		return usual
	}
	return l.In.Value(env)
}

func after(t time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return t.Add(min(d, longest))
}

// seconds reads a duration: a number or a text with one, in s or ms.
func seconds(v any, unit string) time.Duration {
	f, ok := number(v)
	if !ok || f <= 0 {
		return 0
	}
	if unit == "ms" {
		f /= 1000
	}
	if f > longest.Seconds() {
		return longest
	}
	return time.Duration(f * float64(time.Second))
}

func number(v any) (float64, bool) {
	var f float64
	switch v := v.(type) {
	case int:
		f = float64(v)
	case float64:
		f = v
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

// moment reads a point in time: iso (RFC 3339 and its looser relatives), epoch or epoch_ms.
func moment(v any, unit string) (time.Time, bool) {
	if unit == "epoch" || unit == "epoch_ms" {
		f, ok := number(v)
		if !ok || f <= 0 || f > 1e14 {
			return time.Time{}, false
		}
		if unit == "epoch_ms" {
			return time.UnixMilli(int64(f)).UTC(), true
		}
		return time.Unix(int64(f), 0).UTC(), true
	}
	s, _ := v.(string)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(time.Millisecond), true
		}
	}
	return time.Time{}, false
}
