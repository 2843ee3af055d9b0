package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// plain leaves it to the RFCs what an error is; chatty answers 200 whatever happens, like Slack.
const plain = `
id: acme
name: Acme
hosts: [x.example.com]
auth:
  - id: o
    kind: oauth2_authorization_code
    authorize: {url: https://x.example.com/a}
    pkce: optional
    token: {url: https://x.example.com/t, client_auth: body}
`

const chatty = plain + `
    errors:
      dead_grant: response.body.error in ["token_revoked", "gone"] || response.status == 410
      app: response.body.error == "bad_client_secret"
      throttled: response.body.error == "ratelimited"
      transient: response.body.error == "fatal_error" || response.headers["x-busy"] == "yes"
`

func answered(status int, body string, header ...string) *response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	a, _ := read(&egress.Response{Status: status, Header: h, Body: []byte(body)}, definition.Reading{})
	return a
}

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		name, definition string
		who              party
		a                *response
		want             fault.Kind
		code             string
		understood       bool
	}{
		{"dead grant of the definition", chatty, theApp, answered(200, `{"ok":false,"error":"token_revoked"}`), fault.NeedsReauth, "token_revoked", true},
		{"dead grant by status", chatty, theApp, answered(410, ``), fault.NeedsReauth, "", true},
		{"app of the definition", chatty, theApp, answered(200, `{"ok":false,"error":"bad_client_secret"}`), fault.Misconfigured, "bad_client_secret", true},
		{"throttled by the definition", chatty, theApp, answered(200, `{"ok":false,"error":"ratelimited"}`), fault.RateLimited, "ratelimited", true},
		{"transient by the definition", chatty, theApp, answered(200, `{"ok":false,"error":"fatal_error"}`), fault.Unavailable, "fatal_error", true},
		{"transient by a header", chatty, theCredential, answered(401, `{}`, "X-Busy", "yes"), fault.Unavailable, "", true},
		{"the definition before the RFC", chatty, theApp, answered(400, `{"error":"gone"}`), fault.NeedsReauth, "gone", true},
		{"the RFC after the definition", chatty, theApp, answered(400, `{"error":"invalid_grant"}`), fault.NeedsReauth, "invalid_grant", true},
		{"another error with 200", chatty, theApp, answered(200, `{"ok":false,"error":"odd"}`), fault.Refused, "odd", true},
		{"no success and no error", chatty, theApp, answered(200, `{"ok":false}`), fault.Refused, "", false},
		{"page with 200", chatty, theApp, answered(200, `<html>`), fault.Unavailable, "", false},

		{"token endpoint 401 without a body", plain, theApp, answered(401, ``), fault.Misconfigured, "", true},
		{"token endpoint 403 page", plain, theApp, answered(403, `<html>`), fault.Unavailable, "", false},
		{"token endpoint 403", plain, theApp, answered(403, `{"message":"no"}`), fault.Refused, "", true},
		{"408", plain, theApp, answered(408, ``), fault.Unavailable, "", true},
		{"nested code", plain, theApp, answered(400, `{"error":{"code":190,"message":"x"}}`), fault.Refused, "190", true},

		{"API 401 without a body", plain, theCredential, answered(401, ``), fault.Refused, "credential-rejected", true},
		{"API 401 page", plain, theCredential, answered(401, `<html>`), fault.Refused, "credential-rejected", true},
		{"API 401 text", plain, theCredential, answered(401, `HTTP Basic: Access denied.`), fault.Refused, "credential-rejected", true},
		{"API 401 with a code", plain, theCredential, answered(401, `{"error":"invalid_token"}`), fault.Refused, "credential-rejected", true},
		{"API 401 with a code of the token endpoint", plain, theCredential, answered(401, `{"error":"invalid_client"}`), fault.Refused, "credential-rejected", true},
		{"API invalid_token as 400", plain, theCredential, answered(400, `{"error":"invalid_token"}`), fault.Refused, "credential-rejected", true},
		{"API 403", plain, theCredential, answered(403, `{"message":"no"}`), fault.Refused, "credential-rejected", true},
		{"API 403 of a firewall", plain, theCredential, answered(403, `<html>`), fault.Unavailable, "", false},
		{"API 403 wants more", plain, theCredential, answered(403, `{"error":"insufficient_scope"}`), fault.Refused, "missing-scope", true},
		{"API 404", plain, theCredential, answered(404, `{"message":"no"}`), fault.Refused, "", true},
		{"API 429", plain, theCredential, answered(429, ``), fault.RateLimited, "", true},
		{"API 500", plain, theCredential, answered(500, `{"error":"invalid_token"}`), fault.Unavailable, "invalid_token", true},
		{"API says no with 200", plain, theCredential, answered(200, `{"valid":false}`), fault.Refused, "", false},
		{"login with a wrong password", plain, theCredential, answered(400, `{"error":"invalid_grant"}`), fault.NeedsReauth, "invalid_grant", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := requestFor(t, tt.definition)
			env := answering(r.env(nil), tt.a)
			f, understood := r.refusal(tt.a, definition.Outcome{}, env, tt.who, nil)
			if f.Kind != tt.want || f.Code != tt.code || understood != tt.understood {
				t.Errorf("kind %s, code %q, understood %v; want %s, %q, %v", f.Kind, f.Code, understood, tt.want, tt.code, tt.understood)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "1.5": 1500 * time.Millisecond,
		"3600": time.Hour, "3601": time.Hour, "99999999999999999999": time.Hour, "NaN": 0, "Inf": time.Hour, "soon": 0,
		"Sat, 21 Nov 2026 10:10:00 GMT": 10 * time.Minute, "Sat, 21 Nov 2026 09:00:00 GMT": 0, "Fri, 31 Dec 9999 23:59:59 GMT": time.Hour,
	} {
		if got := retryAfter(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"plain", 10, "plain"},
		{"  two\r\n\tlines  ", 20, "two lines"},
		{"bell\a and \u202eoverride\u2066", 40, "bell and override"},
		{"\x1b[31mred", 40, "[31mred"},
		{"bad \xff byte", 40, "bad byte"},
		{"<b>&amp;</b>", 40, "<b>&amp;</b>"}, // escaping is the page's affair
		{"äöüäöü", 5, "äöüä…"},
		{"äöüäö", 5, "äöüäö"},
	} {
		if got := clean(tt.in, tt.n); got != tt.want {
			t.Errorf("clean(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestScrub(t *testing.T) {
	r := requestFor(t, strings.Replace(plain, "    token:", `    fields:
      region: {label: Region}
      pin: {label: PIN, type: password}
      tiny: {label: Tiny, type: password}
    token:`, 1))
	r.App = App{ClientID: "client", ClientSecret: secret.New(`s+/ "x"`)}
	c := Credential{
		AccessToken: secret.New("access"), RefreshToken: secret.New("access-and-more"), Tokens: Values(map[string]string{"bot": "bot-token"}),
		Values: Values(map[string]string{"session": "sess-1"}), Fields: Values(map[string]string{"region": "europe", "pin": "pin-1234", "tiny": "abc"}),
		TokenType: "Bearer",
	}
	req := &http.Request{Header: http.Header{"Authorization": {"Basic Y2xpZW50OnM="}}}
	s := r.scrubber(r.env(&c), req, "the-verifier")
	for in, want := range map[string]string{
		"nothing of ours":             "nothing of ours",
		`raw s+/ "x"`:                 "raw [secret]",
		"form s%2B%2F+%22x%22":        "form [secret]",
		"path s+%2F%20%22x%22":        "path [secret]",
		`JSON s+/ \"x\"`:              "JSON [secret]",
		"access-and-more and access!": "[secret] and [secret]!",
		"bot-token sess-1 pin-1234":   "[secret] [secret] [secret]",
		"header Y2xpZW50OnM=":         "header [secret]",
		"the-verifier":                "[secret]",
		"client in europe, Bearer":    "client in europe, Bearer", // not secret
		"abc":                         "abc",                      // too short to be told from words
	} {
		if got := s.scrub(in); got != want {
			t.Errorf("scrub(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestOutcomeUnknown(t *testing.T) {
	answer := &ProviderError{Status: 502}
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"no error", nil, false},
		{"an answer", fault.E(fault.Unavailable, "x", answer), false},
		{"an answer, wrapped", fmt.Errorf("refresh: %w", fault.E(fault.Refused, "x", answer)), false},
		{"an answer lost", fault.E(fault.Unavailable, "x", fmt.Errorf("%w: y", ErrAnswerLost)), true},
		{"no answer", fault.E(fault.Timeout, "x", nil), true},
		{"anything else that is not known", errors.New("x"), true},
		{"a request that cannot be made", invalidRequest("token", errors.New("x")), false},
		{"nothing to renew with", notRenewable(), false},
	} {
		if got := OutcomeUnknown(tt.err); got != tt.want {
			t.Errorf("%s: OutcomeUnknown(%v) = %v, want %v", tt.name, tt.err, got, tt.want)
		}
	}
}
