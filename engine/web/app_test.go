package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dowel/connectors"
	"dowel/engine/connection"
	"dowel/engine/identity"
	"dowel/engine/simulator"
	"dowel/engine/storage"
	"dowel/ui"
)

// appNamed is the operator's app with this name.
func (h *house) appNamed(connector, name string) connection.AppView {
	h.t.Helper()
	apps, err := h.engine.Connections.Apps(h.t.Context(), h.operator, connector)
	h.must(err)
	i := slices.IndexFunc(apps, func(a connection.AppView) bool { return a.Name == name })
	if i < 0 {
		h.t.Fatalf("no app %s in %+v", name, apps)
	}
	return apps[i]
}

// What proves who an app is goes to the server that the app is registered at, and to no other.
func TestAnOperatorNamesTheServerOfAnApp(t *testing.T) {
	source, err := connectors.FS.ReadFile("oidc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouseWith(t, map[string]string{"oidc": string(source)})
	op, at := h.signIn(), "/console/connectors/oidc"
	op.get(at).want(http.StatusOK, `name="issuer"`)
	answers := func(issuer string) url.Values {
		return url.Values{"name": {"Ours"}, "client_id": {"ours"}, "client_secret": {canary}, "issuer": {issuer}}
	}
	op.press(at, at+"/apps", answers("")).want(http.StatusUnprocessableEntity, "Say at which server", "Ours")
	for _, wrong := range []string{"id.example.com", "http://id.example.com", "https://", "https://id.example.com?a=b", "https://id.example.com#a"} {
		op.press(at, at+"/apps", answers(wrong)).want(http.StatusUnprocessableEntity, "must be the address of a server", `value="`+wrong+`"`)
	}
	op.follow(op.press(at, at+"/apps", answers(" https://id.example.com/ "))).want(http.StatusOK, "https://id.example.com/")
	if a := h.appNamed("oidc", "Ours"); a.Issuer != "https://id.example.com/" {
		t.Errorf("the app is %+v", a)
	}
	if strings.Contains(op.get("/console/connectors/github").want(http.StatusOK).body, `name="issuer"`) {
		t.Error("GitHub is one server, and it is asked which")
	}
	id, text := "ours", "https://id.example.com"
	_, err = h.engine.Connections.CreateApp(t.Context(), h.operator, connection.AppInput{Connector: "github", ClientID: &id, Issuer: text})
	if err == nil || !strings.Contains(err.Error(), "needs no naming") {
		t.Errorf("an app of GitHub at another server: %v", err)
	}
}

// An app that is older than the rule is used nowhere until somebody says where it is registered.
func TestAnAppWithoutAServerIsAskedFor(t *testing.T) {
	source, err := connectors.FS.ReadFile("gitlab.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouseWith(t, map[string]string{"gitlab": string(source)})
	a := h.appNamed("gitlab", "GitLab")
	if _, err := h.store.UpdateApp(t.Context(), storage.Ref{Tenant: "acme", ID: a.ID}, func(a *storage.App) error { a.Issuer = ""; return nil }); err != nil {
		t.Fatal(err)
	}
	op, at := h.signIn(), "/console/connectors/gitlab"
	op.get(at).want(http.StatusOK, "so it is not used", a.ID+"-issuer")
	connect := func() page {
		path := h.session(identity.SessionInput{Connectors: []string{"gitlab"}})
		return h.browser().start(path, "gitlab", map[string]string{"base_url": "https://evil.example"})
	}
	connect().want(http.StatusUnprocessableEntity, "There is no app for evil.example: an operator has to add it.", "not set up for this address", "Try again")
	change := "/console/apps/" + a.ID + "/secret"
	op.press(at, change, url.Values{"issuer": {""}}).want(http.StatusBadRequest)
	op.press(at, change, url.Values{"issuer": {"gitlab.com"}}).want(http.StatusUnprocessableEntity, "must be the address of a server", `value="gitlab.com"`)
	op.follow(op.press(at, change, url.Values{"issuer": {"https://gitlab.com"}})).want(http.StatusOK, "<code>https://gitlab.com</code>")
	connect().want(http.StatusUnprocessableEntity, "There is no app for evil.example")
	op.follow(op.press(at, change, url.Values{"issuer": {"*"}})).want(http.StatusOK, "Any that a person types")
	connect().want(http.StatusOK, "evil.example/oauth/authorize")
	if a := h.appNamed("gitlab", "GitLab"); a.Issuer != "*" || !a.HasSecret {
		t.Errorf("the app is %+v", a)
	}
}

// An app may have more than an id and a secret: Apple has a key instead.
func TestAnOperatorKeepsAnAppWithAKey(t *testing.T) {
	source, err := connectors.FS.ReadFile("apple.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouseWith(t, map[string]string{"apple": string(source)})
	k, err := h.catalog.Current(t.Context(), "acme", "apple")
	h.must(err)
	key, err := simulator.Issue(k.Auth[0])
	h.must(err)
	op, at := h.signIn(), "/console/connectors/apple"
	page := op.get(at).want(http.StatusOK, "Team ID", "Key ID", "Private key (.p8)", "<textarea")
	if strings.Contains(page.body, `name="client_secret"`) {
		t.Error("Apple gives out no client secret, and one is asked for")
	}
	answers := func(team, key string) url.Values {
		return url.Values{
			"name": {"Ours"}, "client_id": {"com.example.ours"},
			ui.FieldPrefix + "team_id": {team}, ui.FieldPrefix + "key_id": {"F6G7H8I9J0"}, ui.FieldPrefix + "private_key": {key},
		}
	}
	wrong := op.press(at, at+"/apps", answers("team", canary)).want(http.StatusUnprocessableEntity, "Ours", "com.example.ours", "F6G7H8I9J0", "must be a private key in PEM form")
	if strings.Contains(wrong.body, canary) {
		t.Error("the page shows what was given as a key")
	}
	made := op.follow(op.press(at, at+"/apps", answers("A1B2C3D4E5", key))).want(http.StatusOK, "com.example.ours", "A1B2C3D4E5")
	if strings.Contains(made.body, "PRIVATE KEY-----") {
		t.Error("the page shows the key")
	}

	change := "/console/apps/" + h.appNamed("apple", "Ours").ID + "/secret"
	op.press(at, change, url.Values{ui.FieldPrefix + "team_id": {"A1B2C3D4E5"}, ui.FieldPrefix + "key_id": {"F6G7H8I9J0"}, ui.FieldPrefix + "private_key": {"-----BEGIN"}}).
		want(http.StatusUnprocessableEntity, "cut off or damaged")
	op.follow(op.press(at, change, url.Values{ui.FieldPrefix + "team_id": {"ZZZZZZZZZZ"}, ui.FieldPrefix + "key_id": {"F6G7H8I9J0"}, ui.FieldPrefix + "private_key": {""}})).
		want(http.StatusOK, "ZZZZZZZZZZ")
	if a := h.appNamed("apple", "Ours"); a.Fields["team_id"] != "ZZZZZZZZZZ" || len(a.SecretFields) != 1 {
		t.Errorf("the app is %+v", a)
	}
	if strings.Contains(h.logs.String(), "PRIVATE KEY") || strings.Contains(h.logs.String(), canary) {
		t.Error("the log holds a key")
	}
}
