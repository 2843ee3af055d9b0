package auth

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// ProviderError is what the provider said when it said no. Its texts are the provider's: data to
// show as a quotation, cut and cleaned, never our own message.
type ProviderError struct {
	Status      int
	Code        string // such as invalid_grant (RFC 6749 §5.2)
	Description string
}

// Error names the code and status; the description is left to those who show it as a quotation.
func (e *ProviderError) Error() string {
	return fmt.Sprintf("the provider answered %d %s", e.Status, e.Code)
}

// refusal turns a failed answer into a fault that says whose turn it is.
func (r Request) refusal(a *response, o definition.Outcome, env definition.Env) error {
	pe := &ProviderError{Status: a.Status, Code: clean(r.errorCode(a, o, env), 80)}
	pe.Description = clean(r.scrub(errorDescription(o, env)), 300)
	kind, public := r.classify(a, pe.Code, env)
	f := fault.E(kind, public, pe).WithCode(pe.Code)
	if kind == fault.RateLimited || kind == fault.Unavailable {
		f = f.WithRetryAfter(retryAfter(a.Header, time.Now()))
	}
	return f
}

func (r Request) errorCode(a *response, o definition.Outcome, env definition.Env) string {
	if o.Error != nil {
		return o.Error.Text(env)
	}
	if m, ok := a.body.(map[string]any); ok {
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
	}
	return ""
}

func errorDescription(o definition.Outcome, env definition.Env) string {
	if o.ErrorDescription != nil {
		return o.ErrorDescription.Text(env)
	}
	resp, _ := env["response"].(map[string]any)
	m, _ := resp["body"].(map[string]any)
	for _, k := range []string{"error_description", "message", "detail"} {
		if s, ok := m[k].(string); ok {
			return s
		}
	}
	if e, ok := m["error"].(map[string]any); ok {
		s, _ := e["message"].(string)
		return s
	}
	return ""
}

// classify says what a failed answer means: first the definition's own classifiers, then RFC 6749
// §5.2 and the status.
func (r Request) classify(a *response, code string, env definition.Env) (fault.Kind, string) {
	e := r.Auth.Errors
	name := r.Connector.Name
	switch {
	case e.DeadGrant.Is(env):
		return fault.NeedsReauth, name + " no longer accepts this connection"
	case e.App.Is(env):
		return fault.Misconfigured, name + " refused the app's client id or secret"
	case e.Throttled.Is(env), a.Status == http.StatusTooManyRequests, code == "slow_down":
		return fault.RateLimited, name + " asks to slow down"
	case e.Transient.Is(env), a.Status >= 500, slices.Contains([]string{"temporarily_unavailable", "server_error"}, code):
		return fault.Unavailable, name + " has a problem at the moment"
	case code == "invalid_grant":
		return fault.NeedsReauth, name + " no longer accepts this connection"
	case code == "invalid_client" || code == "unauthorized_client":
		return fault.Misconfigured, name + " refused the app's client id or secret"
	case code == "access_denied" || code == "consent_required":
		return fault.Refused, "access was not allowed at " + name
	case code == "" && a.body == nil:
		return fault.Unavailable, name + " gave an answer that is not one"
	case code == "" && a.Status == http.StatusUnauthorized:
		return fault.Misconfigured, name + " refused the app's client id or secret"
	default:
		return fault.Refused, name + " refused the request"
	}
}

// scrub takes the secrets that we sent out of a provider's text.
func (r Request) scrub(s string) string {
	secrets := []string{r.App.ClientSecret.Reveal()}
	for _, v := range r.Fields {
		secrets = append(secrets, v.Reveal())
	}
	for _, v := range secrets {
		if len(v) >= 4 {
			s = strings.ReplaceAll(s, v, "[secret]")
		}
	}
	return s
}

// clean cuts a provider's text to n characters on one line.
func clean(s string, n int) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar || unicode.Is(unicode.Cf, c) {
			return ' '
		}
		return c
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// maxRetryAfter is the longest wait believed; an absurd one must not park a connection for good.
const maxRetryAfter = time.Hour

// retryAfter reads the Retry-After header (RFC 9110 §10.2.3), in seconds or as a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(v, 64); err == nil {
		return max(0, min(time.Duration(min(n, 1e6)*float64(time.Second)), maxRetryAfter))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, min(at.Sub(now), maxRetryAfter))
	}
	return 0
}

func lower(s string) string { return strings.ToLower(s) }
