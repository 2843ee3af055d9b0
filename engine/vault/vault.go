// Package vault opens and seals what is secret in records, and puts together what a Method needs to
// work on one of them: the definition version, the app with its secret, the person's answers.
//
// It decides nothing: whether a caller may, whether a credential is due, and what is written where is
// the business of the services above.
package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// Apps is the part of the store this room reads.
type Apps interface {
	App(ctx context.Context, r storage.Ref) (storage.App, error)
	Apps(ctx context.Context, tenant, connector string) ([]storage.App, error)
}

// Vault opens and seals. It is safe for concurrent use.
type Vault struct {
	Keyring     *secret.Keyring
	Catalog     *definition.Catalog
	Apps        Apps
	Methods     auth.Registry
	Outlet      *auth.Outlet
	RedirectURI string
}

// The kinds of sealed values, part of what each is bound to.
const (
	kindCredential = "credential"
	kindApp        = "app"
	kindFlow       = "flow"
)

// SealCredential seals c for the connection r.
func (v *Vault) SealCredential(ctx context.Context, r storage.Ref, c auth.Credential) (secret.Sealed, error) {
	b, err := c.Encode()
	if err != nil {
		return nil, err
	}
	return v.Keyring.Seal(ctx, secret.Binding{Tenant: r.Tenant, Kind: kindCredential, ID: r.ID}, b)
}

// OpenCredential opens the credential of the connection r.
func (v *Vault) OpenCredential(ctx context.Context, r storage.Ref, s secret.Sealed) (auth.Credential, error) {
	b, err := v.Keyring.Open(ctx, secret.Binding{Tenant: r.Tenant, Kind: kindCredential, ID: r.ID}, s)
	if err != nil {
		return auth.Credential{}, unreadable(err)
	}
	c, err := auth.DecodeCredential(b)
	if err != nil {
		return auth.Credential{}, unreadable(fault.E(fault.Corrupt, "", err))
	}
	return c, nil
}

func unreadable(err error) error {
	if fault.KindOf(err) != fault.Corrupt {
		return fmt.Errorf("open credential: %w", err)
	}
	return fault.E(fault.Corrupt, "the stored credential cannot be read", err)
}

// Seal seals any value of a flow.
func (v *Vault) Seal(ctx context.Context, flow storage.Ref, value any) (secret.Sealed, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode pending flow: %w", err)
	}
	return v.Keyring.Seal(ctx, secret.Binding{Tenant: flow.Tenant, Kind: kindFlow, ID: flow.ID}, b)
}

// Open opens what Seal sealed.
func (v *Vault) Open(ctx context.Context, flow storage.Ref, s secret.Sealed, value any) error {
	b, err := v.Keyring.Open(ctx, secret.Binding{Tenant: flow.Tenant, Kind: kindFlow, ID: flow.ID}, s)
	if err != nil {
		return fmt.Errorf("open pending flow: %w", err)
	}
	if err := json.Unmarshal(b, value); err != nil {
		return fmt.Errorf("decode pending flow: %w", err)
	}
	return nil
}

// AppSecrets is what is secret about an app.
type AppSecrets struct {
	// ClientSecrets, newest first: the first is used.
	ClientSecrets []string `json:"client_secrets"`
	// Fields are the secret ones of what is registered beside it, by name.
	Fields map[string]string `json:"fields,omitempty"`
}

// SealApp seals an app's secrets.
func (v *Vault) SealApp(ctx context.Context, r storage.Ref, s AppSecrets) (secret.Sealed, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode app secrets: %w", err)
	}
	return v.Keyring.Seal(ctx, secret.Binding{Tenant: r.Tenant, Kind: kindApp, ID: r.ID}, b)
}

// App opens the app with the given id. One that is gone is Misconfigured.
func (v *Vault) App(ctx context.Context, r storage.Ref) (auth.App, error) {
	a, err := v.Apps.App(ctx, r)
	if fault.KindOf(err) == fault.NotFound {
		return auth.App{}, fault.E(fault.Misconfigured, "the app this connection was made with is gone", err).WithCode("app-missing")
	}
	if err != nil {
		return auth.App{}, fmt.Errorf("read app: %w", err)
	}
	return v.openApp(ctx, a)
}

// AppSecrets opens an app's secrets; those of an app without any are empty.
func (v *Vault) AppSecrets(ctx context.Context, a storage.App) (AppSecrets, error) {
	var s AppSecrets
	if len(a.Secrets) == 0 {
		return s, nil
	}
	b, err := v.Keyring.Open(ctx, secret.Binding{Tenant: a.Tenant, Kind: kindApp, ID: a.ID}, a.Secrets)
	if err != nil {
		return s, fmt.Errorf("open app: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("decode app secrets: %w", err)
	}
	return s, nil
}

func (v *Vault) openApp(ctx context.Context, a storage.App) (auth.App, error) {
	s, err := v.AppSecrets(ctx, a)
	if err != nil {
		return auth.App{}, err
	}
	return s.App(a), nil
}

// App is a with its secrets.
func (s AppSecrets) App(a storage.App) auth.App {
	out := auth.App{ID: a.ID, ClientID: a.ClientID, Scopes: a.Scopes, Server: a.Issuer}
	if len(s.ClientSecrets) > 0 {
		out.ClientSecret = secret.New(s.ClientSecrets[0])
	}
	if n := len(a.Fields) + len(s.Fields); n > 0 {
		out.Fields = make(map[string]secret.Value, n)
		maps.Copy(out.Fields, auth.Values(a.Fields))
		maps.Copy(out.Fields, auth.Values(s.Fields))
	}
	return out
}

// Attachment puts together what it takes to put the credential of c on a request, which is Request
// without the app unless the definition sends something of it along.
func (v *Vault) Attachment(ctx context.Context, c storage.Connection) (auth.Method, auth.Request, error) {
	m, r, err := v.described(ctx, c)
	if err != nil || c.App == "" || !r.Connector.AttachesApp(r.Auth) {
		return m, r, err
	}
	r.App, err = v.App(ctx, storage.Ref{Tenant: c.Tenant, ID: c.App})
	return m, r, err
}

// Request puts together what a Method needs to work on c.
func (v *Vault) Request(ctx context.Context, c storage.Connection) (auth.Method, auth.Request, error) {
	m, r, err := v.described(ctx, c)
	if err != nil || c.App == "" {
		return m, r, err
	}
	r.App, err = v.App(ctx, storage.Ref{Tenant: c.Tenant, ID: c.App})
	return m, r, err
}

// RequestWith is Request for a caller who has read the app of c already; app is zero if c has none.
func (v *Vault) RequestWith(ctx context.Context, c storage.Connection, app storage.App) (auth.Method, auth.Request, error) {
	m, r, err := v.described(ctx, c)
	if err != nil || c.App == "" {
		return m, r, err
	}
	r.App, err = v.openApp(ctx, app)
	return m, r, err
}

// described is Request without the app.
func (v *Vault) described(ctx context.Context, c storage.Connection) (auth.Method, auth.Request, error) {
	k, err := v.Catalog.Version(ctx, c.Tenant, c.Connector, c.ConnectorVersion)
	if err != nil {
		return nil, auth.Request{}, err
	}
	a := k.Method(c.Auth)
	if a == nil {
		return nil, auth.Request{}, fault.E(fault.Misconfigured, "the connector no longer has this method", nil).WithCode("definition-missing")
	}
	m, err := v.Methods.Method(a.Kind)
	if err != nil {
		return nil, auth.Request{}, err
	}
	return m, auth.Request{
		Connector: k, Auth: a, Inputs: c.Inputs, Captured: c.Captured, Discovered: c.Discovered, RedirectURI: v.RedirectURI, Outlet: v.Outlet,
	}, nil
}
