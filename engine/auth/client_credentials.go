package auth

import (
	"cmp"
	"context"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// ClientCredentials returns the client credentials grant (RFC 6749 §4.4). The client is the app, or
// what the person brings in fields named client_id and client_secret.
func ClientCredentials() Method { return clientCredentials{} }

type clientCredentials struct{ applied }

var (
	_ Refresher = clientCredentials{}
	_ Revoker   = clientCredentials{}
)

// Kind implements Method.
func (clientCredentials) Kind() definition.AuthKind { return definition.ClientCredentials }

// Begin asks for a token at once, unless somebody has to allow that first.
func (m clientCredentials) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	if r.Auth.Authorize != nil {
		return r.leave(ctx, Pending{})
	}
	done, err := m.obtain(ctx, r)
	if err != nil {
		return nil, Pending{}, err
	}
	return done, Pending{}, nil
}

func (m clientCredentials) obtain(ctx context.Context, r Request) (Done, error) {
	done, err := m.request(ctx, r, nil)
	done.Credential.Fields = r.Fields
	return done, err
}

func (clientCredentials) request(ctx context.Context, r Request, before *Credential) (Done, error) {
	env := r.env(before)
	if id, _ := r.client(env); id == "" {
		return Done{}, fault.E(fault.Misconfigured, r.Connector.Name+" has no client id", nil).WithCode("app-missing")
	}
	standard, err := r.clientParams(env)
	if err != nil {
		return Done{}, err
	}
	done, err := r.exchange(ctx, r.Auth.Token, standard, env, before)
	if err == nil && len(done.Credential.Scopes) == 0 {
		// An answer without scope grants what was asked for (RFC 6749 §5.1).
		done.Credential.Scopes = r.requestedScopes()
	}
	return done, err
}

// clientParams are the parameters of RFC 6749 §4.4.2.
func (r Request) clientParams(env definition.Env) ([]pair, error) {
	scopes, err := r.scopeParams(env)
	if err != nil {
		return nil, err
	}
	return append([]pair{{"grant_type", cmp.Or(r.Auth.Token.GrantType, "client_credentials")}}, scopes...), nil
}

// Complete asks for a token once that is allowed.
func (m clientCredentials) Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error) {
	return r.afterConsent(ctx, p, a, m.obtain)
}

// Refresh asks for another token.
func (m clientCredentials) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	r.Fields = c.Fields
	done, err := m.request(ctx, r, &c)
	return done.Credential, err
}

// Revoke tells the provider.
func (clientCredentials) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, ClientCredentials(), r, c)
}

func nothingPending() error { return fault.E(fault.Invalid, "nothing is waiting for an answer", nil) }
