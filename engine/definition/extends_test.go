package definition

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

const parentText = `id: parent
name: Parent
categories: [crm]
hosts: [api.example.com]
inputs:
  team: {label: Team, example: blue}
  place: {label: Place, example: north}
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "https://api.example.com/authorize", params: {prompt: consent, audience: api}}
    token: {url: "https://api.example.com/token", client_auth: body}
    scopes: {default: [read], separator: ","}
    revoke: {delete: "https://api.example.com/token", form: {token: "${credential.access_token}"}}
  - id: key
    kind: api_key
    fields: {key: {label: Key, type: password}}
    apply: {headers: {X-Key: "${fields.key}", X-Team: "${inputs.team}"}}
api: {base_url: "https://api.example.com"}
test: {get: "/me?place=${inputs.place}"}
identity: {from: test, subject: response.body.id}
`

func TestAnExtendingDefinitionSaysWhatItsParentDoesNot(t *testing.T) {
	tests := []struct {
		name, own string
		check     func(k *Connector) bool
	}{
		{"what is not said is inherited", ``, func(k *Connector) bool {
			return k.Name == "Child" && len(k.Auth) == 2 && len(k.Inputs) == 2 && k.Test[0].Method == "GET" && k.Categories[0] == "crm"
		}},
		{"what was written is kept beside it", ``, func(k *Connector) bool {
			return !strings.Contains(string(k.Written), "Team") && strings.Contains(string(k.Written), "extends: parent") && strings.Contains(string(k.Source), "Team")
		}},
		{"lists are replaced", `categories: [sales, e-mail]`, func(k *Connector) bool { return len(k.Categories) == 2 }},
		{"mappings are put together", "inputs: {place: {example: south}, floor: {label: Floor, example: ground}}\napi: {query: {floor: '${inputs.floor}'}}", func(k *Connector) bool {
			f, _ := k.Inputs.Named("place")
			return len(k.Inputs) == 3 && f.Label == "Place" && f.Example == "south"
		}},
		{"null takes away", "inputs: {place: null}\ntest: {get: /me}", func(k *Connector) bool { return len(k.Inputs) == 1 }},
		{"null in parameters says that it is not sent", `auth: [{id: oauth, authorize: {params: {prompt: null}}}]`, func(k *Connector) bool {
			ps := k.Auth[0].Authorize.Params
			return len(ps) == 2 && ps[0].Drop && !ps[1].Drop
		}},
		{"methods are found by their ids", `auth: [{id: key, label: Old key}, {id: token, kind: bearer}]`, func(k *Connector) bool {
			return len(k.Auth) == 3 && k.Auth[1].Label == "Old key" && k.Auth[1].Apply != nil && k.Auth[2].Kind == Bearer
		}},
		{"a method without a kind goes", `auth: [{id: key, kind: null}]`, func(k *Connector) bool {
			return len(k.Auth) == 1 && k.Auth[0].ID == "oauth"
		}},
		{"another kind inherits nothing", `auth: [{id: key, kind: bearer}]`, func(k *Connector) bool {
			return k.Auth[1].Kind == Bearer && k.Auth[1].Fields[0].Name == "token"
		}},
		{"another address takes the place of the first", `test: {post: /graphql, json: {query: "{me}"}}`, func(k *Connector) bool {
			return k.Test[0].Method == "POST" && k.Test[0].JSON != nil
		}},
		{"another body takes the place of the first", `auth: [{id: oauth, revoke: {json: {token: "${credential.access_token}"}}}]`, func(k *Connector) bool {
			return k.Auth[0].Revoke.Method == "DELETE" && k.Auth[0].Revoke.Form == nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := extending(t, tt.own)
			if !tt.check(k) {
				t.Errorf("the definition became\n%s", k.Source)
			}
			again, findings := Parse("child.yaml", k.Source)
			if again == nil || again.Version != k.Version {
				t.Errorf("what is kept does not stand for itself: %v\n%s", findings, k.Source)
			}
		})
	}
}

func extending(t *testing.T, own string) *Connector {
	t.Helper()
	k, findings := Parse("child.yaml", []byte("extends: parent\nid: child\nname: Child\n"+own+"\n"), In(family("parent", parentText)))
	if k == nil {
		t.Fatal(findings)
	}
	return k
}

func family(idAndText ...string) fs.FS {
	dir := fstest.MapFS{}
	for i := 0; i+1 < len(idAndText); i += 2 {
		dir[idAndText[i]+".yaml"] = &fstest.MapFile{Data: []byte(idAndText[i+1])}
	}
	return dir
}

func TestTheVersionChangesWithTheParent(t *testing.T) {
	before := extending(t, "")
	other := strings.Replace(parentText, "/authorize", "/oauth/authorize", 1)
	after, findings := Parse("child.yaml", []byte("extends: parent\nid: child\nname: Child\n"), In(family("parent", other)))
	if after == nil || after.Version == before.Version {
		t.Errorf("the version is still %s; %v", before.Version, findings)
	}
}

func TestWhatCannotBeExtendedIsSaidWhereItIsNamed(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"itself", "extends: child\nid: child\nname: Child\n", `child.yaml:1:10: extends: "child" extends itself`},
		{"a circle", "extends: one\nid: child\nname: Child\n", `child.yaml:1:10: extends: "child" extends itself`},
		{"a broken one", "extends: broken\nid: child\nname: Child\n", "broken.yaml has errors of its own"},
		{"one outside", "extends: ../parent\nid: child\nname: Child\n", "there is no definition"},
		{"a mistake in what is inherited", "extends: parent\nid: child\nname: Child\nhosts: [other.example.com]\n", `child.yaml:1:10: host-not-declared: api.example.com`},
	}
	dir := family("parent", parentText, "one", "extends: child\nid: one\n", "broken", "id: [")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, findings := Parse("child.yaml", []byte(tt.text), In(dir))
			var all []string
			for _, f := range findings {
				all = append(all, f.String())
			}
			if k != nil || !strings.Contains(strings.Join(all, "\n"), tt.want) {
				t.Errorf("findings %q, want %q", all, tt.want)
			}
		})
	}
}
