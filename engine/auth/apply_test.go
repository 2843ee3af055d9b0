package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

const everywhere = `
id: acme
name: Acme
inputs:
  site: {label: Site}
hosts: ["${inputs.site}.example.com"]
auth:
  - id: k
    kind: custom
    fields:
      user: {label: User}
      key: {label: Key, type: password}
    apply:
      headers: {X-Key: "${fields.key}", X-Off: null}
      query: {key: "${fields.key}"}
      cookies: {sid: "${fields.key}"}
      basic: {username: "${fields.user}", password: "${fields.key}"}
api:
  base_url: https://${inputs.site}.example.com/v1
  headers: {X-Version: "3", X-Tenant: "${captured.tenant}"}
  query: {format: json}
test: {get: /me, capture: {tenant: response.body.tenant}}
`

func TestApplyReplacesWhatItPuts(t *testing.T) {
	r, _ := connect(t, everywhere, nil)
	c := auth.Credential{Fields: auth.Values(map[string]string{"user": "ana", "key": "CANARY 1&2"})}
	out, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a.example.com/?b=1&key=theirs&k%65y=theirs2&c=%zz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	out.Header = http.Header{"X-Key": {"theirs"}, "X-Off": {"theirs"}, "Authorization": {"Bearer theirs"}, "Cookie": {"a=1; sid=theirs", "b=2"}}
	if err := auth.Custom().Apply(out, r, c); err != nil {
		t.Fatal(err)
	}
	if got, want := out.URL.RawQuery, "b=1&c=%zz&key=CANARY+1%262"; got != want {
		t.Errorf("query %q, want %q", got, want)
	}
	user, password, _ := out.BasicAuth()
	out.Header.Del("Authorization")
	want := http.Header{"X-Key": {"CANARY 1&2"}, "Cookie": {"a=1; b=2; sid=CANARY 1&2"}}
	if diff := cmp.Diff(want, out.Header); diff != "" || user != "ana" || password != "CANARY 1&2" {
		t.Errorf("%s:%s, header (-want +got):\n%s", user, password, diff)
	}
}

func TestApplyRefusesWhatWouldBreakOut(t *testing.T) {
	r, _ := connect(t, everywhere, nil)
	for name, c := range map[string]auth.Credential{
		"line break":        {Fields: auth.Values(map[string]string{"user": "ana", "key": "a\r\nX-Evil: 1"})},
		"NUL":               {Fields: auth.Values(map[string]string{"user": "ana", "key": "a\x00"})},
		"semicolon":         {Fields: auth.Values(map[string]string{"user": "ana", "key": "a; admin=1"})},
		"colon in the name": {Fields: auth.Values(map[string]string{"user": "ana:x", "key": "a"})},
		"break in the name": {Fields: auth.Values(map[string]string{"user": "ana\n", "key": "a"})},
	} {
		out, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a.example.com/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if err := auth.Custom().Apply(out, r, c); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "evil") {
			t.Errorf("%s: %v, want kind invalid", name, err)
		}
	}
}

func TestAttach(t *testing.T) {
	r, _ := connect(t, everywhere, nil)
	r.Inputs["site"] = "acme"
	c := auth.Credential{Fields: auth.Values(map[string]string{"user": "ana", "key": "k&1"})}
	got, err := auth.Attach(r, c)
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Attachment{
		BaseURL: "https://acme.example.com/v1",
		Headers: map[string]string{"X-Version": "3", "X-Key": "k&1", "Cookie": "sid=k&1", "Authorization": "Basic YW5hOmsmMQ=="},
		Query:   map[string]string{"format": "json", "key": "k&1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Attach (-want +got):\n%s", diff)
	}
	r.Inputs["site"] = "evil.example/x?"
	if _, err := auth.Attach(r, c); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a host that is none: %v", err)
	}
}

func TestRevokeAuthenticatesTheClientAsAtTheTokenEndpoint(t *testing.T) {
	const source = `
id: acme
name: Acme
hosts: [x.example.com]
auth:
  - id: o
    kind: oauth2_authorization_code
    authorize: {url: https://x.example.com/a}
    pkce: optional
    token: {url: https://x.example.com/t, client_auth: HOW, names: {client_id: key}}
    revoke: {post: https://x.example.com/r, form: {token: "${credential.refresh_token}"}}
`
	for how, want := range map[string]string{
		"body":   "POST https://x.example.com/r | token=r1&key=client&client_secret=CANARY-secret",
		"none":   "POST https://x.example.com/r | token=r1&key=client",
		"header": "POST https://x.example.com/r | Basic Y2xpZW50OkNBTkFSWS1zZWNyZXQ= | token=r1",
	} {
		r, p := connect(t, strings.Replace(source, "HOW", how, 1), map[string]string{"POST https://x.example.com/r": ""})
		m := auth.AuthorizationCode()
		if err := m.(auth.Revoker).Revoke(t.Context(), r, auth.Credential{RefreshToken: secret.New("r1")}); err != nil {
			t.Fatal(err)
		}
		if got := p.requests(); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", how, got, want)
		}
	}
	// There, 401 is about the app.
	r, _ := connect(t, strings.Replace(source, "HOW", "header", 1), map[string]string{"POST https://x.example.com/r": "401 "})
	err := auth.AuthorizationCode().(auth.Revoker).Revoke(t.Context(), r, auth.Credential{RefreshToken: secret.New("r1")})
	if fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("401: %v, want kind misconfigured", err)
	}
}
