package token

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
	"dowel/engine/storage"
	"dowel/engine/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// acme has a method for everything that makes a difference to the kernel. There is another connector
// just like it.
func acme(id string) []byte {
	head := "id: " + id + "\nname: Acme\ncategories: [test]\nhosts: [acme.example]\nauth:\n"
	for _, m := range []struct{ id, refresh string }{
		{"rotating", "{grant: refresh_token, rotation: always}"},
		{"graceful", "{grant: refresh_token, rotation: always, reuse_grace: 6m}"},
		{"fixed", "{grant: refresh_token, rotation: never}"},
		{"kept_alive", `{grant: refresh_token, rotation: always, schedule: "0 3 * * *"}`},
		{"endless", "{grant: none}"},
	} {
		head += "  - id: " + m.id + "\n    kind: oauth2_authorization_code\n" +
			"    authorize: {url: https://acme.example/authorize}\n    scopes: {default: [read]}\n" +
			"    token: {url: https://acme.example/token, client_auth: body}\n    refresh: " + m.refresh + "\n"
	}
	for _, m := range []struct{ id, expiry string }{{"key", "verify"}, {"expiring_key", "expire"}} {
		head += "  - id: " + m.id + "\n    kind: api_key\n    fields: {key: {label: Key, type: password}}\n" +
			"    apply: {headers: {X-Key: \"${fields.key}\"}}\n    expires: {default: 720h}\n    on_expiry: " + m.expiry + "\n"
	}
	return []byte(head + "api: {base_url: https://acme.example/v1}\ntest: {get: /me}\n")
}

// house is a store, a provider and as many instances of the engine as a test wants.
type house struct {
	t        testing.TB
	store    *memory
	provider *provider
	key      secret.MasterKey
	catalog  *definition.Catalog
	version  string
	outlet   *auth.Outlet
	sources  []*instance
}

// instance is one process of the engine.
type instance struct {
	*Source
	link *link
}

const tenant = "t1"

var theApp = storage.Ref{Tenant: tenant, ID: "app_1"}

func newHouse(t testing.TB) *house {
	var connectors []*definition.Connector
	for _, id := range []string{"acme", "other"} {
		c, findings := definition.Parse(id+".yaml", acme(id))
		if c == nil {
			t.Fatalf("definition: %v", findings)
		}
		connectors = append(connectors, c)
	}
	h := &house{
		t: t, store: newMemory(), provider: newProvider(), key: secret.NewMasterKey(),
		catalog: definition.NewCatalog(connectors), version: connectors[0].Version, outlet: &auth.Outlet{},
	}
	h.store.apps[theApp] = storage.App{Ref: theApp, Connector: "acme", ClientID: "client"}
	h.setSecret("right")
	t.Cleanup(h.close)
	return h
}

// close waits for everything under way, so that a bubble can end.
func (h *house) close() {
	for _, i := range h.sources {
		if i.link.dead.Load() {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		if err := i.Close(ctx); err != nil {
			h.t.Errorf("Close: %v", err)
		}
		cancel()
	}
}

// instance starts another process on the store; tune may be nil.
func (h *house) instance(tune func(*instance)) *instance {
	l := &link{memory: h.store}
	i := &instance{link: l, Source: &Source{
		Store: l, Vault: h.vault(l), Holder: fmt.Sprintf("engine_%d", len(h.sources)),
		Logger: slog.New(slog.NewTextHandler(h.t.Output(), &slog.HandlerOptions{Level: slog.LevelError + 1})),
	}}
	if tune != nil {
		tune(i)
	}
	h.sources = append(h.sources, i)
	return i
}

func (h *house) vault(apps vault.Apps) *vault.Vault {
	k, err := secret.NewKeyring(h.store, h.key)
	if err != nil {
		h.t.Fatal(err)
	}
	return &vault.Vault{
		Keyring: k, Catalog: h.catalog, Apps: apps,
		Methods: auth.NewRegistry(h.provider, auth.APIKey()), Outlet: h.outlet,
	}
}

// setSecret gives the app a client secret.
func (h *house) setSecret(s string) {
	l := &link{memory: h.store}
	sealed, err := h.vault(l).SealApp(context.Background(), theApp, vault.AppSecrets{ClientSecrets: []string{s}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	a := h.store.apps[theApp]
	a.Secrets = sealed
	h.store.apps[theApp] = a
}

// connect keeps a fresh connection made with the method of the given id; tune may be nil.
func (h *house) connect(id, method string, tune func(*storage.Connection)) storage.Ref {
	return h.keep(id, method, h.provider.grant(id), tune)
}

func (h *house) keep(id, method string, cred auth.Credential, tune func(*storage.Connection)) storage.Ref {
	r := storage.Ref{Tenant: tenant, ID: id}
	k, err := h.catalog.Current(h.t.Context(), "", "acme")
	if err != nil {
		h.t.Fatal(err)
	}
	c := storage.Connection{
		Ref: r, Revision: 1, Version: 1, Connector: "acme", ConnectorVersion: h.version, Auth: method, Kind: string(cred.Kind),
		App: theApp.ID, Status: storage.Active, GrantedScopes: cred.Scopes,
		ObtainedAt: cred.ObtainedAt, ExpiresAt: cred.ExpiresAt, RefreshAt: Plan(k.Method(method), cred, nil),
	}
	if cred.Kind != definition.AuthorizationCode {
		c.App = ""
	}
	if tune != nil {
		tune(&c)
	}
	if c.Credential, err = h.vault(nil).SealCredential(context.Background(), c.Ref, cred); err != nil {
		h.t.Fatal(err)
	}
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	h.store.connections[c.Ref] = c
	return c.Ref
}

// record returns what the store holds.
func (h *house) record(r storage.Ref) storage.Connection {
	h.t.Helper()
	c, err := h.store.connection(r)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// change changes the record behind the instances' backs, as another room does.
func (h *house) change(r storage.Ref, f func(*storage.Connection)) {
	h.t.Helper()
	if _, err := h.store.update(r, nil, func(c *storage.Connection) error { f(c); return nil }); err != nil {
		h.t.Fatal(err)
	}
}

// credential opens what the store holds.
func (h *house) credential(r storage.Ref) auth.Credential {
	h.t.Helper()
	c, err := h.vault(nil).OpenCredential(context.Background(), r, h.record(r).Credential)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// expireAt has the token of r end at the given time.
func (h *house) expireAt(r storage.Ref, at time.Time) {
	h.t.Helper()
	h.change(r, func(c *storage.Connection) {
		c.ExpiresAt = at.UTC().Truncate(time.Millisecond)
		c.RefreshAt = c.ExpiresAt.Add(-5 * time.Minute)
	})
}

// expire moves time to just after the end of the tokens made so far.
func (h *house) expire() { time.Sleep(h.provider.manner().life) }

// read asks for a token and returns the access token, the warning and the error.
func (i *instance) read(r storage.Ref, w Wish) (token, warning string, err error) {
	live, err := i.Token(context.Background(), r, w)
	if err != nil {
		return "", "", err
	}
	return accessToken(live), live.Warning, nil
}

func accessToken(l Live) string {
	var a answer
	if err := json.Unmarshal(l.AppendJSON(nil), &a); err != nil {
		return "not an answer: " + err.Error()
	}
	return a.AccessToken
}

// kill ends the process: whatever it does next, it does not do.
func (i *instance) kill() { i.link.dead.Store(true) }

// reads checks one read.
func (h *house) reads(i *instance, r storage.Ref, want, warning string) {
	h.t.Helper()
	got, warned, err := i.read(r, Wish{})
	if err != nil || got != want || warned != warning {
		h.t.Fatalf("Token = %q, warning %q, %v; want %q, warning %q", got, warned, err, want, warning)
	}
}

// fails checks one read that must fail with kind, and returns how long the reader is told to wait.
func (h *house) fails(i *instance, r storage.Ref, kind fault.Kind, code string) time.Duration {
	h.t.Helper()
	got, _, err := i.read(r, Wish{})
	if err == nil || fault.KindOf(err) != kind || code != "" && codeOf(err) != code {
		h.t.Fatalf("Token = %q, %v (%v, code %q); want %v, code %q", got, err, fault.KindOf(err), codeOf(err), kind, code)
	}
	return fault.As(err).RetryAfter
}

// calls checks how many requests the provider has seen.
func (h *house) calls(want int) {
	h.t.Helper()
	if got := len(h.provider.seen()); got != want {
		h.t.Fatalf("the provider saw %d calls, want %d", got, want)
	}
}

// count returns how many events of a kind the record has emitted.
func count(events []audit.Event, kind audit.Kind) int {
	n := 0
	for _, e := range events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}
