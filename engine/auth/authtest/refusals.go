package authtest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
)

// refusal is a reply with an error of RFC 6749 §5.2.
func refusal(status int, code string) reply {
	return asJSON(status, map[string]any{"error": code, "error_description": "Their words."})
}

func after(a reply, seconds string) reply {
	a.header.Set("Retry-After", seconds)
	return a
}

// plainRefusals reports whether the definition leaves it to the RFC what an error is.
func plainRefusals(b *bench) bool {
	e, o := b.request.Auth.Errors, b.request.Auth.Token.Outcome
	return e.App == nil && e.DeadGrant == nil && e.Throttled == nil && e.Transient == nil && o.Success == nil && o.Error == nil
}

// refusalCase is an answer to a token request and what it means.
type refusalCase struct {
	name    string
	answer  reply
	kind    fault.Kind
	code    string
	atLeast time.Duration // Retry-After
}

func refusalCases() []refusalCase {
	page := asText(403, "text/html", "<html><title>Attention required!</title></html>")
	date := time.Now().Add(20 * time.Minute).UTC().Format(http.TimeFormat)
	return []refusalCase{
		{"grant is dead", refusal(400, "invalid_grant"), fault.NeedsReauth, "invalid_grant", 0},
		{"grant is dead, as 401", refusal(401, "invalid_grant"), fault.NeedsReauth, "invalid_grant", 0},
		{"grant is dead, as 200", refusal(200, "invalid_grant"), fault.NeedsReauth, "invalid_grant", 0},
		{"app is refused", refusal(401, "invalid_client"), fault.Misconfigured, "invalid_client", 0},
		{"app is refused, as 400", refusal(400, "unauthorized_client"), fault.Misconfigured, "unauthorized_client", 0},
		{"app is refused without words", asText(401, "", ""), fault.Misconfigured, "", 0},
		{"request is wrong", refusal(400, "invalid_request"), fault.Refused, "invalid_request", 0},
		{"scope is wrong", refusal(400, "invalid_scope"), fault.Refused, "invalid_scope", 0},
		{"busy, as 400", refusal(400, "temporarily_unavailable"), fault.Unavailable, "temporarily_unavailable", 0},
		{"broken, as 400", refusal(400, "server_error"), fault.Unavailable, "server_error", 0},
		{"500", refusal(500, "oops"), fault.Unavailable, "oops", 0},
		{"502 with a page", asText(502, "text/html", "<html>Bad Gateway</html>"), fault.Unavailable, "", 0},
		{"503 with a time", after(asText(503, "text/html", "<html>"), "30"), fault.Unavailable, "", 30 * time.Second},
		{"firewall", page, fault.Unavailable, "", 0},
		{"429 with seconds", after(asText(429, "", ""), "7"), fault.RateLimited, "", 7 * time.Second},
		{"429 with a date", after(refusal(429, "x"), date), fault.RateLimited, "x", 19 * time.Minute},
		{"429 with an absurd time", after(refusal(429, "x"), "99999999999"), fault.RateLimited, "x", time.Hour},
		{"429 with nonsense", after(refusal(429, "x"), "soon"), fault.RateLimited, "x", 0},
		{"code of ours", refusal(400, "credential-rejected"), fault.Refused, "credential_rejected", 0},
		{"words at great length", refusal(400, strings.Repeat("x", 500)), fault.Refused, strings.Repeat("x", 79) + "…", 0},
	}
}

// testCodeRefused: what is refused while connecting is no connection that has ended.
func testCodeRefused(t *testing.T, b *bench) {
	if !plainRefusals(b) {
		t.Skip("the definition has errors of its own")
	}
	b.always(refusal(400, "invalid_grant"))
	_, err := b.obtain(t)
	if fault.KindOf(err) != fault.Refused || fault.As(err).Code != "invalid_grant" || auth.OutcomeUnknown(err) {
		t.Errorf("%v, want kind %s, code invalid_grant", err, fault.Refused)
	}
	b.provider.only(t)
}

// testPasswordRefused: what a person is told while they can type it again.
func testPasswordRefused(t *testing.T, b *bench) {
	if !plainRefusals(b) {
		t.Skip("the definition has errors of its own")
	}
	b.always(refusal(400, "invalid_grant"))
	_, err := b.obtain(t)
	if fault.KindOf(err) != fault.Refused || fault.As(err).Code != "credential-rejected" {
		t.Errorf("%v, want kind %s, code credential-rejected", err, fault.Refused)
	}
	b.provider.only(t)
}

// testSubjectRefused: RFC 8693 §2.2.2 has invalid_request for a token that is no good, which means another
// thing while connecting than when it was good before.
func testSubjectRefused(t *testing.T, b *bench) {
	if !plainRefusals(b) {
		t.Skip("the definition has errors of its own")
	}
	c := b.credential(t)
	b.always(refusal(400, "invalid_request"))
	_, err := b.obtain(t)
	if fault.KindOf(err) != fault.Refused || fault.As(err).Code != "credential-rejected" {
		t.Errorf("%v, want kind %s, code credential-rejected", err, fault.Refused)
	}
	if b.request.Auth.RefreshGrant() != definition.GrantTokenExchange {
		return
	}
	if _, err := b.renew(t, c); fault.KindOf(err) != fault.NeedsReauth {
		t.Errorf("traded again: %v, want kind %s", err, fault.NeedsReauth)
	}
}

func testRefusals(t *testing.T, b *bench) {
	if !plainRefusals(b) {
		t.Skip("the definition has errors of its own")
	}
	for _, tt := range refusalCases() {
		t.Run(tt.name, func(t *testing.T) {
			c := b.credential(t)
			b.always(tt.answer)
			_, err := b.renew(t, c)
			f := fault.As(err)
			kind := tt.kind
			if tt.code == "invalid_request" && b.request.Auth.RefreshGrant() == definition.GrantTokenExchange {
				kind = fault.NeedsReauth // see testSubjectRefused
			}
			if kind == fault.NeedsReauth && !refreshes(b) {
				kind = fault.Refused // while connecting, no connection can have ended
			}
			if f == nil || f.Kind != kind || f.Code != tt.code {
				t.Fatalf("%v, want kind %s, code %q", err, kind, tt.code)
			}
			if f.RetryAfter < tt.atLeast || f.RetryAfter > time.Hour || tt.atLeast == 0 && f.RetryAfter != 0 {
				t.Errorf("retry after %v, want at least %v", f.RetryAfter, tt.atLeast)
			}
			if auth.OutcomeUnknown(err) {
				t.Error("the outcome is said to be unknown")
			}
			if strings.Contains(f.Public, "Their words") {
				t.Errorf("the provider's words are in our text: %q", f.Public)
			}
			b.provider.only(t) // once, whatever the answer
		})
	}
}
