package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// installed is a method whose key opens every installation, so that the number of one that the browser
// brings has to belong to the person.
const installed = `
id: acme
name: Acme
hosts: [provider.test]
auth:
  - id: app
    kind: oauth2_jwt_bearer
    fields: {installation_id: {label: Installation, pattern: "[0-9]+"}}
    app_fields: {private_key: {label: Key, type: textarea, format: key}}
    authorize: {url: https://provider.test/apps/acme/install, names: {client_id: null, redirect_uri: null}}
    callback:
      required: [code]
      fields: {installation_id: callback.query.installation_id}
      confirm:
        - id: login
          request:
            post: https://provider.test/user_token
            form: {client_id: "${app.client_id}", client_secret: "${app.client_secret}", code: "${callback.query.code}"}
            success: response.body.access_token != nil
        - id: installations
          request:
            get: https://provider.test/installations
            headers: {Authorization: "Bearer ${steps.login.body.access_token}"}
            success: any(response.body.installations, string(.id) == fields.installation_id)
            capture: {owner: response.body.owner}
    assertion: {alg: ES256, key: "${app.private_key}", lifetime: 5m}
    token:
      url: "https://provider.test/installations/${fields.installation_id}/token"
      client_auth: none
test: {get: "https://provider.test/${captured.owner}"}
identity: none
`

func TestCallbackIsConfirmed(t *testing.T) {
	const (
		login = "POST https://provider.test/user_token"
		list  = "GET https://provider.test/installations"
		token = "POST https://provider.test/installations/7/token"
	)
	for _, tt := range []struct {
		name         string
		query        string
		answers      map[string]string // over those of a provider that agrees
		asked        []string
		kind         fault.Kind
		code, opened string
	}{
		{name: "it is theirs", query: "code=CANARY-code&installation_id=7", asked: []string{login, list, token}, opened: "acme"},
		{name: "it is another's", query: "code=CANARY-code&installation_id=8", asked: []string{login, list}, kind: fault.Refused, code: "callback-unconfirmed"},
		{name: "a code that is not good", query: "code=CANARY-code&installation_id=7", answers: map[string]string{login: `{"error":"bad_code CANARY-code"}`}, asked: []string{login}, kind: fault.Refused, code: "callback-unconfirmed"},
		{name: "a person who may not ask", query: "code=CANARY-code&installation_id=7", answers: map[string]string{list: `401 {}`}, asked: []string{login, list}, kind: fault.Refused, code: "callback-unconfirmed"},
		{name: "nobody to ask", query: "code=CANARY-code&installation_id=7", answers: map[string]string{list: `503 {}`}, asked: []string{login, list}, kind: fault.Unavailable},
		{name: "no code", query: "installation_id=7", kind: fault.Refused, code: "callback-incomplete"},
		{name: "no number", query: "code=CANARY-code&installation_id=7/../8", kind: fault.Refused, code: "callback-incomplete"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answers := map[string]string{
				login: object("access_token", "CANARY-user"), list: `{"owner":"acme","installations":[{"id":6},{"id":7}]}`,
				token: object("access_token", "CANARY-app"),
			}
			for at, answer := range tt.answers {
				answers[at] = answer
			}
			r, p := connect(t, installed, answers)
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			r.App.Fields = map[string]secret.Value{"private_key": secret.New(sec1(t, key))}
			step, pending, err := auth.JWTBearer().Begin(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			away, ok := step.(auth.Redirect)
			if !ok || p.requests() != nil {
				t.Fatalf("the first step is %T, want the browser sent away and nothing asked", step)
			}
			q, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			q.Set("state", away.URL.Query().Get("state"))
			step, err = auth.JWTBearer().Complete(t.Context(), r, pending, auth.Answer{Query: q})
			var asked []string
			for _, line := range p.requests() {
				where, _, _ := strings.Cut(line, " | ")
				asked = append(asked, where)
			}
			if diff := cmp.Diff(tt.asked, asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if tt.opened != "" {
				done, ok := step.(auth.Done)
				if err != nil || !ok || done.Captured["owner"] != tt.opened || done.Credential.Fields["installation_id"].Reveal() != "7" {
					t.Errorf("%+v, %v; want it connected, with what the provider has told", step, err)
				}
				return
			}
			if f := fault.As(err); f == nil || f.Kind != tt.kind || f.Code != tt.code {
				t.Errorf("%v, want %s, %q", err, tt.kind, tt.code)
			}
			if err != nil && strings.Contains(err.Error(), "CANARY") {
				t.Errorf("a secret stands in %q", err)
			}
		})
	}
}
