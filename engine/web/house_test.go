package web_test

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/connectors"
	"dowel/engine"
	"dowel/engine/access"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/identity"
	"dowel/engine/rehearsal"
	"dowel/engine/secret"
	"dowel/engine/simulator"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
	"dowel/ui"
)

const (
	public     = "http://127.0.0.1:8080"
	hostOrigin = "https://app.example.com"
	canary     = "CANARY"
)

// house is the whole engine on a store in memory, with simulated providers.
type house struct {
	store    storage.Store
	t        *testing.T
	engine   *engine.Engine
	app      *fiber.App
	sim      *simulator.Simulator
	catalog  *definition.Catalog
	operator access.Principal
	logs     *lockedBuffer
	// post takes what servers of providers post; nil: it goes to the callback.
	post func(body []byte) int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// few are connectors that differ in all that the pages show; the tests do not change with the catalogue.
func few(t *testing.T) fstest.MapFS {
	t.Helper()
	dir := fstest.MapFS{}
	for _, id := range []string{
		"acme-login", "airtable", "datadog", "facebook", "github", "google", "hubspot", "microsoft", "notion", "salesforce",
		"shopify", "slack", "stripe", "twilio", "xero", "zendesk",
	} {
		source, err := fs.ReadFile(connectors.FS, id+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		dir[id+".yaml"] = &fstest.MapFile{Data: source}
	}
	return dir
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseAt(t, public)
}

func newHouseAt(t *testing.T, public string) *house {
	t.Helper()
	return newHouseOf(t, public, few(t))
}

// newHouseWith is newHouse with a few more connectors, by id.
func newHouseWith(t *testing.T, more map[string]string) *house {
	t.Helper()
	dir := few(t)
	for id, source := range more {
		dir[id+".yaml"] = &fstest.MapFile{Data: []byte(source)}
	}
	return newHouseOf(t, public, dir)
}

func newHouseOf(t *testing.T, public string, dir fs.FS) *house {
	t.Helper()
	catalog, findings, err := definition.Load(dir)
	if err != nil || catalog == nil {
		t.Fatalf("load the connectors: %v %v", findings, err)
	}
	store, err := sqlite.OpenMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: store, catalog: catalog, logs: &lockedBuffer{}, operator: access.Principal{Kind: access.Operator, Tenant: "acme", ID: "olga"}}
	sim := simulator.New(simulator.Options{Catalog: catalog, Mark: canary, Post: h.posted})
	server := httptest.NewServer(sim)
	base, _ := url.Parse(server.URL)
	pages, err := ui.New()
	if err != nil {
		t.Fatal(err)
	}
	h.sim = sim
	h.engine, err = engine.New(t.Context(), engine.Options{
		Store: store, MasterKeys: []secret.MasterKey{secret.NewMasterKey()}, Catalog: catalog, UI: pages, PublicURL: public,
		Egress:   egress.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: []string{"127.0.0.1"}},
		Simulate: func(id string) func(*url.URL) *url.URL { return simulator.Reroute(base, id) },
		Logger:   slog.New(slog.NewTextHandler(h.logs, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.app = h.engine.App()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = h.engine.Source.Close(ctx)
		server.Close()
		_ = store.Close()
	})
	h.must(h.engine.Identity.EnsureTenant(t.Context(), "acme", "Acme Workflows"))
	h.must(h.engine.Identity.AllowOrigins(t.Context(), "acme", []string{hostOrigin}))
	for _, k := range catalog.Shared() {
		if !slices.ContainsFunc(k.Auth, (*definition.Auth).NeedsApp) {
			continue
		}
		in := connection.AppInput{Connector: k.ID, ClientID: new("client-" + k.ID)}
		if k.AppsByServer("") {
			in.Issuer = "*"
		}
		key := canary + "-secret-of-" + k.ID + "-which-is-long-enough-to-sign-with"
		if _, asked := k.AppAsks(""); asked {
			in.ClientSecret = &key
		}
		in.Fields, err = rehearsal.AppAnswers(k, "", simulator.Issue)
		h.must(err)
		sim.Register(k.ID, *in.ClientID, key, public+"/callback")
		_, err = h.engine.Connections.CreateApp(t.Context(), h.operator, in)
		h.must(err)
	}
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// session makes a ticket and returns the path of its page.
func (h *house) session(in identity.SessionInput) string {
	h.t.Helper()
	if in.EndUser == "" {
		in.EndUser = "user-7"
	}
	s, err := h.engine.Identity.CreateConnectSession(h.t.Context(), h.operator, in)
	h.must(err)
	return strings.TrimPrefix(s.URL, public)
}

// connections lists all there are.
func (h *house) connections() []connection.View {
	h.t.Helper()
	vs, err := h.engine.Connections.List(h.t.Context(), h.operator, connection.Filter{})
	h.must(err)
	return vs
}

// posted brings what the server of a simulated provider posts.
func (h *house) posted(_ context.Context, _, contentType string, body []byte) (int, error) {
	if h.post != nil {
		return h.post(body), nil
	}
	return h.server(body, contentType).status, nil
}
