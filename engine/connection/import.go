package connection

import (
	"cmp"
	"context"
	"errors"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// Import is a connection somebody brings along: answers a person would have typed, or tokens that
// were issued elsewhere to the same app.
type Import struct {
	Connector, Method, EndUser, Name string
	Answers                          map[string]string
	// The tokens of an OAuth connection; empty for typed kinds.
	AccessToken, TokenSecret, RefreshToken, TokenType string
	ExpiresAt                                         time.Time
	Scopes                                            []string
	Captured                                          map[string]string
	// SkipTest stores it without asking the provider, as unverified.
	SkipTest bool
}

// Import makes a connection without a person. The definition's test decides whether it is taken.
func (s *Service) Import(ctx context.Context, p access.Principal, in Import) (View, error) {
	if err := allowed(p, access.WriteConnections); err != nil {
		return View{}, err
	}
	if in.EndUser == "" || len(in.EndUser) > 200 {
		return View{}, fault.Field("end_user", "say whose connection this is, in 1 to 200 characters")
	}
	m, r, c, err := s.imported(ctx, p, in)
	if err != nil {
		return View{}, err
	}
	res := flow.Result{Connector: r.Connector, Auth: r.Auth, Credential: c, Inputs: r.Inputs, Captured: in.Captured, Discovered: r.Discovered, Unverified: in.SkipTest}
	if !in.SkipTest {
		if err := s.verifyImport(ctx, m, r, &res); err != nil {
			return View{}, err
		}
	}
	if err := s.keepDefinition(ctx, res); err != nil {
		return View{}, err
	}
	f := storage.Flow{
		Ref: storage.Ref{Tenant: p.Tenant}, Connector: r.Connector.ID, ConnectorVersion: r.Connector.Version,
		Auth: r.Auth.ID, App: r.App.ID, EndUser: in.EndUser,
	}
	rec := storage.Connection{
		Ref: storage.Ref{Tenant: p.Tenant, ID: newID()}, EndUser: in.EndUser, CreatedAt: now(),
		Name: cmp.Or(in.Name, flow.Label(res.Identity), r.Connector.Name),
	}
	if err := s.fill(ctx, &rec, f, res); err != nil {
		return View{}, err
	}
	rec.Emit(audit.New(audit.ConnectionCreated, rec.Tenant, rec.ID, actor(p), facts(rec)))
	if err := s.Store.CreateConnection(ctx, rec); err != nil {
		return View{}, err
	}
	return view(rec), nil
}

func (s *Service) imported(ctx context.Context, p access.Principal, in Import) (auth.Method, auth.Request, auth.Credential, error) {
	var none auth.Credential
	k, err := s.Vault.Catalog.Current(ctx, p.Tenant, in.Connector)
	if err != nil {
		return nil, auth.Request{}, none, fault.Field("connector", "there is no connector "+in.Connector)
	}
	a := k.Method(in.Method)
	if a == nil {
		return nil, auth.Request{}, none, fault.Field("method", k.Name+" has no method "+in.Method)
	}
	m, err := s.Vault.Methods.Method(a.Kind)
	if err != nil {
		return nil, auth.Request{}, none, err
	}
	inputs, fields, bad := flow.Split(k, a, in.Answers)
	if len(bad) > 0 {
		return nil, auth.Request{}, none, &flow.InvalidAnswers{Fields: bad}
	}
	r := auth.Request{Connector: k, Auth: a, Inputs: inputs, Fields: auth.Values(fields), Captured: in.Captured, RedirectURI: s.Vault.RedirectURI, Outlet: s.Vault.Outlet}
	if r.Discovered, err = auth.Discover(ctx, r); err != nil {
		if f := fault.As(err); f != nil && f.Field != "" {
			err = &flow.InvalidAnswers{Fields: []*fault.Error{f}}
		}
		return nil, auth.Request{}, none, err
	}
	if r.App, err = s.Vault.AppFor(ctx, p.Tenant, r); err != nil {
		return nil, auth.Request{}, none, err
	}
	if a.Token != nil && in.AccessToken != "" {
		usual := "Bearer"
		if a.Kind == definition.OAuth1 {
			usual = auth.OAuth1Type
		}
		return m, r, auth.Credential{
			Kind: a.Kind, AccessToken: secret.New(in.AccessToken), TokenSecret: secret.New(in.TokenSecret), RefreshToken: secret.New(in.RefreshToken),
			TokenType:  cmp.Or(in.TokenType, usual),
			ObtainedAt: now(), ExpiresAt: in.ExpiresAt.UTC().Truncate(time.Millisecond), Scopes: in.Scopes, Fields: auth.Kept(a, r.Fields),
		}, nil
	}
	if a.Kind.Consented() {
		return nil, auth.Request{}, none, fault.Field("access_token", "the access token is required for this method")
	}
	step, _, err := m.Begin(ctx, r)
	if err != nil {
		return nil, auth.Request{}, none, err
	}
	done, ok := step.(auth.Done)
	if !ok {
		return nil, auth.Request{}, none, fault.Field("method", "this method needs a person; use a connect session")
	}
	return m, r, done.Credential, nil
}

func (s *Service) verifyImport(ctx context.Context, m auth.Method, r auth.Request, res *flow.Result) error {
	reply, err := auth.Test(ctx, m, r, res.Credential)
	switch {
	case errors.Is(err, auth.ErrNoTest):
		return nil
	case err != nil:
		return err
	}
	res.Tested = true
	res.Identity, err = auth.Identify(ctx, m, r, res.Credential, &reply)
	if fault.KindOf(err) == fault.Refused {
		return err
	}
	return nil
}
