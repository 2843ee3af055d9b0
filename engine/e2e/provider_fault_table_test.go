package e2e

import (
	"net/http"
	"strings"
	"time"

	"dowel/engine/simulator"
)

// faultTest is one way of misbehaving, and what is to come of it.
type faultTest struct {
	name    string
	refresh string // the definition's refresh block
	fault   simulator.Fault
	outcome func(*faultCase)
	says    string // what the connection's record says about it
	kind    string // of the problem; provider-unavailable if empty
}

const rotating, fixed = "{rotation: always}", "{rotation: never}"

func faultTests() []faultTest {
	after := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	tests := []faultTest{
		// What the provider refused before it acted. (P01–P04, P08, P09)
		{"500", rotating, simulator.Fault{Kind: simulator.FaultStatus}, (*faultCase).passes, "has a problem at the moment", ""},
		{"503 with Retry-After", rotating, simulator.Fault{Kind: simulator.FaultStatus, Status: 503, RetryAfter: "11"}, (*faultCase).passesAfter10s, "has a problem at the moment", ""},
		{"a page with 502", rotating, simulator.Fault{Kind: simulator.FaultHTML}, (*faultCase).passes, "has a problem at the moment", ""},
		{"a page with 403", rotating, simulator.Fault{Kind: simulator.FaultHTML, Status: 403}, (*faultCase).passes, "an answer that is not one", ""},
		{"a redirect with 302", rotating, simulator.Fault{Kind: simulator.FaultRedirect}, (*faultCase).passes, "unexpected redirect", ""},
		{"a redirect with 307", rotating, simulator.Fault{Kind: simulator.FaultRedirect, Status: 307}, (*faultCase).passes, "unexpected redirect", ""},
		{"429", rotating, simulator.Fault{Kind: simulator.FaultStatus, Status: 429}, (*faultCase).passes, "asks to slow down", "rate-limited"},
		{"429 with seconds", rotating, simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "11"}, (*faultCase).passesAfter10s, "asks to slow down", "rate-limited"},
		{"429 with a date", rotating, simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: after(25 * time.Second)}, (*faultCase).passesAfter10s, "asks to slow down", "rate-limited"},
		{"429 with an absurd time", rotating, simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "999999999"}, (*faultCase).waitsAnHour, "asks to slow down", "rate-limited"},
		{"an error with 200", rotating, simulator.Fault{Kind: simulator.FaultError200}, (*faultCase).passes, "has a problem at the moment", ""},
		// What ends a connection, or accuses the app. (P05, P07)
		{"invalid_grant", rotating, simulator.Fault{Kind: simulator.FaultInvalidGrant}, (*faultCase).endsTheGrant, "no longer accepts this connection", ""},
		{"invalid_client", rotating, simulator.Fault{Kind: simulator.FaultInvalidClient}, (*faultCase).accusesTheApp, "refuses the app's client id or secret", "app-misconfigured"},
	}
	// What the provider did, and its answer was lost: it may be asked again where nothing was spent, and
	// once, when there is nothing left to lose, where the refresh token was. (N01–N04, P10, P17)
	lost := []faultTest{
		{"no answer in time", "", simulator.Fault{Kind: simulator.FaultLate, Delay: time.Minute}, nil, "did not answer in time", "provider-timeout"},
		{"a slow trickle", "", simulator.Fault{Kind: simulator.FaultTrickle, Delay: 500 * time.Millisecond}, nil, "did not answer in time", "provider-timeout"},
		{"a broken connection", "", simulator.Fault{Kind: simulator.FaultDrop}, nil, "could not be read", ""},
		{"half an answer", "", simulator.Fault{Kind: simulator.FaultTruncated}, nil, "could not be read", ""},
		{"JSON that is none", "", simulator.Fault{Kind: simulator.FaultMalformed}, nil, "cannot be read", ""},
		{"a page with 200", "", simulator.Fault{Kind: simulator.FaultHTML, Status: 200}, nil, "cannot be read", ""},
		{"a huge answer", "", simulator.Fault{Kind: simulator.FaultHuge, Size: 2 << 20}, nil, "too large", ""},
		{"a gzip bomb", "", simulator.Fault{Kind: simulator.FaultGzipBomb, Size: 2 << 20}, nil, "too large", ""},
	}
	for _, tt := range lost {
		tt.refresh, tt.outcome = fixed, (*faultCase).passes
		tests = append(tests, tt)
		tt.name += ", and the refresh token is spent"
		tt.refresh, tt.outcome = rotating, (*faultCase).isUnknown
		if tt.fault.Kind == simulator.FaultHTML {
			// This the simulator answers without renewing, but nobody can tell from the answer.
			tt.name, tt.outcome = strings.TrimSuffix(tt.name, "is spent")+"may be spent", (*faultCase).isTriedAtTheEnd
		}
		tests = append(tests, tt)
	}
	return tests
}
