package vault

import (
	"context"
	"sync"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// memory keeps apps and keysets, and counts the reads of apps.
type memory struct {
	mu      sync.Mutex
	keysets map[string][]byte
	apps    []storage.App
	reads   int
}

func (m *memory) Keyset(_ context.Context, tenant string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b, ok := m.keysets[tenant]; ok {
		return b, nil
	}
	return nil, fault.E(fault.NotFound, "no keyset", nil)
}

func (m *memory) CreateKeyset(_ context.Context, tenant string, wrapped []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keysets[tenant] = wrapped
	return nil
}

func (m *memory) App(_ context.Context, r storage.Ref) (storage.App, error) {
	m.reads++
	for _, a := range m.apps {
		if a.Ref == r {
			return a, nil
		}
	}
	return storage.App{}, fault.E(fault.NotFound, "no such app", nil)
}

func (m *memory) Apps(_ context.Context, tenant, connector string) ([]storage.App, error) {
	var list []storage.App
	for _, a := range m.apps {
		if a.Tenant == tenant && a.Connector == connector {
			list = append(list, a)
		}
	}
	return list, nil
}

const plain = `
id: acme
name: Acme
categories: [test]
hosts: [acme.example]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: https://acme.example/authorize}
    scopes: {default: [read]}
    token: {url: https://acme.example/token, client_auth: body}
    refresh: {grant: refresh_token, rotation: always}
test: {get: https://acme.example/me}
`

func newVault(t *testing.T, source string) (*Vault, *memory, *definition.Connector) {
	t.Helper()
	c, findings := definition.Parse("acme.yaml", []byte(source))
	if c == nil {
		t.Fatal(findings)
	}
	m := &memory{keysets: map[string][]byte{}}
	k, err := secret.NewKeyring(m, secret.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	v := &Vault{
		Keyring: k, Catalog: definition.NewCatalog([]*definition.Connector{c}), Apps: m,
		Methods: auth.NewRegistry(auth.AuthorizationCode()), Outlet: &auth.Outlet{},
	}
	return v, m, c
}

// app keeps an app whose client secret is its id.
func app(t *testing.T, v *Vault, m *memory, id, method string) storage.App {
	t.Helper()
	a := storage.App{Ref: storage.Ref{Tenant: "t1", ID: id}, Connector: "acme", Auth: method, ClientID: "client-" + id}
	var err error
	if a.Secrets, err = v.SealApp(t.Context(), a.Ref, AppSecrets{ClientSecrets: []string{"secret-" + id, "older"}}); err != nil {
		t.Fatal(err)
	}
	m.apps = append(m.apps, a)
	return a
}

func TestACredentialOpensInItsOwnRecordOnly(t *testing.T) {
	v, _, _ := newVault(t, plain)
	home := storage.Ref{Tenant: "t1", ID: "conn_1"}
	want := auth.Credential{Kind: definition.AuthorizationCode, AccessToken: secret.New("at"), RefreshToken: secret.New("rt"), Fields: map[string]secret.Value{"f": secret.New("x")}}
	sealed, err := v.SealCredential(t.Context(), home, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.OpenCredential(t.Context(), home, sealed)
	if err != nil || got.AccessToken.Reveal() != "at" || got.RefreshToken.Reveal() != "rt" || got.Fields["f"].Reveal() != "x" {
		t.Fatalf("opened %+v, %v", got, err)
	}
	for _, elsewhere := range []storage.Ref{{Tenant: "t1", ID: "conn_2"}, {Tenant: "t2", ID: "conn_1"}} {
		if _, err := v.OpenCredential(t.Context(), elsewhere, sealed); fault.KindOf(err) != fault.Corrupt {
			t.Errorf("opened as %v: %v", elsewhere, err)
		}
	}
	var pending auth.Pending
	if err := v.Open(t.Context(), home, sealed, &pending); fault.KindOf(err) != fault.Corrupt {
		t.Errorf("a credential opened as a pending flow: %v", err)
	}
}

func TestTheNewestClientSecretIsUsedAndAnAppThatIsGoneIsMisconfigured(t *testing.T) {
	v, m, c := newVault(t, plain)
	a := app(t, v, m, "app_1", "")
	record := storage.Connection{Ref: storage.Ref{Tenant: "t1", ID: "conn_1"}, Connector: "acme", ConnectorVersion: c.Version, Auth: "oauth", App: a.ID}
	_, r, err := v.Request(t.Context(), record)
	if err != nil || r.App.ClientSecret.Reveal() != "secret-app_1" || r.App.ClientID != "client-app_1" {
		t.Fatalf("app %+v, %v", r.App, err)
	}
	m.apps, m.reads = nil, 0
	if _, r, err = v.RequestWith(t.Context(), record, a); err != nil || r.App.ClientSecret.Reveal() != "secret-app_1" || m.reads != 0 {
		t.Errorf("with the app at hand: %+v, %v, %d reads", r.App, err, m.reads)
	}
	if _, _, err := v.Attachment(t.Context(), record); err != nil || m.reads != 0 {
		t.Errorf("a token is handed out without its app: %v, %d reads", err, m.reads)
	}
	if _, _, err := v.Request(t.Context(), record); fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("without the app: %v", err)
	}
}

func TestAVersionThatIsGoneIsSaidSo(t *testing.T) {
	v, _, c := newVault(t, plain)
	for name, record := range map[string]storage.Connection{
		"version": {Connector: "acme", ConnectorVersion: "gone", Auth: "oauth"},
		"method":  {Connector: "acme", ConnectorVersion: c.Version, Auth: "gone"},
	} {
		_, _, err := v.Request(t.Context(), record)
		if f := fault.As(err); f == nil || f.Kind != fault.Misconfigured || f.Code != "definition-missing" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
