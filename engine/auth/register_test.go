package auth_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
)

const registering = `
id: acme
name: Acme
hosts: [id.example.com]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    registration: {mode: dynamic, url: "https://id.example.com/register", params: {software_id: dowel, response_types: null}, initial_access_token: "${inputs.token}"}
    authorize: {url: https://id.example.com/authorize}
    scopes: {default: [a, b], separator: ","}
    token: {url: https://id.example.com/token, client_auth: registered}
    revoke: none
inputs: {token: {label: Token, required: false, example: x}}
test: none
identity: none
`

func TestAnAppSaysOfItselfWhatTheServerCanTake(t *testing.T) {
	for supported, want := range map[string]string{
		"": "client_secret_basic", "none": "none", "client_secret_post none": "none", "client_secret_post": "client_secret_post",
		"private_key_jwt client_secret_post client_secret_basic": "client_secret_basic", "private_key_jwt": "client_secret_basic",
	} {
		r, p := connect(t, registering, map[string]string{"POST https://id.example.com/register": `201 {"client_id":"c","client_secret":"CANARY-s"}`})
		r.Discovered = map[string]string{"token_endpoint_auth_methods_supported": supported}
		r.Inputs["token"] = "let-me-in"
		got, err := auth.Register(t.Context(), r, "Dowel")
		if err != nil {
			t.Fatal(err)
		}
		if got.ClientID != "c" || got.ClientSecret.Reveal() != "CANARY-s" || got.Method != want || !got.ExpiresAt.IsZero() {
			t.Errorf("%s: registered as %+v", supported, got)
		}
		line := strings.Split(p.requests()[0], " | ")
		var said map[string]any
		if err := json.Unmarshal([]byte(line[2]), &said); err != nil || line[1] != "Bearer let-me-in" {
			t.Fatal(line, err)
		}
		wanted := map[string]any{
			"client_name": "Dowel", "redirect_uris": []any{"https://dowel.example/callback"}, "grant_types": []any{"authorization_code", "refresh_token"},
			"scope": "a b", "software_id": "dowel", "token_endpoint_auth_method": want,
		}
		if diff := cmp.Diff(wanted, said); diff != "" {
			t.Errorf("%s: it says (-want +got):\n%s", supported, diff)
		}
	}
}

func TestARegisteredSecretMayEnd(t *testing.T) {
	for told, want := range map[any]time.Duration{0: 0, time.Now().Add(time.Hour).Unix(): time.Hour, "soon": 0} {
		r, _ := connect(t, registering, map[string]string{
			"POST https://id.example.com/register": object("client_id", "c", "client_secret", "s", "client_secret_expires_at", told, "token_endpoint_auth_method", "client_secret_post"),
		})
		got, err := auth.Register(t.Context(), r, "Dowel")
		if err != nil {
			t.Fatal(err)
		}
		left := time.Duration(0)
		if !got.ExpiresAt.IsZero() {
			left = time.Until(got.ExpiresAt)
		}
		if left < want-3*time.Second || left > want {
			t.Errorf("%v: ends in %v, want %v", told, left, want)
		}
	}
}

// An app authenticates as was agreed, with the code, the refresh token and whatever else.
func TestARegisteredAppAuthenticatesAsAgreed(t *testing.T) {
	for method, want := range map[string]string{
		"none":                "POST https://id.example.com/token | grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fdowel.example%2Fcallback&code_verifier=V&client_id=client",
		"client_secret_post":  "POST https://id.example.com/token | grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fdowel.example%2Fcallback&code_verifier=V&client_id=client&client_secret=CANARY-secret",
		"client_secret_basic": "POST https://id.example.com/token | Basic Y2xpZW50OkNBTkFSWS1zZWNyZXQ= | grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fdowel.example%2Fcallback&code_verifier=V",
		"":                    "POST https://id.example.com/token | Basic Y2xpZW50OkNBTkFSWS1zZWNyZXQ= | grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fdowel.example%2Fcallback&code_verifier=V",
	} {
		r, p := connect(t, registering, map[string]string{"POST https://id.example.com/token": `{"access_token":"CANARY-a"}`})
		r.App.Fields = auth.Values(map[string]string{auth.MethodField: method})
		m := methodOf(t, r)
		_, pending, err := m.Begin(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Complete(t.Context(), r, pending, auth.Answer{Query: map[string][]string{"code": {"c"}}}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Replace(p.requests()[0], pending.Verifier, "V", 1); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", method, got, want)
		}
	}
}

// An app that an operator has added authenticates in a way that the server takes.
func TestAnAddedAppAuthenticatesAsTheServerTakesIt(t *testing.T) {
	for takes, inBody := range map[string]bool{
		"": false, "client_secret_basic": false, "client_secret_post": true, "client_secret_post client_secret_basic": false, "private_key_jwt client_secret_post": true,
	} {
		r, p := connect(t, registering, map[string]string{"POST https://id.example.com/token": `{"access_token":"CANARY-a"}`})
		r.Discovered = map[string]string{"token_endpoint_auth_methods_supported": takes}
		m := methodOf(t, r)
		_, pending, err := m.Begin(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Complete(t.Context(), r, pending, auth.Answer{Query: map[string][]string{"code": {"c"}}}); err != nil {
			t.Fatal(err)
		}
		if got := p.requests()[0]; strings.Contains(got, "client_secret=CANARY-secret") != inBody || strings.Contains(got, "Basic ") == inBody {
			t.Errorf("%s: sent %s", takes, got)
		}
	}
}

func TestAServerWithoutRegistrationWantsAnOperator(t *testing.T) {
	r, p := connect(t, strings.Replace(byIssuer, "authorize: {}", "registration: {mode: dynamic}\n    authorize: {}", 1), nil)
	r.Discovered = map[string]string{"hosts": "id.example.com"}
	_, err := auth.Register(t.Context(), r, "Dowel")
	if f := fault.As(err); f == nil || f.Kind != fault.Misconfigured || f.Code != "app-missing" || len(p.requests()) != 0 {
		t.Errorf("Register: %v", err)
	}
}
