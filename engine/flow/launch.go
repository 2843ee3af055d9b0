package flow

import (
	"context"
	"net/url"
	"slices"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
)

// Launched is what a provider says that has sent somebody here, for a person to confirm. It begins
// nothing: what follows is an ordinary flow, with a state of its own.
type Launched struct {
	Connector *definition.Connector
	Method    *definition.Auth
	Answers   map[string]string
	Subject   string
}

// Launch checks that the provider has sent somebody here, with the secrets of the tenant's apps. Whatever
// is wrong, the answer is the same: a stranger learns neither which tenants there are nor what they use.
func (s *Service) Launch(ctx context.Context, tenant, connector string, query url.Values) (Launched, error) {
	k, err := s.Vault.Catalog.Current(ctx, tenant, connector)
	if fault.KindOf(err) == fault.NotFound {
		return Launched{}, notLaunched(err)
	}
	if err != nil {
		return Launched{}, err
	}
	last := notLaunched(nil)
	for _, a := range k.Auth {
		if a.LaunchVerify() == nil {
			continue
		}
		apps, err := s.Vault.AppsFor(ctx, tenant, k, a)
		if err != nil {
			return Launched{}, err
		}
		for _, app := range apps {
			r := auth.Request{Connector: k, Auth: a, App: app.App, RedirectURI: s.Vault.RedirectURI, Outlet: s.Vault.Outlet}
			told, err := r.Launched(query)
			if err != nil {
				last = notLaunched(err)
				continue
			}
			if app.Environment != "" {
				told.Answers[definition.EnvironmentInput] = app.Environment
			}
			return Launched{Connector: k, Method: a, Answers: known(k, a, told.Answers), Subject: told.Subject}, nil
		}
	}
	s.Logger.Info("launch refused", "tenant", tenant, "connector", connector, "err", last)
	return Launched{}, last
}

func notLaunched(cause error) error {
	return fault.E(fault.Refused, "this link was not made by the provider", cause).WithCode("launch-refused")
}

// known leaves out answers to what is not asked.
func known(k *definition.Connector, a *definition.Auth, answers map[string]string) map[string]string {
	asked := slices.Concat(k.Inputs, a.Fields)
	out := map[string]string{}
	for name, v := range answers {
		if f, ok := asked.Named(name); ok && !f.Hidden && !f.Disabled && !f.Secret() {
			out[name] = v
		}
	}
	return out
}
