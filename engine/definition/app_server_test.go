package definition_test

import (
	"cmp"
	"strings"
	"testing"

	"dowel/engine/definition"
)

// served is a definition with what differs: its hosts, its address, and how the client authenticates.
const served = `
id: acme
name: Acme
categories: [test]
inputs:
  typed: {label: Address, type: url}
  name: {label: Name, type: host}
  listed: {label: Region, type: select, options: [{value: eu.acme.com, label: EU}, {value: us.acme.com, label: US}], default: eu.acme.com}
  fixed: {label: Fixed, type: host, default: api.acme.com, hidden: true}
hosts: [api.acme.com, HOSTS]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    app_fields:
      domain: {label: Domain, type: host, required: false}
      key: {label: Key, type: password, required: false}
    authorize: {url: "https://api.acme.com/authorize"}
    scopes: {default: [read]}
    token: {url: "TOKEN", client_auth: AUTH, ANSWER}
    MORE
api: {base_url: "https://api.acme.com"}
test: {get: /me}
`

func TestWhoSaysWhereAnAppIsRegistered(t *testing.T) {
	const own = "https://api.acme.com/token"
	for _, tt := range []struct {
		name, hosts, token, auth, answer, more string
		want                                   string // the places, or empty
	}{
		{name: "an address", token: own},
		{name: "typed", token: "${inputs.typed}/token", want: "${inputs.typed}/token"},
		{name: "a typed host", token: "https://${inputs.name}/token", want: "https://${inputs.name}/token"},
		{name: "a typed part of the provider's domain", hosts: `"*.acme.com"`, token: "https://${inputs.name}.acme.com/token"},
		{name: "a typed part of anybody's domain", hosts: `"${inputs.name}.co.uk"`, token: "https://${inputs.name}.co.uk/token", want: "https://${inputs.name}.co.uk/token"},
		{name: "a typed part of a name", hosts: `"${inputs.name}acme.com"`, token: "https://${inputs.name}acme.com/token", want: "https://${inputs.name}acme.com/token"},
		{name: "one of a list", hosts: `"${inputs.listed}"`, token: "https://${inputs.listed}/token"},
		{name: "what cannot be changed", hosts: `"${inputs.fixed}"`, token: "https://${inputs.fixed}/token"},
		{name: "what the operator says", hosts: `"${app.domain}"`, token: "https://${app.domain}/token"},
		{name: "made of what is typed", hosts: `"${lower(inputs.name)}"`, token: "https://${lower(inputs.name)}/token", want: "https://${lower(inputs.name)}/token"},
		{name: "a public client", token: "${inputs.typed}/token", auth: "none"},
		{name: "a public client with a secret beside it", token: "${inputs.typed}/token", auth: "none", answer: `params: {key: "${app.key}"}`, want: "${inputs.typed}/token"},
		{name: "an assertion", token: "${inputs.typed}/token", auth: "private_key_jwt", want: "${inputs.typed}/token"},
		{name: "only the call", token: own, more: `api: {base_url: "${inputs.typed}"}`},
		{name: "a call with a secret of the app", token: own, more: `api: {base_url: "${inputs.typed}", headers: {X-Key: "${app.key}"}}`, want: "${inputs.typed}"},
		{name: "only giving back", token: own, more: `revoke: {post: "${inputs.typed}/revoke", auth: client}`, want: "${inputs.typed}/revoke"},
		{name: "giving back as the person", token: own, more: `revoke: {post: "${inputs.typed}/revoke", auth: credential}`},
		{name: "only renewing", token: own, more: `refresh: {url: "${inputs.typed}/renew"}`, want: "${inputs.typed}/renew"},
		{name: "told by an answer", token: own, answer: `answer: {capture: {at: response.body.at}}`, more: `revoke: {post: "${captured.at}/revoke", auth: client}`, want: "${inputs.typed} ${inputs.name}"},
		{name: "told by an answer of the provider's", hosts: `"*.acme.com"`, token: own, answer: `answer: {capture: {at: response.body.at}}`, more: `revoke: {post: "${captured.at}/revoke", auth: client}`},
		{name: "discovered from an address", hosts: `"${discovered.hosts}"`, token: "${discovered.token_endpoint}", more: `discovery: {issuer: "https://id.acme.com"}`},
		{name: "discovered from what is typed", hosts: `"${inputs.typed}", "${discovered.hosts}"`, token: "${discovered.token_endpoint}", more: `discovery: {issuer: "${inputs.typed}"}`, want: "issuer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source := strings.NewReplacer(
				"HOSTS", cmp.Or(tt.hosts, `"${inputs.typed}", "${inputs.name}"`), "TOKEN", tt.token, "AUTH", cmp.Or(tt.auth, "body"), "ANSWER", tt.answer, "MORE", tt.more,
			).Replace(served)
			c, findings := definition.Parse("acme.yaml", []byte(source))
			if c == nil {
				t.Fatalf("%v\n%s", findings, source)
			}
			p := c.Method("oauth").AppPlaces()
			var got []string
			if p.Issuer {
				got = append(got, "issuer")
			}
			for _, a := range append(p.Addresses, p.Hosts...) {
				got = append(got, a.Source)
			}
			if strings.Join(got, " ") != tt.want || c.AppsByServer("oauth") != (tt.want != "") {
				t.Errorf("%v, want %q", got, tt.want)
			}
		})
	}
}
