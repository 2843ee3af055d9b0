package vault

import (
	"strings"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

func TestTheAppOfAMethodComesBeforeTheAppForAny(t *testing.T) {
	v, m, c := newVault(t, plain)
	r := auth.Request{Connector: c, Auth: c.Method("oauth")}
	if _, err := v.AppFor(t.Context(), "t1", r); fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("without an app: %v", err)
	}
	for _, step := range []struct{ id, method, want string }{
		{"other", "another_method", ""}, {"any", "", "any"}, {"own", "oauth", "own"},
	} {
		app(t, v, m, step.id, step.method)
		if got, _ := v.AppFor(t.Context(), "t1", r); got.ID != step.want {
			t.Errorf("with %s: %q, want %q", step.id, got.ID, step.want)
		}
	}
	if _, err := v.AppFor(t.Context(), "t2", r); err == nil {
		t.Error("another tenant's app is found")
	}
}

func TestTheAppOfAnEnvironmentComesBeforeTheAppForAll(t *testing.T) {
	v, m, c := newVault(t, plain)
	find := func(environment string) string {
		r := auth.Request{Connector: c, Auth: c.Method("oauth"), Inputs: map[string]string{definition.EnvironmentInput: environment}}
		a, _ := v.AppFor(t.Context(), "t1", r)
		return a.ID
	}
	for _, step := range []struct{ id, environment, inSandbox, elsewhere string }{
		{"sandbox", "sandbox", "sandbox", ""}, {"all", "", "sandbox", "all"},
	} {
		app(t, v, m, step.id, "")
		m.apps[len(m.apps)-1].Environment = step.environment
		if got := find("sandbox"); got != step.inSandbox {
			t.Errorf("with %s: in the sandbox %q, want %q", step.id, got, step.inSandbox)
		}
		if got := find("production"); got != step.elsewhere {
			t.Errorf("with %s: in production %q, want %q", step.id, got, step.elsewhere)
		}
	}
}

// typed is a provider that people run themselves: the same software, at whatever address somebody types.
const typed = `
id: acme
name: Acme
categories: [test]
inputs: {base_url: {label: Address, type: url}}
hosts: ["${inputs.base_url}"]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    fields: {realm: {label: Realm}}
    authorize: {url: "${inputs.base_url}/authorize"}
    scopes: {default: [read]}
    token: {url: "${inputs.base_url}/${fields.realm}/token", client_auth: body}
test: {get: "${inputs.base_url}/me"}
`

func TestAnAppIsUsedAtItsServerAlone(t *testing.T) {
	for _, tt := range []struct {
		name, at, want string
		apps           map[string]string // the server each says, by id
	}{
		{"its own", "https://git.acme.example", "a", map[string]string{"a": "https://git.acme.example"}},
		{"written otherwise", "https://GIT.acme.example:443", "a", map[string]string{"a": "https://git.acme.example/"}},
		{"another", "https://evil.example", "", map[string]string{"a": "https://git.acme.example"}},
		{"another port", "https://git.acme.example:8443", "", map[string]string{"a": "https://git.acme.example"}},
		{"a name that begins alike", "https://git.acme.example.evil.example", "", map[string]string{"a": "https://git.acme.example"}},
		{"a name that ends alike", "https://evilgit.acme.example", "", map[string]string{"a": "https://git.acme.example"}},
		{"without a server", "https://git.acme.example", "", map[string]string{"a": ""}},
		{"any", "https://evil.example", "a", map[string]string{"a": "*"}},
		{"its own before any", "https://git.acme.example", "b", map[string]string{"a": "*", "b": "https://git.acme.example", "c": "*"}},
		{"any where its own is another", "https://else.example", "a", map[string]string{"a": "*", "b": "https://git.acme.example"}},
		{"below a path", "https://acme.example/git", "a", map[string]string{"a": "https://acme.example/git"}},
		{"beside a path", "https://acme.example/evil", "", map[string]string{"a": "https://acme.example/git"}},
		{"a path that begins alike", "https://acme.example/github", "", map[string]string{"a": "https://acme.example/git"}},
		{"out of a path", "https://acme.example/git/../evil", "", map[string]string{"a": "https://acme.example/git"}},
		{"the nearest", "https://acme.example/git", "b", map[string]string{"a": "https://acme.example", "b": "https://acme.example/git/main", "c": "*"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, m, c := newVault(t, typed)
			for _, id := range []string{"a", "b", "c"} {
				if server, ok := tt.apps[id]; ok {
					app(t, v, m, id, "")
					m.apps[len(m.apps)-1].Issuer = server
				}
			}
			r := auth.Request{
				Connector: c, Auth: c.Method("oauth"), Inputs: map[string]string{"base_url": tt.at},
				Fields: map[string]secret.Value{"realm": secret.New("main")},
			}
			got, err := v.AppFor(t.Context(), "t1", r)
			if got.ID != tt.want {
				t.Errorf("%q, want %q: %v", got.ID, tt.want, err)
			}
			host := strings.Split(strings.TrimPrefix(tt.at, "https://"), "/")[0]
			if f := fault.As(err); tt.want == "" && (f == nil || f.Kind != fault.Misconfigured || f.Code != "app-missing" || f.Public != "there is no app for "+host+": an operator has to add it") {
				t.Errorf("without one: %v", err)
			}
		})
	}
}

// The server comes before the method and the environment: an app for these alone has its secret elsewhere.
func TestTheServerOfAnAppComesBeforeWhatElseItIsFor(t *testing.T) {
	v, m, c := newVault(t, typed)
	for _, a := range []struct{ id, method, server string }{
		{"any-method", "", "https://git.acme.example"}, {"elsewhere", "oauth", "https://other.acme.example"}, {"anywhere", "oauth", "*"},
	} {
		app(t, v, m, a.id, a.method)
		m.apps[len(m.apps)-1].Issuer = a.server
	}
	r := auth.Request{Connector: c, Auth: c.Method("oauth"), Inputs: map[string]string{"base_url": "https://git.acme.example"}, Fields: map[string]secret.Value{"realm": secret.New("main")}}
	if got, err := v.AppFor(t.Context(), "t1", r); got.ID != "any-method" {
		t.Errorf("%q, %v", got.ID, err)
	}
}

// A connection that is older than the rule, or whose app has been moved, does not go on with it.
func TestAnAppIsCheckedWhenItIsUsedAgain(t *testing.T) {
	_, _, c := newVault(t, typed)
	r := auth.Request{Connector: c, Auth: c.Method("oauth"), Inputs: map[string]string{"base_url": "https://git.acme.example"}, Fields: map[string]secret.Value{"realm": secret.New("main")}}
	for server, ok := range map[string]bool{"https://git.acme.example": true, "*": true, "": false, "https://other.acme.example": false} {
		r.App = auth.App{ID: "app_1", Server: server}
		err := r.CheckApp()
		if f := fault.As(err); ok != (err == nil) || !ok && (f == nil || f.Code != "app-missing") {
			t.Errorf("registered at %q: %v", server, err)
		}
	}
	r.App = auth.App{ClientID: "brought"}
	if err := r.CheckApp(); err != nil {
		t.Errorf("a client that the person brings: %v", err)
	}
}
