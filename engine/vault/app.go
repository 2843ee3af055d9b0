package vault

import (
	"cmp"
	"context"
	"fmt"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// AppFor finds the tenant's app for r, which has everything but the app. Of several, the one registered
// closest to the server that the person means comes first, then one for the method alone, then one for the
// environment alone. Kinds that can do without, and those whose apps register themselves, give the zero App
// if there is none.
func (v *Vault) AppFor(ctx context.Context, tenant string, r auth.Request) (auth.App, error) {
	if !r.Auth.UsesApp() {
		return auth.App{}, nil
	}
	servers, err := r.AppServers()
	if err != nil {
		return auth.App{}, err
	}
	apps, err := v.Apps.Apps(ctx, tenant, r.Connector.ID)
	if err != nil {
		return auth.App{}, fmt.Errorf("read apps: %w", err)
	}
	var best *storage.App
	for i := range apps {
		if p := &apps[i]; usable(p, r) && servers.Fit(p.Issuer) >= 0 && (best == nil || closer(servers, p, best)) {
			best = p
		}
	}
	switch {
	case best != nil:
		return v.complete(ctx, *best, r.Connector, r.Auth)
	case !r.Auth.NeedsApp():
		return auth.App{}, nil
	case servers.Typed():
		return auth.App{}, servers.NoApp()
	}
	return auth.App{}, fault.E(fault.Misconfigured, r.Connector.Name+" has no app yet: an operator has to add its client id", nil).WithCode("app-missing")
}

// usable reports whether an app was added by an operator, for the method and the environment of r.
func usable(p *storage.App, r auth.Request) bool {
	_, itself := p.Fields[auth.MethodField]
	if itself || !p.RegisteringUntil.IsZero() {
		return false
	}
	environment := r.Inputs[definition.EnvironmentInput]
	return (p.Auth == "" || p.Auth == r.Auth.ID) && (p.Environment == "" || p.Environment == environment)
}

// closer reports whether p comes before q.
func closer(servers auth.AppServers, p, q *storage.App) bool {
	return cmp.Or(
		cmp.Compare(servers.Fit(p.Issuer), servers.Fit(q.Issuer)),
		cmp.Compare(len(p.Auth), len(q.Auth)), // equal, or one has none
		cmp.Compare(len(p.Environment), len(q.Environment)),
	) > 0
}

// AppIn is an app, and the environment it is for; empty: all.
type AppIn struct {
	auth.App
	Environment string
}

// AppsFor opens all of the tenant's apps that a method may be used with.
func (v *Vault) AppsFor(ctx context.Context, tenant string, c *definition.Connector, a *definition.Auth) ([]AppIn, error) {
	apps, err := v.Apps.Apps(ctx, tenant, c.ID)
	if err != nil {
		return nil, fmt.Errorf("read apps: %w", err)
	}
	var out []AppIn
	for _, p := range apps {
		if p.Auth != a.ID && p.Auth != "" {
			continue
		}
		app, err := v.openApp(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, AppIn{app, p.Environment})
	}
	return out, nil
}

// complete opens an app that a flow is to begin with; one that lacks what the method has to know is
// Misconfigured.
func (v *Vault) complete(ctx context.Context, app storage.App, c *definition.Connector, a *definition.Auth) (auth.App, error) {
	out, err := v.openApp(ctx, app)
	if err != nil {
		return auth.App{}, err
	}
	for _, f := range a.AppFields {
		if f.Must() && out.Fields[f.Name].IsZero() {
			return auth.App{}, fault.E(fault.Misconfigured, "the app of "+c.Name+" is not complete: an operator has to add its "+f.Label, nil)
		}
	}
	return out, nil
}
