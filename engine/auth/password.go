package auth

import (
	"cmp"
	"context"
	"errors"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// Password returns the resource owner password credentials grant (RFC 6749 §4.3), for providers that
// offer nothing better: RFC 9700 §2.4 forbids it everywhere else.
func Password() Method { return password{} }

type password struct{ applied }

var (
	_ Refresher = password{}
	_ Revoker   = password{}
)

// Kind implements Method.
func (password) Kind() definition.AuthKind { return definition.Password }

// Begin trades what was typed for a token. The password is not kept after that (RFC 6749 §4.3.1), unless
// the definition says that it is what renews the token.
func (m password) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	done, err := m.request(ctx, r, nil)
	if refused := deadGrant(err); refused != nil {
		return nil, Pending{}, r.notAccepted(refused, "credential-rejected")
	}
	if err != nil {
		return nil, Pending{}, err
	}
	done.Credential.Fields = Kept(r.Auth, r.Fields)
	return done, Pending{}, nil
}

// Kept are the answers that stay with a credential of a.
func Kept(a *definition.Auth, fields map[string]secret.Value) map[string]secret.Value {
	out := make(map[string]secret.Value, len(fields))
	for name, v := range fields {
		if a.Kept(name) {
			out[name] = v
		}
	}
	return out
}

// deadGrant returns the refusal of a first request that said the same as of a grant that has ended.
func deadGrant(err error) *fault.Error {
	f := fault.As(err)
	if f == nil || f.Kind != fault.Refused {
		return nil
	}
	if inner := fault.As(errors.Unwrap(f)); inner != nil && inner.Kind == fault.NeedsReauth {
		return inner
	}
	return nil
}

func (password) request(ctx context.Context, r Request, before *Credential) (Done, error) {
	env := r.env(before)
	if id, _ := r.client(env); id == "" && r.Auth.NeedsApp() {
		return Done{}, r.noApp()
	}
	standard, err := r.passwordParams(env)
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

// passwordParams are the parameters of RFC 6749 §4.3.2.
func (r Request) passwordParams(env definition.Env) ([]pair, error) {
	user, err := r.Auth.Username.Fill(env)
	if err != nil {
		return nil, invalidRequest("token", err)
	}
	word, err := r.Auth.Password.Fill(env)
	if err != nil {
		return nil, invalidRequest("token", err)
	}
	scopes, err := r.scopeParams(env)
	if err != nil {
		return nil, err
	}
	out := []pair{{"grant_type", cmp.Or(r.Auth.Token.GrantType, "password")}, {"username", user}, {"password", word}}
	return append(out, scopes...), nil
}

// Complete is never called: Begin is Done.
func (password) Complete(context.Context, Request, Pending, Answer) (Step, error) {
	return nil, nothingPending()
}

// Refresh renews c, or logs in again where the definition says so.
func (m password) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	if r.Auth.RefreshGrant() != definition.GrantPassword {
		return refresh(ctx, r, c)
	}
	r.Fields = c.Fields
	done, err := m.request(ctx, r, &c)
	return done.Credential, err
}

// Revoke tells the provider, as the definition says.
func (password) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, Password(), r, c)
}
