package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"dowel/engine"
	"dowel/engine/access"
	"dowel/engine/api"
	"dowel/engine/audit"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/identity"
	"dowel/engine/secret"
	"dowel/engine/simulator"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
	"dowel/ui"
)

// scenario is one request and all that is to come of it, for every sort of caller: who may gets the
// answer, and everybody else is refused and changes nothing.
type scenario struct {
	name   string
	method string
	path   string // with {robot}, {keyed}, {app}, {unused}, {key}, {session} for the ids of what there is
	body   any    // a string is sent as it is, as kind says, and may hold such names too
	kind   string // media type; empty: JSON
	scope  access.Action
	given  func(h *house) // makes the state that the scenario is about

	status     int
	problem    string         // the type of the problem, without its prefix
	code       string         // its code
	fix        string         // what its fix says, in part
	retry      bool           // it says when to come again
	complaints []string       // the fields it names
	holds      map[string]any // values in the answer, by path
	lacks      []string       // what the answer does not hold
	events     []audit.Kind   // what the tenant's log has after it and had not before, in any order
	stranger   int            // the status for another tenant's key; zero: the same
}

// The connectors of a house: one whose tokens are renewed without anybody, one with a typed key, one that
// needs a person, and one whose server the person types.
var definitions = fstest.MapFS{
	"robot.yaml": {Data: []byte(`
id: robot
name: Robot
hosts: [robot.example]
auth:
  - id: machine
    kind: oauth2_client_credentials
    token: {url: "https://robot.example/token", client_auth: body}
    scopes: {default: [read]}
    revoke: {url: "https://robot.example/revoke"}
api: {base_url: "https://robot.example/api"}
test: {get: /me}
`)},
	"keyed.yaml": {Data: []byte(`
id: keyed
name: Keyed
hosts: [keyed.example]
auth:
  - id: key
    kind: api_key
    fields: {key: {label: API key, type: password}}
    apply: {headers: {X-Key: "${fields.key}"}}
api: {base_url: "https://keyed.example"}
test: {get: /me}
`)},
	"person.yaml": {Data: []byte(`
id: person
name: Person
hosts: [person.example]
auth:
  - id: consent
    kind: oauth2_authorization_code
    authorize: {url: "https://person.example/authorize"}
    token: {url: "https://person.example/token", client_auth: body}
    scopes: {default: [read]}
    refresh: {rotation: always}
api: {base_url: "https://person.example"}
`)},
	"typed.yaml": {Data: []byte(`
id: typed
name: Typed
inputs: {base_url: {label: Address, type: url}}
hosts: ["${inputs.base_url}"]
auth:
  - id: consent
    kind: oauth2_authorization_code
    authorize: {url: "${inputs.base_url}/authorize"}
    token: {url: "${inputs.base_url}/token", client_auth: body}
    scopes: {default: [read]}
    refresh: {rotation: always}
api: {base_url: "${inputs.base_url}"}
`)},
}

const canary = "CANARY"

// house is the whole engine on a store in memory, with simulated providers, two tenants and a connection
// of each to the robot and with a key.
type house struct {
	t      *testing.T
	engine *engine.Engine
	store  storage.Store
	sim    *simulator.Simulator
	app    *fiber.App
	relay  *audit.Relay
	ids    map[string]string // of what tenant acme has, by what paths call it
}

var (
	operator = access.Principal{Kind: access.Operator, Tenant: "acme", ID: "olga"}
	stranger = access.Principal{Kind: access.Operator, Tenant: "globex", ID: "gus"}
)

func newHouse(t *testing.T) *house {
	t.Helper()
	catalog, findings, err := definition.Load(definitions)
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
	sim := simulator.New(simulator.Options{Catalog: catalog, TokenLifetime: time.Hour, Mark: canary})
	server := httptest.NewServer(sim)
	base, _ := url.Parse(server.URL)
	h := &house{t: t, store: store, sim: sim, ids: map[string]string{}}
	h.engine, err = engine.New(t.Context(), engine.Options{
		Store: store, MasterKeys: []secret.MasterKey{secret.NewMasterKey()}, Catalog: catalog, UI: pages, PublicURL: "http://127.0.0.1:8080",
		Egress:   egress.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: []string{"127.0.0.1"}},
		Simulate: func(id string) func(*url.URL) *url.URL { return simulator.Reroute(base, id) },
		ReadWait: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.app = h.engine.App()
	h.relay = &audit.Relay{Outbox: store, Log: store, Holder: "test", Logger: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.engine.Source.Close(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
		_ = store.Close()
	})
	for _, p := range []access.Principal{operator, stranger} {
		h.furnish(p)
	}
	return h
}

// furnish gives a tenant an app, a connection of each sort, and a connect session. Those of acme are what
// paths name.
func (h *house) furnish(p access.Principal) {
	h.t.Helper()
	ctx := h.t.Context()
	note := func(name, id string, err error) {
		h.t.Helper()
		h.must(err)
		if p.Tenant == operator.Tenant {
			h.ids[name] = id
		}
	}
	h.must(h.engine.Identity.EnsureTenant(ctx, p.Tenant, p.Tenant))
	h.must(h.engine.Identity.AllowOrigins(ctx, p.Tenant, []string{"https://" + p.Tenant + ".example"}))
	id, text := "client-of-"+p.Tenant, canary+"-client-secret"
	for _, connector := range []string{"robot", "person"} {
		h.sim.Register(connector, id, text, "http://127.0.0.1:8080/callback")
		app, err := h.engine.Connections.CreateApp(ctx, p, connection.AppInput{Connector: connector, ClientID: &id, ClientSecret: &text})
		note(map[string]string{"robot": "app", "person": "unused"}[connector], app.ID, err)
	}
	robot, err := h.engine.Connections.Import(ctx, p, connection.Import{Connector: "robot", EndUser: "robin-of-" + p.Tenant})
	note("robot", robot.ID, err)
	time.Sleep(2 * time.Millisecond) // which is newer is told by the millisecond
	keyed, err := h.engine.Connections.Import(ctx, p, connection.Import{
		Connector: "keyed", EndUser: "kim-of-" + p.Tenant, Answers: map[string]string{"key": canary + "-key"},
	})
	note("keyed", keyed.ID, err)
	session, err := h.engine.Identity.CreateConnectSession(ctx, p, identity.SessionInput{EndUser: "sam-of-" + p.Tenant})
	note("session", session.ID, err)
	_, key, err := h.engine.Identity.CreateAPIKey(ctx, p, "worker", []string{string(access.ReadTokens)}, time.Time{})
	note("key", key.ID, err)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// change changes one of acme's connections.
func (h *house) change(what string, f func(*storage.Connection)) {
	h.t.Helper()
	r := storage.Ref{Tenant: operator.Tenant, ID: h.ids[what]}
	_, err := h.store.UpdateConnection(h.t.Context(), r, func(c *storage.Connection) error { f(c); return nil })
	h.must(err)
}

// key makes an API key of p's tenant with every scope but those left out.
func (h *house) key(p access.Principal, without ...access.Action) string {
	h.t.Helper()
	var scopes []string
	for _, a := range access.Actions() {
		if !slices.Contains(without, a) {
			scopes = append(scopes, string(a))
		}
	}
	text, _, err := h.engine.Identity.CreateAPIKey(h.t.Context(), p, "test", scopes, time.Time{})
	h.must(err)
	return text
}

// events lists acme's events, by id.
func (h *house) events() map[string]audit.Event {
	h.t.Helper()
	h.must(h.engine.Connections.Reads.Flush(h.t.Context()))
	h.must(h.relay.Drain(h.t.Context()))
	list, err := h.store.Events(h.t.Context(), audit.Query{Tenant: operator.Tenant, Limit: 200})
	h.must(err)
	out := map[string]audit.Event{}
	for _, e := range list {
		out[e.ID] = e
	}
	return out
}

// answer is what a caller gets.
type answer struct {
	status int
	header http.Header
	text   string
	json   any
}

// named puts ids in the places of {names}.
func (h *house) named(s string) string {
	for name, id := range h.ids {
		s = strings.ReplaceAll(s, "{"+name+"}", id)
	}
	return s
}

// ask makes the scenario's request with a key; empty: without one.
func (h *house) ask(s scenario, key string) answer {
	h.t.Helper()
	var body io.Reader = http.NoBody
	switch b := s.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(h.named(b))
	default:
		encoded, err := json.Marshal(b)
		h.must(err)
		body = bytes.NewReader(encoded)
	}
	req := httptest.NewRequest(s.method, h.named(s.path), body)
	if s.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.kind != "" {
		req.Header.Set("Content-Type", s.kind)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := h.app.Test(req, -1)
	h.must(err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	h.must(err)
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	_ = json.Unmarshal(text, &a.json)
	return a
}

// at follows a path such as health.failures or apps.0.id through the answer.
func (a answer) at(path string) any {
	v := a.json
	for name := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			i := int(name[0] - '0')
			if len(name) != 1 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// run plays the scenario for everybody, one after the other in one house; who may comes last.
func (s scenario) run(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if s.given != nil {
		s.given(h)
	}
	refused := map[string]string{"nobody": "", "a key that is none": "dowel_" + strings.Repeat("x", 52), "a key that was revoked": h.revoked()}
	for _, who := range slices.Sorted(maps.Keys(refused)) {
		s.denied(h, who, refused[who], http.StatusUnauthorized, "unauthenticated", "")
	}
	for _, scope := range s.scopes(t) {
		s.denied(h, "a key without "+string(scope), h.key(operator, scope), http.StatusForbidden, "forbidden", "scope-missing")
	}
	theirs := h.key(stranger)
	before := h.events()
	if a, want := h.ask(s, theirs), max(s.stranger, s.status*(1-min(s.stranger, 1))); a.status != want {
		t.Errorf("another tenant's key: %d %s, want %d", a.status, a.text, want)
	} else {
		h.apart(a)
	}
	mine := h.key(operator)
	if diff := cmp.Diff([]audit.Kind(nil), emitted(before, h.events(), audit.APIKeyCreated)); diff != "" {
		t.Errorf("another tenant's key leaves events (-want +got):\n%s", diff)
	}
	before = h.events()
	s.check(t, h.ask(s, mine))
	if diff := cmp.Diff(slices.Sorted(slices.Values(s.events)), emitted(before, h.events())); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// revoked is a key that was good until now.
func (h *house) revoked() string {
	h.t.Helper()
	text, view, err := h.engine.Identity.CreateAPIKey(h.t.Context(), operator, "old", []string{string(access.ReadTokens)}, time.Time{})
	h.must(err)
	h.must(h.engine.Identity.RevokeAPIKey(h.t.Context(), operator, view.ID))
	return text
}

// denied checks that a caller is refused, and that nothing happens.
func (s scenario) denied(h *house, who, key string, status int, problem, code string) {
	h.t.Helper()
	before := h.events()
	a := h.ask(s, key)
	if a.status != status || a.at("type") != api.TypePrefix+problem || code != "" && a.at("code") != code {
		h.t.Errorf("%s: %d %s, want %d %s %s", who, a.status, a.text, status, problem, code)
	}
	h.apart(a)
	if diff := cmp.Diff([]audit.Kind(nil), emitted(before, h.events())); diff != "" {
		h.t.Errorf("%s leaves events (-want +got):\n%s", who, diff)
	}
}

// apart checks that an answer tells nothing that is acme's.
func (h *house) apart(a answer) {
	h.t.Helper()
	for _, word := range append(slices.Collect(maps.Values(h.ids)), "of-acme", canary) {
		if strings.Contains(a.text, word) {
			h.t.Errorf("it tells %s: %s", word, a.text)
		}
	}
}

// emitted lists the kinds of the events that came, but for those left out, sorted.
func emitted(before, after map[string]audit.Event, but ...audit.Kind) []audit.Kind {
	var kinds []audit.Kind
	for id, e := range after {
		if _, old := before[id]; !old && !slices.Contains(but, e.Kind) {
			kinds = append(kinds, e.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// check compares the answer with what is wanted.
func (s scenario) check(t *testing.T, a answer) {
	t.Helper()
	if a.status != s.status {
		t.Fatalf("%d %s, want %d", a.status, a.text, s.status)
	}
	s.described(t, a)
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", a.header.Get("Cache-Control"))
	}
	if s.status >= 400 {
		s.checkProblem(t, a)
	}
	for _, path := range slices.Sorted(maps.Keys(s.holds)) {
		if diff := cmp.Diff(s.holds[path], a.at(path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s\nin %s", path, diff, a.text)
		}
	}
	for _, word := range s.lacks {
		if strings.Contains(a.text, word) {
			t.Errorf("it holds %q: %s", word, a.text)
		}
	}
}

func (s scenario) checkProblem(t *testing.T, a answer) {
	t.Helper()
	code, _ := a.at("code").(string)
	if a.at("type") != api.TypePrefix+s.problem || code != s.code || a.at("status") != float64(s.status) || a.at("title") == nil ||
		a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s, want %s %s", a.header.Get("Content-Type"), a.text, s.problem, s.code)
	}
	if fix, _ := a.at("fix").(string); !strings.Contains(fix, s.fix) {
		t.Errorf("fix %q, want %q", fix, s.fix)
	}
	if retry := a.header.Get("Retry-After"); (retry != "") != s.retry || s.retry && a.at("retry_after") == nil {
		t.Errorf("Retry-After %q, %v", retry, a.at("retry_after"))
	}
	var complaints []string
	list, _ := a.at("errors").([]any)
	for _, e := range list {
		complaints = append(complaints, e.(map[string]any)["field"].(string))
	}
	if diff := cmp.Diff(s.complaints, complaints); diff != "" {
		t.Errorf("fields complained about (-want +got):\n%s\nin %s", diff, a.text)
	}
}
