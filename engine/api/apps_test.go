package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"dowel/engine"
	"dowel/engine/access"
	"dowel/engine/definition"
	"dowel/engine/secret"
	"dowel/engine/simulator"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
	"dowel/ui"
)

const signing = `
id: signing
name: Signing
hosts: [signing.example]
auth:
  - id: robot
    kind: oauth2_jwt_bearer
    app_secret: none
    app_fields:
      team: {label: Team, pattern: "[A-Z0-9]{10}", example: A1B2C3D4E5}
      key: {label: Signing key, type: textarea, format: key}
      note: {label: Note, required: false}
    assertion: {alg: ES256, key: "${app.key}", kid: "${app.team}", claims: {note: "${app.note}"}}
    token: {url: https://signing.example/token, client_auth: none}
  - id: key
    kind: api_key
    fields: {key: {type: password}}
    apply: {headers: {X-Key: "${fields.key}"}}
test: {get: https://signing.example/me}
`

// door is the API of a house with one connector.
type door struct {
	t     *testing.T
	app   *fiber.App
	store storage.Store
	key   string
}

func newDoor(t *testing.T, source string) *door {
	t.Helper()
	catalog, findings, err := definition.Load(fstest.MapFS{"signing.yaml": {Data: []byte(source)}})
	if err != nil || definition.HasErrors(findings) {
		t.Fatal(err, findings)
	}
	store, err := sqlite.OpenMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pages, err := ui.New()
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(t.Context(), engine.Options{
		Store: store, MasterKeys: []secret.MasterKey{secret.NewMasterKey()}, Catalog: catalog, UI: pages,
		PublicURL: "http://127.0.0.1:8080", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Source.Close(ctx)
		_ = store.Close()
	})
	if err := e.Identity.EnsureTenant(t.Context(), "acme", "Acme"); err != nil {
		t.Fatal(err)
	}
	var scopes []string
	for _, a := range access.Actions() {
		scopes = append(scopes, string(a))
	}
	d := &door{t: t, app: e.App(), store: store}
	d.key, _, err = e.Identity.CreateAPIKey(t.Context(), access.Principal{Kind: access.Operator, Tenant: "acme", ID: "olga"}, "test", scopes, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ask sends a request and returns the answer as JSON and as it is.
func (d *door) ask(method, path string, body any) (int, map[string]any, string) {
	d.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(d.t.Context(), method, "/api/v1"+path, bytes.NewReader(b))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.app.Test(req, -1)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	got := map[string]any{}
	if err := json.Unmarshal(text, &got); err != nil {
		d.t.Fatalf("%s %s: %s", method, path, text)
	}
	return resp.StatusCode, got, string(text)
}

type object = map[string]any

// newKey is a key whose text a test can look for.
func newKey(t *testing.T, alg string) string {
	t.Helper()
	key, err := simulator.NewKey(alg, "")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAnAppIsAskedWhatItsConnectorHasToKnow(t *testing.T) {
	d := newDoor(t, signing)
	key := newKey(t, "ES256")
	for _, tt := range []struct {
		name string
		body object
		want map[string]string // complaints
	}{
		{"nothing", object{"client_id": "c"}, map[string]string{"fields.team": "Team is required", "fields.key": "Signing key is required"}},
		{"a pattern", object{"client_id": "c", "fields": object{"team": "x", "key": key}}, map[string]string{"fields.team": "Team does not look right; an example: A1B2C3D4E5"}},
		{"no key", object{"client_id": "c", "fields": object{"team": "A1B2C3D4E5", "key": "CANARY"}}, map[string]string{
			"fields.key": "Signing key must be a private key in PEM form, which begins with -----BEGIN, or a JWK (a JSON object with kty)",
		}},
		{"another kind of key", object{"client_id": "c", "fields": object{"team": "A1B2C3D4E5", "key": newKey(t, "RS256")}}, map[string]string{
			"fields.key": "Signing key is an RSA key, and ES256 signs with an EC key on P-256",
		}},
		{"a field that is none", object{"client_id": "c", "fields": object{"team": "A1B2C3D4E5", "key": key, "color": "red"}}, map[string]string{
			"fields.color": "an app of Signing has no color here",
		}},
		{"a secret that it has not", object{"client_id": "c", "client_secret": "CANARY", "fields": object{"team": "A1B2C3D4E5", "key": key}}, map[string]string{
			"client_secret": "an app of Signing has no client secret here",
		}},
		{"no client id", object{"fields": object{"team": "A1B2C3D4E5", "key": key}}, map[string]string{"client_id": "the client id is required"}},
		{"a method without an app", object{"method": "key", "client_id": "c"}, map[string]string{"method": "Signing makes no use of an app here"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.body["connector"] = "signing"
			status, got, text := d.ask(http.MethodPost, "/apps", tt.body)
			complaints := map[string]string{}
			list, _ := got["errors"].([]any)
			for _, e := range list {
				m := e.(map[string]any)
				complaints[m["field"].(string)] = m["detail"].(string)
			}
			if diff := cmp.Diff(tt.want, complaints); diff != "" || status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
				t.Errorf("%d %s (-want +got):\n%s", status, text, diff)
			}
			if strings.Contains(text, "CANARY") || strings.Contains(text, "PRIVATE KEY") {
				t.Errorf("a secret is in %s", text)
			}
		})
	}
}

func TestAnAppsSecretsAreKeptSealedAndNeverShown(t *testing.T) {
	d := newDoor(t, signing)
	key := newKey(t, "ES256")
	inside := strings.Split(key, "\n")[1]
	status, app, text := d.ask(http.MethodPost, "/apps", object{
		"connector": "signing", "client_id": "c", "fields": object{"team": "A1B2C3D4E5", "key": key, "note": "hello"},
	})
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	id := app["id"].(string)
	check := func(what, text string) {
		t.Helper()
		if strings.Contains(text, inside) || strings.Contains(text, "PRIVATE KEY") {
			t.Errorf("%s shows the key: %s", what, text)
		}
	}
	check("creating", text)
	wantShown := func(what string, app object, fields object) {
		t.Helper()
		got := object{"fields": app["fields"], "secret_fields": app["secret_fields"], "has_secret": app["has_secret"], "client_id": app["client_id"]}
		want := object{"fields": fields, "secret_fields": []any{"key"}, "has_secret": false, "client_id": "c"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	wantShown("created", app, object{"team": "A1B2C3D4E5", "note": "hello"})
	_, list, text := d.ask(http.MethodGet, "/apps", nil)
	check("the list", text)
	wantShown("listed", list["apps"].([]any)[0].(map[string]any), object{"team": "A1B2C3D4E5", "note": "hello"})

	kept := func() storage.App {
		t.Helper()
		a, err := d.store.App(t.Context(), storage.Ref{Tenant: "acme", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		record, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		check("the record", string(record))
		return a
	}
	before := kept()
	_, app, text = d.ask(http.MethodPatch, "/apps/"+id, object{"fields": object{"team": "F6G7H8I9J0", "note": nil}})
	check("the change", text)
	wantShown("changed", app, object{"team": "F6G7H8I9J0"})
	status, app, _ = d.ask(http.MethodPatch, "/apps/"+id, object{"name": "Ours"})
	wantShown("renamed", app, object{"team": "F6G7H8I9J0"})
	if after := kept(); status != http.StatusOK || !bytes.Equal(kept().Secrets, after.Secrets) || len(before.Secrets) == 0 {
		t.Errorf("status %d; the secrets of an app that was renamed are others", status)
	}
	for name, body := range map[string]object{
		"an answer that must be there": {"fields": object{"key": nil}}, "a key that cannot sign": {"fields": object{"key": newKey(t, "EdDSA")}},
	} {
		if status, _, text := d.ask(http.MethodPatch, "/apps/"+id, body); status < 400 || !strings.Contains(text, "fields.key") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	wantShown("after refusals", func() object {
		_, l, _ := d.ask(http.MethodGet, "/apps", nil)
		return l["apps"].([]any)[0].(map[string]any)
	}(), object{"team": "F6G7H8I9J0"})
}

func TestAConnectorSaysWhatItsAppsAreAsked(t *testing.T) {
	d := newDoor(t, signing)
	_, k, _ := d.ask(http.MethodGet, "/connectors/signing", nil)
	methods := k["methods"].([]any)
	robot, key := methods[0].(map[string]any), methods[1].(map[string]any)
	var names []string
	for _, f := range robot["app_fields"].([]any) {
		m := f.(map[string]any)
		names = append(names, m["name"].(string))
		if (m["name"] == "key") != (m["secret"] == true) {
			t.Errorf("field %v", m)
		}
	}
	if diff := cmp.Diff([]string{"team", "key", "note"}, names); diff != "" || robot["needs_app"] != true || robot["app_secret"] != false {
		t.Errorf("robot %v (-want +got):\n%s", robot, diff)
	}
	if key["needs_app"] != false || len(key["app_fields"].([]any)) != 0 {
		t.Errorf("key %v", key)
	}
}
