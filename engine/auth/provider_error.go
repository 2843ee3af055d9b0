package auth

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// ProviderError is what the provider said when it said no. Its texts are the provider's: data to
// show as a quotation, cut and cleaned, without the secrets that we sent, never our own message.
type ProviderError struct {
	Status      int
	Code        string // such as invalid_grant (RFC 6749 §5.2)
	Description string
}

// Error names the code and status; the description is left to those who show it as a quotation.
func (e *ProviderError) Error() string {
	return fmt.Sprintf("the provider answered %d %s", e.Status, e.Code)
}

// refusal turns a failed answer into a fault that says whose turn it is, and reports whether the
// answer was understood to be an error, and not merely no success.
func (r Request) refusal(a *response, o definition.Outcome, env definition.Env, who party, s scrubber) (f *fault.Error, understood bool) {
	pe := &ProviderError{
		Status: a.Status, Code: clean(s.scrub(errorCode(a, o, env)), 80),
		Description: clean(s.scrub(errorDescription(a, o, env)), 300),
	}
	v := r.classify(a, pe.Code, env, who)
	f = fault.E(v.kind, v.public, pe).WithCode(v.code)
	if v.kind == fault.RateLimited || v.kind == fault.Unavailable {
		f = f.WithRetryAfter(retryAfter(a.Header, time.Now()))
	}
	return f, v.understood
}

// theirCode is a provider's error code as the code of a fault. Ours are written with hyphens, and a
// provider's must not pass for one of them.
func theirCode(code string) string { return strings.ReplaceAll(code, "-", "_") }

func errorCode(a *response, o definition.Outcome, env definition.Env) string {
	if o.Error != nil {
		return o.Error.Text(env)
	}
	m, _ := a.body.(map[string]any)
	switch e := m["error"].(type) {
	case string:
		return e
	case map[string]any:
		for _, k := range []string{"code", "type", "status"} {
			if e[k] != nil {
				return definition.Text(e[k])
			}
		}
	}
	return ""
}

func errorDescription(a *response, o definition.Outcome, env definition.Env) string {
	if o.ErrorDescription != nil {
		return o.ErrorDescription.Text(env)
	}
	m, _ := a.body.(map[string]any)
	for _, k := range []string{"error_description", "message", "detail"} {
		if s, ok := m[k].(string); ok {
			return s
		}
	}
	e, _ := m["error"].(map[string]any)
	s, _ := e["message"].(string)
	return s
}

// maxRetryAfter is the longest wait believed; an absurd one must not park a connection for good.
const maxRetryAfter = time.Hour

// retryAfter reads the Retry-After header (RFC 9110 §10.2.3), in seconds or as a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(v, 64); err == nil && n > 0 {
		return time.Duration(min(n, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, min(at.Sub(now), maxRetryAfter))
	}
	return 0
}
