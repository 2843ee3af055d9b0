package connection

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// AppView is an app without its secret.
type AppView struct {
	ID          string `json:"id"`
	Connector   string `json:"connector"`
	Method      string `json:"method,omitempty"`
	Environment string `json:"environment,omitempty"`
	// Issuer is the server the app is registered at, where there are many; "*": any of them.
	Issuer    string `json:"issuer,omitempty"`
	Name      string `json:"name"`
	ClientID  string `json:"client_id"`
	HasSecret bool   `json:"has_secret"`
	// Fields are what is registered beside the client id and is not secret; SecretFields name the rest.
	Fields        map[string]string `json:"fields"`
	SecretFields  []string          `json:"secret_fields"`
	Scopes        []string          `json:"scopes"`
	RefusedSince  *time.Time        `json:"refused_since"`
	RefusedReason string            `json:"refused_reason,omitempty"`
	CreatedAt     time.Time         `json:"created_at"`
	UpdatedAt     time.Time         `json:"updated_at"`
}

// AppInput is what an operator says about an app. Nil leaves a thing as it is.
type AppInput struct {
	Connector   string
	Method      string
	Environment string
	// Issuer is the server the app is registered at, or "*"; empty leaves it as it is.
	Issuer       string
	Name         *string
	ClientID     *string
	ClientSecret *string
	// Fields are what is registered beside them; of a change, nil takes one away.
	Fields map[string]*string
	Scopes []string
}

func appView(a storage.App) AppView {
	names := slices.Clone(a.SecretNames)
	hasSecret := slices.Contains(names, clientSecret) || len(names) == 0 && len(a.Secrets) > 0
	fields := a.Fields
	if fields == nil {
		fields = map[string]string{}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == clientSecret })
	return AppView{
		ID: a.ID, Connector: a.Connector, Method: a.Auth, Environment: a.Environment, Issuer: a.Issuer, Name: a.Name, ClientID: a.ClientID,
		HasSecret: hasSecret, Fields: fields, SecretFields: list(names),
		Scopes: list(a.Scopes), RefusedSince: moment(a.Refused), RefusedReason: a.RefusedReason,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

// Apps lists the tenant's apps, of one connector or (empty) of all.
func (s *Service) Apps(ctx context.Context, p access.Principal, connector string) ([]AppView, error) {
	if err := allowed(p, access.ReadApps); err != nil {
		return nil, err
	}
	apps, err := s.Store.Apps(ctx, p.Tenant, connector)
	if err != nil {
		return nil, err
	}
	out := make([]AppView, 0, len(apps))
	for _, a := range apps {
		if a.RegisteringUntil.IsZero() {
			out = append(out, appView(a))
		}
	}
	return out, nil
}

// CreateApp keeps a registration at a provider.
func (s *Service) CreateApp(ctx context.Context, p access.Principal, in AppInput) (AppView, error) {
	if err := allowed(p, access.WriteApps); err != nil {
		return AppView{}, err
	}
	k, err := s.Vault.Catalog.Current(ctx, p.Tenant, in.Connector)
	if err != nil {
		return AppView{}, fault.Field("connector", "there is no connector "+in.Connector)
	}
	if in.Method != "" && k.Method(in.Method) == nil {
		return AppView{}, fault.Field("method", k.Name+" has no method "+in.Method)
	}
	if !slices.ContainsFunc(k.Auth, func(a *definition.Auth) bool { return a.UsesApp() && (in.Method == "" || a.ID == in.Method) }) {
		return AppView{}, fault.Field("method", k.Name+" makes no use of an app here")
	}
	if in.Environment != "" && !k.Environments.Has(in.Environment) {
		return AppView{}, fault.Field("environment", k.Name+" has no environment "+in.Environment)
	}
	a, err := s.filledApp(ctx, k, storage.App{
		Ref: storage.Ref{Tenant: p.Tenant, ID: "app_" + rand.Text()}, Connector: k.ID, Auth: in.Method,
		Environment: in.Environment, Name: k.Name, CreatedAt: now(), UpdatedAt: now(),
	}, in)
	if err != nil {
		return AppView{}, err
	}
	a.Revision = 1
	a.Outbox = append(a.Outbox, audit.New(audit.AppCreated, a.Tenant, a.ID, actor(p), map[string]string{"connector": a.Connector}))
	if err := s.Store.CreateApp(ctx, a); err != nil {
		return AppView{}, err
	}
	return appView(a), nil
}

// wantIssuer has the server named that an app is registered at, where people type which server they mean:
// what proves who the app is goes to no other, unless the operator says that it may go to any.
func wantIssuer(k *definition.Connector, method, issuer string) error {
	u, err := url.Parse(issuer)
	switch byServer := k.AppsByServer(method); {
	case issuer == "" && byServer:
		return fault.Field("issuer", "say at which server this app is registered; "+k.Name+" is used with many")
	case issuer == "", issuer == auth.AnyServer && byServer:
		return nil
	case !byServer:
		return fault.Field("issuer", "nobody types where "+k.Name+" is, so its server needs no naming")
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fault.Field("issuer", "this must be the address of a server, such as https://id.example.com")
	}
	return nil
}

// UpdateApp changes an app; a new secret or client id lets its connections try again at once.
func (s *Service) UpdateApp(ctx context.Context, p access.Principal, id string, in AppInput) (AppView, error) {
	if err := allowed(p, access.WriteApps); err != nil {
		return AppView{}, err
	}
	a, err := s.changeApp(ctx, storage.Ref{Tenant: p.Tenant, ID: id}, in, func(a *storage.App) {
		a.Refused, a.RetryAt, a.RefusedReason, a.UpdatedAt = time.Time{}, time.Time{}, "", now()
		a.Outbox = append(a.Outbox, audit.New(audit.AppUpdated, a.Tenant, a.ID, actor(p), map[string]string{"connector": a.Connector}))
	})
	if err != nil {
		return AppView{}, noApp(err)
	}
	return appView(a), s.wake(ctx, a)
}

// wake makes the connections of an app due that were waiting for it to be mended.
func (s *Service) wake(ctx context.Context, a storage.App) error {
	before := ""
	for {
		cs, err := s.Store.Connections(ctx, storage.ConnectionQuery{Tenant: a.Tenant, App: a.ID, Status: storage.Active, Before: before, Limit: 200})
		if err != nil || len(cs) == 0 {
			return err
		}
		for _, c := range cs {
			before = c.ID
			if c.RefreshAt.IsZero() || c.ExpiresAt.IsZero() {
				continue
			}
			_, err := s.Store.UpdateConnection(ctx, c.Ref, func(c *storage.Connection) error {
				if c.RefreshAt.After(now()) && c.Health.LastRefreshError != "" {
					c.RefreshAt, c.Health.Failures = now(), 0
				}
				return nil
			})
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
	}
}

// DeleteApp removes an app that no connection uses.
func (s *Service) DeleteApp(ctx context.Context, p access.Principal, id string) error {
	if err := allowed(p, access.WriteApps); err != nil {
		return err
	}
	for _, status := range []storage.Status{storage.Active, storage.NeedsReauth, storage.Disabled} {
		cs, err := s.Store.Connections(ctx, storage.ConnectionQuery{Tenant: p.Tenant, App: id, Status: status, Limit: 1})
		if err != nil {
			return err
		}
		if len(cs) > 0 {
			return fault.E(fault.Conflict, "connections still use this app; disconnect them first", nil).WithCode("app-in-use")
		}
	}
	e := audit.New(audit.AppDeleted, p.Tenant, id, actor(p), nil)
	if err := s.Store.DeleteApp(ctx, storage.Ref{Tenant: p.Tenant, ID: id}); err != nil {
		return noApp(err)
	}
	return s.Store.AppendEvents(ctx, []audit.Event{e})
}

func noApp(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.E(fault.NotFound, "there is no such app", err)
	}
	return err
}
