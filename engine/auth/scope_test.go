package auth

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
)

const scoped = `
id: acme
name: Acme
inputs:
  role: {label: Role}
hosts: [x.example.com]
auth:
  - id: o
    kind: oauth2_authorization_code
    authorize: {url: https://x.example.com/a, params: {state_note: "${inputs.role}"}}
    SCOPES
    pkce: optional
    token: {url: https://x.example.com/t, client_auth: body}
`

func TestScopesAskedFor(t *testing.T) {
	const one = `scopes: {separator: "|", default: [a, "session:${inputs.role}"], required: [must]}`
	const two = `scope_groups: {bot: {default: [a], required: [must]}, user: {parameter: user_scope, separator: ",", default: [x, y]}}`
	for _, tt := range []struct {
		name, block   string
		app           []string
		want          []pair
		all, required []string
	}{
		{"defaults", one, nil, []pair{{"scope", "a|session:boss|must"}}, []string{"a", "session:boss", "must"}, []string{"must"}},
		{"the app's own", one, []string{"b"}, []pair{{"scope", "b|must"}}, []string{"b", "must"}, []string{"must"}},
		{"the app's own with the required", one, []string{"must", "b"}, []pair{{"scope", "must|b"}}, []string{"must", "b"}, []string{"must"}},
		{"groups", two, []string{"b"}, []pair{{"scope", "a must"}, {"user_scope", "x,y"}}, []string{"a", "must", "x", "y"}, []string{"must"}},
		{"none", "", nil, nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := requestFor(t, strings.Replace(scoped, "SCOPES", tt.block, 1))
			r.Inputs["role"], r.App.Scopes = "boss", append(make([]string, 0, 9), tt.app...)
			got, err := r.scopeParams(r.env(nil))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(pair{})); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
			if own := r.App.Scopes[:9]; slices.Contains(own[len(tt.app):], "must") {
				t.Error("the app's own list was written into")
			}
			if diff := cmp.Diff(tt.all, r.requestedScopes()); diff != "" {
				t.Errorf("requested (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.required, r.RequiredScopes()); diff != "" {
				t.Errorf("required (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatAPersonEntersStaysOneParameter(t *testing.T) {
	client, err := egress.NewClient(egress.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r := requestFor(t, strings.Replace(scoped, "SCOPES", "", 1))
	r.App.ClientID, r.Outlet = "client", &Outlet{Client: client}
	r.Inputs["role"] = "x&client_id=evil#\r\nHost: evil ${app.client_secret}"
	step, p, err := AuthorizationCode().Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	q, err := url.ParseQuery(step.(Redirect).URL.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	if q.Get("state_note") != r.Inputs["role"] || q.Get("client_id") != "client" || len(q["client_id"]) != 1 || q.Get("state") != p.State {
		t.Errorf("query %v", q)
	}
	r.Connector.Hosts = []definition.Template{{Source: "elsewhere.example.com"}}
	if _, _, err := AuthorizationCode().Begin(t.Context(), r); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a host that is not declared: %v, want kind forbidden", err)
	}
}
