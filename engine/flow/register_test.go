package flow_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dowel/engine/access"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/secret"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
	"dowel/engine/vault"
)

const registering = `
id: acme
name: Acme
inputs: {issuer: {label: Issuer, type: url}}
hosts: ["${inputs.issuer}", "${discovered.hosts}"]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    discovery: {issuer: "${inputs.issuer}", kind: oauth}
    registration: {mode: MODE}
    authorize: {}
    token: {client_auth: registered}
    revoke: none
test: none
identity: none
`

// written is the mode dynamic of a definition that writes where the endpoints are.
const written = "written"

// registrar is an authorization server at which apps register themselves.
type registrar struct {
	registered atomic.Int64
	slow       time.Duration
	answer     func(n int64) (status int, body string)
	documents  bool
}

func (g *registrar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := strings.Split(r.URL.Path, "/")[1]
	switch {
	case strings.Contains(r.URL.Path, "/.well-known/"):
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": "https://" + host, "authorization_endpoint": "https://" + host + "/authorize", "token_endpoint": "https://" + host + "/token",
			"registration_endpoint": "https://" + host + "/register", "client_id_metadata_document_supported": g.documents,
		})
	case strings.HasSuffix(r.URL.Path, "/register"):
		n := g.registered.Add(1)
		time.Sleep(g.slow)
		status, body := g.answer(n)
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
}

// instances are n processes on one store.
func instances(t *testing.T, g *registrar, mode string, n int) ([]*flow.Service, storage.Store) {
	t.Helper()
	if g.answer == nil {
		g.answer = func(n int64) (int, string) {
			return http.StatusCreated, fmt.Sprintf(`{"client_id":"client-%d","client_secret":"CANARY-secret-%d","token_endpoint_auth_method":"client_secret_post"}`, n, n)
		}
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	source := registering
	if mode == written {
		source = strings.NewReplacer(
			"    discovery: {issuer: \"${inputs.issuer}\", kind: oauth}\n", "", `, "${discovered.hosts}"`, "", "{mode: MODE}", `{mode: dynamic, url: "${inputs.issuer}/register"}`,
			"authorize: {}", `authorize: {url: "${inputs.issuer}/authorize"}`, "token: {client_auth", `token: {url: "${inputs.issuer}/token", client_auth`,
		).Replace(registering)
	}
	k, findings := definition.Parse("acme.yaml", []byte(strings.Replace(source, "MODE", mode, 1)))
	if k == nil {
		t.Fatal(findings)
	}
	store, err := sqlite.OpenMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	master := secret.NewMasterKey()
	client, err := egress.NewClient(egress.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	reroute := func(u *url.URL) *url.URL {
		to, _ := url.Parse(server.URL + "/" + u.Host + u.EscapedPath())
		to.RawQuery = u.RawQuery
		return to
	}
	var out []*flow.Service
	for range n {
		keys, err := secret.NewKeyring(store, master)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		out = append(out, &flow.Service{
			Store: store, Logger: slog.New(slog.DiscardHandler), ClientURL: "https://dowel.example/oauth/client.json",
			Vault: &vault.Vault{
				Keyring: keys, Catalog: definition.NewCatalog([]*definition.Connector{k}), Apps: store,
				Methods: auth.NewRegistry(auth.AuthorizationCode()), RedirectURI: "https://dowel.example/callback",
				Outlet: &auth.Outlet{Client: client, Documents: &auth.Documents{}, Simulate: func(string) func(*url.URL) *url.URL { return reroute }},
			},
		})
	}
	return out, store
}

// press begins a flow and returns the client id that the browser is sent with.
func press(t *testing.T, s *flow.Service, tenant, issuer string) (string, error) {
	t.Helper()
	who := access.Principal{Kind: access.EndUser, Tenant: tenant, ID: "cs_1", Actions: []access.Action{access.Connect}}
	p, err := s.Start(t.Context(), who, flow.Begin{Intent: "connect", Connector: "acme", Method: "oauth", EndUser: "ana", Browser: browser, Answers: map[string]string{"issuer": issuer}})
	if err != nil {
		return "", err
	}
	u, err := url.Parse(p.RedirectURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("client_id"), nil
}

func TestPeopleWhoConnectAtOnceRegisterOneApp(t *testing.T) {
	g := &registrar{slow: 100 * time.Millisecond}
	services, store := instances(t, g, "dynamic", 3)
	got := make([]string, 12)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = press(t, services[i%len(services)], "acme", "https://id.example.com"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range got {
		if id != "client-1" {
			t.Errorf("sent with client ids %v", got)
			break
		}
	}
	if n := g.registered.Load(); n != 1 {
		t.Errorf("%d apps were registered", n)
	}
	apps, err := store.Apps(t.Context(), "acme", "acme")
	if err != nil || len(apps) != 1 || apps[0].Issuer != "https://id.example.com" || apps[0].Fields["token_endpoint_auth_method"] != "client_secret_post" {
		t.Fatalf("apps %+v, %v", apps, err)
	}
	if strings.Contains(string(apps[0].Secrets), "CANARY") {
		t.Error("the secret is kept in the open")
	}
	app, err := services[0].Vault.App(t.Context(), apps[0].Ref)
	if err != nil || app.ClientSecret.Reveal() != "CANARY-secret-1" {
		t.Errorf("the secret is lost: %v", err)
	}
}

func TestTenantsAndIssuersHaveAppsOfTheirOwn(t *testing.T) {
	g := &registrar{}
	services, _ := instances(t, g, "dynamic", 1)
	seen := map[string]bool{}
	for _, at := range [][2]string{{"acme", "https://id.example.com"}, {"other", "https://id.example.com"}, {"acme", "https://id2.example.com"}} {
		for range 2 {
			id, err := press(t, services[0], at[0], at[1])
			if err != nil {
				t.Fatal(err)
			}
			seen[id] = true
		}
	}
	if n := g.registered.Load(); n != 3 || len(seen) != 3 {
		t.Errorf("%d apps were registered for three places: %v", n, seen)
	}
}

func TestARegistrationThatFailsLeavesNothingBehind(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		kind       fault.Kind
	}{
		{"refused", `{"error":"invalid_client_metadata"}`, 400, fault.Misconfigured},
		{"for members only", `{}`, 401, fault.Misconfigured},
		{"down", `{}`, 503, fault.Unavailable},
		{"without an id", `{"client_secret":"x"}`, 201, fault.Unavailable},
		{"without the secret that was agreed", `{"client_id":"x","token_endpoint_auth_method":"client_secret_basic"}`, 201, fault.Unavailable},
		{"with a way that is not known", `{"client_id":"x","token_endpoint_auth_method":"tls_client_auth"}`, 201, fault.Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &registrar{}
			good := false
			g.answer = func(int64) (int, string) {
				if good {
					return 201, `{"client_id":"client","token_endpoint_auth_method":"none"}`
				}
				return tt.status, tt.body
			}
			services, store := instances(t, g, "dynamic", 1)
			if _, err := press(t, services[0], "acme", "https://id.example.com"); fault.KindOf(err) != tt.kind {
				t.Errorf("Start: %v, want kind %s", err, tt.kind)
			}
			if apps, err := store.Apps(t.Context(), "acme", ""); err != nil || len(apps) != 0 {
				t.Errorf("left behind: %+v, %v", apps, err)
			}
			good = true
			if id, err := press(t, services[0], "acme", "https://id.example.com"); err != nil || id != "client" {
				t.Errorf("the next time: %q, %v", id, err)
			}
		})
	}
}

// Whoever registered and died is not waited for; an app that died is replaced.
func TestARegistrationOutlivesWhoBeganIt(t *testing.T) {
	g := &registrar{}
	services, store := instances(t, g, "dynamic", 1)
	if _, err := press(t, services[0], "acme", "https://id.example.com"); err != nil {
		t.Fatal(err)
	}
	apps, err := store.Apps(t.Context(), "acme", "")
	if err != nil || len(apps) != 1 {
		t.Fatal(apps, err)
	}
	change := func(f func(*storage.App)) {
		if _, err := store.UpdateApp(t.Context(), apps[0].Ref, func(a *storage.App) error { f(a); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	ago := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	change(func(a *storage.App) { a.ClientID, a.RegisteringUntil = "", ago })
	if id, err := press(t, services[0], "acme", "https://id.example.com"); err != nil || id != "client-2" {
		t.Errorf("after somebody died registering: %q, %v", id, err)
	}
	change(func(a *storage.App) { a.SecretExpiresAt = ago })
	if id, err := press(t, services[0], "acme", "https://id.example.com"); err != nil || id != "client-3" {
		t.Errorf("after the secret has ended: %q, %v", id, err)
	}
	if id, err := press(t, services[0], "acme", "https://id.example.com"); err != nil || id != "client-3" {
		t.Errorf("and from then on: %q, %v", id, err)
	}
	if apps, _ := store.Apps(t.Context(), "acme", ""); len(apps) != 2 {
		t.Errorf("the app that connections were made with is gone: %+v", apps)
	}
}

func TestAnAppThatAnOperatorAddedForTheIssuerComesFirst(t *testing.T) {
	g := &registrar{}
	services, store := instances(t, g, "dynamic", 1)
	for id, issuer := range map[string]string{"app_1": "https://other.example.com", "app_2": "https://id.example.com/", "app_3": ""} {
		err := store.CreateApp(t.Context(), storage.App{Ref: storage.Ref{Tenant: "acme", ID: id}, Revision: 1, Connector: "acme", ClientID: "of " + id, Issuer: issuer})
		if err != nil {
			t.Fatal(err)
		}
	}
	if id, err := press(t, services[0], "acme", "https://id.example.com"); err != nil || id != "of app_2" || g.registered.Load() != 0 {
		t.Errorf("sent with %q, %v", id, err)
	}
}

// An app that has registered itself at one server that somebody typed is not shown to another.
func TestEveryServerThatIsTypedHasItsOwnRegistration(t *testing.T) {
	for _, mode := range []string{"dynamic", written} {
		g := &registrar{}
		services, store := instances(t, g, mode, 1)
		for _, step := range []struct{ at, want string }{
			{"https://id.example.com", "client-1"}, {"https://evil.example.com", "client-2"}, {"https://id.example.com", "client-1"},
		} {
			if id, err := press(t, services[0], "acme", step.at); err != nil || id != step.want {
				t.Errorf("%s, at %s: sent with %q, %v; want %s", mode, step.at, id, err, step.want)
			}
		}
		apps, err := store.Apps(t.Context(), "acme", "")
		if err != nil || len(apps) != 2 || apps[0].Issuer == apps[1].Issuer {
			t.Errorf("%s: %+v, %v", mode, apps, err)
		}
	}
}

func TestADocumentIsTheClientIDWhereTheServerTakesIt(t *testing.T) {
	for _, tt := range []struct {
		mode, clientURL string
		documents       bool
		want            string
		kind            fault.Kind
	}{
		{"either", "https://dowel.example/oauth/client.json", true, "https://dowel.example/oauth/client.json", fault.None},
		{"either", "https://dowel.example/oauth/client.json", false, "client-1", fault.None},
		{"either", "http://127.0.0.1:8080/oauth/client.json", true, "client-1", fault.None},
		{"metadata_document", "https://dowel.example/oauth/client.json", false, "https://dowel.example/oauth/client.json", fault.None},
		{"metadata_document", "https://localhost/oauth/client.json", false, "", fault.Misconfigured},
	} {
		g := &registrar{documents: tt.documents}
		services, _ := instances(t, g, tt.mode, 1)
		services[0].ClientURL = tt.clientURL
		id, err := press(t, services[0], "acme", "https://id.example.com")
		if id != tt.want || fault.KindOf(err) != tt.kind {
			t.Errorf("%s at %s, documents %v: sent with %q, %v", tt.mode, tt.clientURL, tt.documents, id, err)
		}
	}
	services, _ := instances(t, &registrar{}, "either", 1)
	if doc := services[0].ClientDocument(); doc["client_id"] != "https://dowel.example/oauth/client.json" || doc["client_uri"] != "https://dowel.example" || doc["token_endpoint_auth_method"] != "none" {
		t.Errorf("the document says %v", doc)
	}
}
