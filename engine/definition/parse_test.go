package definition

import (
	"slices"
	"testing"
)

const zendesk = `
id: zendesk
name: Zendesk
inputs:
  subdomain: {label: Zendesk subdomain, prefix: "https://", suffix: .zendesk.com, pattern: "[a-z0-9][a-z0-9-]*", example: acme}
hosts: ["*.zendesk.com"]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "https://${inputs.subdomain}.zendesk.com/oauth/authorizations/new"}
    token: {url: "https://${inputs.subdomain}.zendesk.com/oauth/tokens", client_auth: body, format: json}
    scopes: {default: [read]}
    pkce: optional
  - id: api_token
    kind: basic
    fields:
      email: {label: E-mail, format: email}
      api_token: {label: API token, type: password}
    username: "${fields.email}/token"
    password: "${fields.api_token}"
api: {base_url: "https://${inputs.subdomain}.zendesk.com/api/v2"}
test: {get: /users/me.json, success: response.body.user.id != nil}
identity: {from: test, subject: response.body.user.id, email: response.body.user.email}
`

func TestParseCompilesEveryFormula(t *testing.T) {
	c, findings := Parse("zendesk.yaml", []byte(zendesk))
	if HasErrors(findings) || c == nil {
		t.Fatalf("findings: %v", findings)
	}
	env := Env{"inputs": map[string]any{"subdomain": "acme"}, "fields": map[string]any{"email": "a@b.c"}}
	u, err := c.Method("oauth").Authorize.URL.FillURL(env)
	if err != nil || u.String() != "https://acme.zendesk.com/oauth/authorizations/new" {
		t.Fatalf("FillURL = %v, %v", u, err)
	}
	name, err := c.Method("api_token").Username.Fill(env)
	if err != nil || name != "a@b.c/token" {
		t.Fatalf("Fill = %q, %v", name, err)
	}
}

func TestAMissingMemberIsNil(t *testing.T) {
	c, findings := Parse("zendesk.yaml", []byte(zendesk))
	if c == nil {
		t.Fatal(findings)
	}
	for _, body := range []any{nil, map[string]any{}, map[string]any{"user": nil}, "text", []any{}} {
		env := Env{"response": map[string]any{"status": 200, "body": body}}
		if c.Test[0].Success.Is(env) {
			t.Errorf("success of %v", body)
		}
		if got := c.Identity.Subject.Text(env); got != "" {
			t.Errorf("subject of %v = %q", body, got)
		}
	}
	env := Env{"response": map[string]any{"status": 200, "body": map[string]any{"user": map[string]any{"id": 12345678901.0}}}}
	if !c.Test[0].Success.Is(env) || c.Identity.Subject.Text(env) != "12345678901" {
		t.Errorf("subject = %q", c.Identity.Subject.Text(env))
	}
}

func TestFillURLKeepsValuesInTheirPlace(t *testing.T) {
	bad := []string{"evil.com/", "evil.com#", "a@evil.com", "evil.com?x", "a b", "", "..", "a\\b", "a%2eb", "evil.com:443@x"}
	c, _ := Parse("zendesk.yaml", []byte(zendesk))
	for _, v := range bad {
		if u, err := c.Method("oauth").Authorize.URL.FillURL(Env{"inputs": map[string]any{"subdomain": v}}); err == nil {
			t.Errorf("FillURL with %q = %v", v, u)
		}
	}
}

func TestUnknownNamesAndSecretsAreFindings(t *testing.T) {
	tests := []struct{ name, auth, want string }{
		{"unknown input", `authorize: {url: "https://${inputs.nope}.x.com/a"}`, "unknown-name"},
		{"client secret in the browser", `authorize: {url: "https://x.com/a", params: {s: "${app.client_secret}"}}`, "secret-in-the-open"},
		{"secret field in the browser", `authorize: {url: "https://x.com/a", params: {s: "${fields.key}"}}`, "secret-in-the-open"},
		{"unknown credential member", `authorize: {url: https://x.com/a, params: {s: "${credential.access_token}"}}`, "secret-in-the-open"},
		{"secrets as a whole", `authorize: {url: "https://x.com/a", params: {s: "${toJSON(fields)}"}}`, "formula"},
		{"secrets by a computed name", `authorize: {url: "https://x.com/a", params: {s: "${fields['k' + 'ey']}"}}`, "formula"},
		{"everything there is", `authorize: {url: "https://x.com/a", params: {s: "${toJSON($env)}"}}`, "formula"},
		{"unknown credential member", `authorize: {url: https://x.com/a}
    apply: {headers: {A: "${credential.nope}"}}`, "unknown-name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := "id: x\nname: X\nhosts: [x.com, \"*.x.com\"]\nauth:\n  - id: a\n    kind: oauth2_authorization_code\n    token: {url: https://x.com/t, client_auth: body}\n    fields: {key: {type: password}}\n    " + tt.auth + "\n"
			c, findings := Parse("x.yaml", []byte(src))
			findings = slices.DeleteFunc(findings, func(f Finding) bool { return f.Level == LevelWarning })
			if c != nil || len(findings) != 1 || findings[0].Rule != tt.want || findings[0].Line < 9 {
				t.Errorf("Parse: %v, findings %v; want one %s", c, findings, tt.want)
			}
		})
	}
}
