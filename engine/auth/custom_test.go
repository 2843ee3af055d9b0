package auth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
)

// login is a login of two steps: the first says where the second is, the second gives a cookie.
const login = `
id: acme
name: Acme
inputs:
  tenant: {label: Tenant, pattern: "[a-z]+"}
hosts: [login.example.com, "*.rest.example.com"]
auth:
  - id: login
    kind: custom
    fields:
      user: {label: User}
      password: {label: Password, type: password}
    login:
      - id: ticket
        request:
          post: https://login.example.com/${inputs.tenant}/ticket
          form: {user: "${fields.user}", password: "${fields.password}", empty: ""}
          capture: {rest_url: response.body.rest_url}
        credential: {ticket: response.body.ticket}
        expires: {in: response.body.ttl}
      - id: session
        request:
          post: ${captured.rest_url}/session
          json: {ticket: "${steps.ticket.body.ticket}", numbers: [1, true]}
        credential: {session: 'before_first(after_last(response.headers["set-cookie"], "SID="), ";")'}
        expires: {at: response.body.until, unit: epoch_ms}
    renew: {by: login}
    errors: {dead_grant: response.body.error == "account_locked"}
    apply: {headers: {X-Session: "${credential.ticket}/${credential.session}"}}
api: {base_url: "${captured.rest_url}/v1"}
test: {get: /me}
`

func loginAnswers() map[string]string {
	return map[string]string{
		"POST https://login.example.com/acme/ticket":   object("ticket", "CANARY-t1", "ttl", 7200, "rest_url", "https://eu1.rest.example.com"),
		"POST https://eu1.rest.example.com/session":    object("until", time.Now().Add(time.Hour).UnixMilli()),
		"GET https://eu1.rest.example.com/v1/me":       `{"id":1}`,
		"POST https://login.example.com/other/session": "500 {}",
	}
}

func person(r *auth.Request) {
	r.App = auth.App{}
	r.Inputs["tenant"] = "acme"
	r.Fields = auth.Values(map[string]string{"user": "ana", "password": "CANARY pass&word"})
}

func TestLoginOfTwoSteps(t *testing.T) {
	r, p := connect(t, login, loginAnswers())
	p.header["Set-Cookie"] = []string{"lang=en; Path=/", "SID=CANARY-s1; HttpOnly"}
	person(&r)
	step, _, err := auth.Custom().Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	done := step.(auth.Done)
	want := []string{
		`POST https://login.example.com/acme/ticket | user=ana&password=CANARY+pass%26word`,
		`POST https://eu1.rest.example.com/session | {"numbers":[1,true],"ticket":"CANARY-t1"}`,
	}
	if diff := cmp.Diff(want, p.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	c := done.Credential
	if got := c.Values["ticket"].Reveal() + " " + c.Values["session"].Reveal(); got != "CANARY-t1 CANARY-s1" {
		t.Errorf("values %q", got)
	}
	if left := time.Until(c.ExpiresAt); left < 59*time.Minute || left > time.Hour {
		t.Errorf("ends in %v, want the end of what ends first", left)
	}
	if got := c.Primary(r.Auth).Reveal(); got != "CANARY-t1" {
		t.Errorf("primary %q", got)
	}
	r.Captured = done.Captured
	if _, err := auth.Test(t.Context(), auth.Custom(), r, c); err != nil {
		t.Error(err)
	}
	if got := p.requests(); len(got) != 1 || got[0] != "GET https://eu1.rest.example.com/v1/me | CANARY-t1/CANARY-s1" {
		t.Errorf("test request %q", got)
	}
	next, err := auth.Custom().(auth.Refresher).Refresh(t.Context(), r, c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, p.requests()); diff != "" {
		t.Errorf("the login again (-want +got):\n%s", diff)
	}
	if !next.Fields["password"].Equal(c.Fields["password"]) {
		t.Error("the password is not kept for the time after")
	}
}

func TestLoginThatFails(t *testing.T) {
	const first, second = "POST https://login.example.com/acme/ticket", "POST https://eu1.rest.example.com/session"
	for _, tt := range []struct {
		name, at, answer string
		begin, refresh   fault.Kind
		code             string
		unknown          bool
	}{
		{"wrong password", first, "401 ", fault.Refused, fault.Refused, "credential-rejected", false},
		{"wrong password, as OAuth says it", first, `400 {"error":"invalid_grant"}`, fault.Refused, fault.NeedsReauth, "credential-rejected", false},
		{"locked, as the definition says", first, `403 {"error":"account_locked"}`, fault.Refused, fault.NeedsReauth, "credential-rejected", false},
		{"second step refused", second, `403 {}`, fault.Refused, fault.Refused, "credential-rejected", false},
		{"no value", first, `{"rest_url":"https://eu1.rest.example.com"}`, fault.Unavailable, fault.Unavailable, "answer-unreadable", true},
		{"a page", first, `<html>`, fault.Unavailable, fault.Unavailable, "answer-unreadable", true},
		{"a value with a break", first, object("ticket", "CANARY\r\nX-Evil: 1", "rest_url", "https://eu1.rest.example.com"), fault.Unavailable, fault.Unavailable, "answer-unreadable", true},
		{"down", first, `503 {}`, fault.Unavailable, fault.Unavailable, "", false},
		{"slow down", second, `429 {}`, fault.RateLimited, fault.RateLimited, "", false},
		{"elsewhere", first, object("ticket", "CANARY-t1", "rest_url", "https://attacker.example"), fault.Forbidden, fault.Forbidden, "", false},
		{"no address", first, object("ticket", "CANARY-t1", "rest_url", "eu1"), fault.Invalid, fault.Invalid, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answers := loginAnswers()
			answers[tt.at] = tt.answer
			r, p := connect(t, login, answers)
			p.header["Set-Cookie"] = []string{"SID=CANARY-s1"}
			person(&r)
			_, _, err := auth.Custom().Begin(t.Context(), r)
			f := fault.As(err)
			if f == nil || f.Kind != tt.begin || f.Code != tt.code || auth.OutcomeUnknown(err) != tt.unknown {
				t.Errorf("Begin: %v (outcome unknown %v), want %s, %q", err, auth.OutcomeUnknown(err), tt.begin, tt.code)
			}
			_, err = auth.Custom().(auth.Refresher).Refresh(t.Context(), r, auth.Credential{Kind: "custom", Fields: r.Fields})
			if fault.KindOf(err) != tt.refresh {
				t.Errorf("Refresh: %v, want kind %s", err, tt.refresh)
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("a secret is in %v", err)
			}
			for _, line := range p.requests() {
				if strings.Contains(line, "attacker") {
					t.Errorf("sent %q", line)
				}
			}
		})
	}
}

// TestTwoTokensInOneAnswer: two lists of scopes, two tokens, and refusals with status 200.
func TestTwoTokensInOneAnswer(t *testing.T) {
	const token = "POST https://slack.com/api/oauth.v2.access"
	r, p := connect(t, shipped(t, "slack"), map[string]string{token: object(
		"ok", true, "access_token", "CANARY-bot", "token_type", "bot", "scope", "users:read,chat:write", "expires_in", 43200, "refresh_token", "CANARY-r1",
		"team", map[string]any{"id": "T1", "name": "Team"}, "authed_user", map[string]any{"access_token": "CANARY-user", "scope": "search:read"},
	)})
	m := auth.AuthorizationCode()
	step, pending, err := m.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if q := step.(auth.Redirect).URL.Query(); q.Get("scope") != "users:read" || q.Has("user_scope") {
		t.Errorf("asked for %v: an empty list is not sent", q)
	}
	step, err = m.Complete(t.Context(), r, pending, auth.Answer{Query: url.Values{"code": {"CANARY-code"}}})
	if err != nil {
		t.Fatal(err)
	}
	c := step.(auth.Done).Credential
	if c.AccessToken.Reveal() != "CANARY-bot" || c.Tokens["user"].Reveal() != "CANARY-user" || c.TokenType != "bot" {
		t.Errorf("tokens %q, %q of type %q", c.AccessToken.Reveal(), c.Tokens["user"].Reveal(), c.TokenType)
	}
	if diff := cmp.Diff([]string{"users:read", "chat:write", "search:read"}, c.Scopes); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	p.answers[token] = object("ok", true, "access_token", "CANARY-bot-2", "refresh_token", "CANARY-r2", "expires_in", 43200)
	next, err := m.(auth.Refresher).Refresh(t.Context(), r, c)
	if err != nil {
		t.Fatal(err)
	}
	if next.Tokens["user"].Reveal() != "CANARY-user" || len(next.Scopes) != 3 || next.RefreshToken.Reveal() != "CANARY-r2" {
		t.Errorf("after the refresh: tokens %q, scopes %q", next.Tokens["user"].Reveal(), next.Scopes)
	}
	for answer, want := range map[string]fault.Kind{
		`{"ok":false,"error":"invalid_refresh_token"}`:        fault.NeedsReauth,
		`{"ok":false,"error":"bad_client_secret"}`:            fault.Misconfigured,
		`{"ok":false,"error":"ratelimited"}`:                  fault.RateLimited,
		`{"ok":false,"error":"internal_error"}`:               fault.Unavailable,
		`{"ok":false,"error":"something_new"}`:                fault.Refused,
		`{"ok":false,"error":"` + "CANARY-r1 was used" + `"}`: fault.Refused,
	} {
		p.answers[token] = answer
		_, err := m.(auth.Refresher).Refresh(t.Context(), r, c)
		if fault.KindOf(err) != want || auth.OutcomeUnknown(err) || strings.Contains(err.Error()+fault.As(err).Code, "CANARY") {
			t.Errorf("%s: %v, want kind %s", answer, err, want)
		}
	}
	for _, answer := range []string{`{"ok":false}`, `<html>`, ``, `{"ok":true}`} {
		p.answers[token] = answer
		if _, err := m.(auth.Refresher).Refresh(t.Context(), r, c); fault.KindOf(err) != fault.Unavailable || !auth.OutcomeUnknown(err) {
			t.Errorf("%q: %v, want unavailable with an unknown outcome", answer, err)
		}
	}
}
