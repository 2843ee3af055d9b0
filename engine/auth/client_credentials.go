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

// Begin asks for a token at once; there is nobody to ask.
func (m clientCredentials) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	done, err := m.request(ctx, r, nil)
	if err != nil {
		return nil, Pending{}, err
	}
	done.Credential.Fields = r.Fields
	return done, Pending{}, nil
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

// Complete is never called: Begin is Done.
func (clientCredentials) Complete(context.Context, Request, Pending, Answer) (Step, error) {
	return nil, nothingPending()
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
