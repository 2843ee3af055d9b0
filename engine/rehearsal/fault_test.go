package rehearsal_test

import (
	"strings"
	"testing"

	"dowel/engine/definition"
	"dowel/engine/rehearsal"
)

// sound is a definition in which each case spoils one line.
const sound = `
id: acme
name: Acme
hosts: [acme.example]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: https://acme.example/authorize}
    scopes: {default: [read]}
    token:
      url: https://acme.example/token
      client_auth: body
      error: response.body.error
    refresh: {grant: refresh_token, rotation: always}
    revoke: {post: https://acme.example/revoke, form: {token: "${credential.refresh_token}"}, auth: client, client_auth: header}
test: {get: https://acme.example/me}
identity: {from: test, subject: response.body.id, email: response.body.mail}
`

func TestADefinitionThatDoesNotDoWhatItIsForFailsAtTheStepThatShowsIt(t *testing.T) {
	tests := []struct {
		name, line, instead string
		wantStep, wantText  string
	}{
		{name: "nothing"},
		{
			"an error that nobody can tell from another", "error: response.body.error", `error: '"oops"'`,
			"replay", "errors.dead_grant",
		},
		{
			"a revocation that names no token", `form: {token: "${credential.refresh_token}"}`, "form: {hint: any}",
			"revoke", "accepts the credential although",
		},
		{
			"an account that is never accepted", "mail}", `mail, reject_when: response.status == 200}`,
			"connect", "not connected",
		},
		{
			"an e-mail address that is nowhere", "email: response.body.mail", `email: "response.status == 418 ? response.body.mail : nil"`,
			"identity", "identity.email",
		},
		{
			"scopes that are read wrongly", "default: [read]", `default: [read], granted: '["write"]'`,
			"connect", "missing-scopes",
		},
		{
			"a refresh token that is looked for in the wrong place", "error: response.body.error", `answer: {refresh_token: "response.status == 201 ? response.body.rt : nil"}`,
			"refresh", "nothing to renew with",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(sound, tt.line) {
				t.Fatalf("the definition has no %q", tt.line)
			}
			source := sound
			if tt.line != "" {
				source = strings.Replace(sound, tt.line, tt.instead, 1)
			}
			k, findings := definition.Parse("acme.yaml", []byte(source))
			if k == nil {
				t.Fatal(findings)
			}
			results, err := rehearsal.Run(t.Context(), k)
			if err != nil || len(results) != 1 {
				t.Fatal(results, err)
			}
			r := results[0]
			if r.Step != tt.wantStep || r.Err != nil && !strings.Contains(r.Err.Error(), tt.wantText) {
				t.Errorf("%v; want it to fail at %q with %q", r, tt.wantStep, tt.wantText)
			}
		})
	}
}
