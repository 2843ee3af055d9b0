package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dowel/connectors"
	"dowel/engine/connection"
	"dowel/engine/simulator"
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
