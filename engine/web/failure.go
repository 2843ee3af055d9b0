package web

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/ui"
)

// failed turns a flow's failure into what the page shows. What the provider said stays its words.
func failed(f *flow.Failure) *ui.Failed {
	if f == nil {
		return &ui.Failed{Code: "server-error"}
	}
	return &ui.Failed{Code: f.Code, Words: f.Provider, Reference: f.Reference, Status: f.Status, Cause: f.Cause, Fix: f.Fix}
}

// failure says what a person is told about err, which nobody in flow has explained.
func failure(err error, reference string) *ui.Failed {
	var stopped *flow.Stopped
	if errors.As(err, &stopped) {
		return failed(stopped.Failure)
	}
	out := &ui.Failed{Code: "server-error", Reference: reference}
	e := fault.As(err)
	if e == nil {
		return out
	}
	if flow.LacksAppAt(err) {
		out.Code, out.Cause = "server-unknown", sentence(e.Public)
		return out
	}
	if slices.Contains(ui.FailureCodes(), e.Code) {
		out.Code = e.Code
		return out
	}
	switch e.Kind {
	case fault.Forbidden, fault.Invalid:
		out.Code, out.Cause = "not-allowed", sentence(e.Public)
	case fault.NotFound:
		out.Code = "session-expired"
		if e.Code == "connector-unknown" {
			out.Code = "connector-disabled"
		}
	case fault.Gone:
		out.Code = "session-expired"
	case fault.RateLimited:
		out.Code = "rate-limited"
	case fault.Misconfigured:
		out.Code = "app-misconfigured"
	case fault.Unavailable, fault.Timeout:
		out.Code = "provider-down"
	}
	return out
}

// sentence writes a fault's phrase as people write.
func sentence(phrase string) string {
	if phrase == "" {
		return ""
	}
	return strings.ToUpper(phrase[:1]) + phrase[1:] + "."
}

// newReference returns what is printed with a failure and finds the log line.
func newReference() string { return strings.ToLower(rand.Text()[:10]) }
