// Package bench measures the house: speed as ratios within one run, so that the machine's own speed
// and noise fall out, and sizes as they are. `make bench` prints one line `bench <name> <value>` for
// each; nothing here passes or fails.
package bench

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"dowel/engine"
	"dowel/engine/access"
	"dowel/engine/auth"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/secret"
	"dowel/engine/storage"
	"dowel/engine/vault"
	"dowel/ui"
)

// source is the connector the house is measured with, under each of its names.
const source = `
id: NAME
name: Bench
hosts: [provider.example]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "https://provider.example/authorize"}
    token: {url: "https://provider.example/token", client_auth: body}
    scopes: {default: [read]}
    refresh: {rotation: always}
api: {base_url: "https://provider.example/api"}
`

const tenant = "bench"

// A provider and a tenant never get all of a pool, so there are some of each.
var (
	tenants   = []string{tenant, "bench2", "bench3", "bench4"}
	providers = []string{"bench", "other2", "other3", "other4"}
)

// house is an engine with a provider that answers token requests after a while.
type house struct {
	*engine.Engine
	store   storage.Store
	vault   *vault.Vault
	apps    map[string]string // ids, by tenant and connector
	url     string
	key     string
	ln      net.Listener
	version map[string]string // by connector
}

// provider answers every token request with a fresh pair after latency.
func provider(tb testing.TB, latency time.Duration) *url.URL {
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	token := strings.Repeat("t", 600)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(latency)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"token_type":"Bearer","expires_in":3600,"scope":"read"}`, token, token)
	})}
	go func() { _ = server.Serve(ln) }()
	tb.Cleanup(func() { _ = server.Close() })
	return &url.URL{Scheme: "http", Host: ln.Addr().String()}
}

// build makes a house on store.
func build(tb testing.TB, store storage.Store, latency time.Duration, cacheTTL time.Duration) *house {
	tb.Helper()
	var set []*definition.Connector
	version := map[string]string{}
	for _, name := range providers {
		c, findings := definition.Parse(name+".yaml", []byte(strings.Replace(source, "NAME", name, 1)))
		if c == nil {
			tb.Fatal(findings)
		}
		set, version[name] = append(set, c), c.Version
	}
	pages, err := ui.New()
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	to := provider(tb, latency)
	simulate := func(string) func(*url.URL) *url.URL {
		return func(u *url.URL) *url.URL {
			out := *u
			out.Scheme, out.Host = to.Scheme, to.Host
			return &out
		}
	}
	key := secret.NewMasterKey()
	e, err := engine.New(tb.Context(), engine.Options{
		Store: store, MasterKeys: []secret.MasterKey{key}, Catalog: definition.NewCatalog(set),
		UI: pages, PublicURL: "http://" + ln.Addr().String(), Simulate: simulate, CacheTTL: cacheTTL,
		Egress: egress.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	keyring, err := secret.NewKeyring(store, key)
	if err != nil {
		tb.Fatal(err)
	}
	h := &house{Engine: e, store: store, vault: &vault.Vault{Keyring: keyring}, url: "http://" + ln.Addr().String(), apps: map[string]string{}, version: version}
	h.seed(tb)
	h.ln = ln
	return h
}

// serve runs the house until the returned function is called.
func (h *house) serve(tb testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx, h.ln) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	}
}

func (h *house) seed(tb testing.TB) {
	ctx := tb.Context()
	id, key := "client", "client-secret"
	p := access.Principal{Kind: access.Operator, ID: "bench"}
	for _, p.Tenant = range tenants {
		if err := h.Identity.EnsureTenant(ctx, p.Tenant, p.Tenant); err != nil {
			tb.Fatal(err)
		}
		for _, name := range providers {
			app, err := h.Connections.CreateApp(ctx, p, connection.AppInput{Connector: name, ClientID: &id, ClientSecret: &key})
			if err != nil {
				tb.Fatal(err)
			}
			h.apps[p.Tenant+name] = app.ID
		}
	}
	p.Tenant = tenant
	var err error
	if h.key, _, err = h.Identity.CreateAPIKey(ctx, p, "bench", []string{string(access.ReadTokens)}, time.Time{}); err != nil {
		tb.Fatal(err)
	}
}

// connect puts a connection with an access token of size bytes into the store, for the first of the
// tenants at the first of the connectors.
func (h *house) connect(tb testing.TB, id string, size int, expires, refresh time.Time) {
	tb.Helper()
	h.connectAs(tb, tenant, providers[0], id, size, expires, refresh)
}

func (h *house) connectAs(tb testing.TB, tenant, connector, id string, size int, expires, refresh time.Time) {
	tb.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	ref := storage.Ref{Tenant: tenant, ID: id}
	sealed, err := h.vault.SealCredential(tb.Context(), ref, auth.Credential{
		Kind: definition.AuthorizationCode, AccessToken: secret.New(strings.Repeat("a", size)), RefreshToken: secret.New("refresh-" + id),
		TokenType: "Bearer", ObtainedAt: now, ExpiresAt: expires, Scopes: []string{"read"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	err = h.store.CreateConnection(tb.Context(), storage.Connection{
		Ref: ref, Revision: 1, Version: 1, Connector: connector, ConnectorVersion: h.version[connector], Auth: "oauth", Kind: string(definition.AuthorizationCode),
		App: h.apps[tenant+connector], EndUser: "user", Name: id, Status: storage.Active, GrantedScopes: []string{"read"}, Credential: sealed,
		ObtainedAt: now, ExpiresAt: expires, RefreshAt: refresh, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// report prints one figure.
func report(name string, value any) {
	switch v := value.(type) {
	case float64:
		fmt.Printf("bench %s %.3f\n", name, v)
	default:
		fmt.Printf("bench %s %v\n", name, v)
	}
}
