package auth

import (
	"cmp"
	"context"

	"dowel/engine/definition"
)

// JWTBearer returns the JWT bearer grant (RFC 7523 §2.1): a signed assertion is traded for a token, and
// a new one for the next.
func JWTBearer() Method { return jwtBearer{} }

type jwtBearer struct{ applied }

var (
	_ Refresher = jwtBearer{}
	_ Revoker   = jwtBearer{}
)

// Kind implements Method.
func (jwtBearer) Kind() definition.AuthKind { return definition.JWTBearer }

// Begin asks for a token at once: whoever has the key may. Where the person has to choose or install
// something at the provider, the browser goes there first.
func (m jwtBearer) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	if r.Auth.Authorize != nil {
		return r.leave(ctx, Pending{})
	}
	done, err := m.obtain(ctx, r)
	if err != nil {
		return nil, Pending{}, err
	}
	return done, Pending{}, nil
}

func (m jwtBearer) obtain(ctx context.Context, r Request) (Done, error) {
	done, err := m.request(ctx, r, nil)
	done.Credential.Fields = r.Fields
	return done, err
}

func (jwtBearer) request(ctx context.Context, r Request, before *Credential) (Done, error) {
	env := r.env(before)
	standard, err := r.assertionParams(env)
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

// grantJWTBearer is the grant type of RFC 7523 §2.1.
const grantJWTBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// assertionParams are the parameters of RFC 7523 §2.1. The assertion also gets its name in env, for a
// definition that sends it in another place.
func (r Request) assertionParams(env definition.Env) ([]pair, error) {
	standard := map[string]any{}
	if id, _ := r.client(env); id != "" {
		standard["iss"] = id
	}
	if err := r.addAudience(standard, env); err != nil {
		return nil, err
	}
	assertion, err := r.jwt("assertion", r.Auth.Assertion, standard, env)
	if err != nil {
		return nil, err
	}
	env["assertion"] = assertion
	scopes, err := r.scopeParams(env)
	if err != nil {
		return nil, err
	}
	grantType := cmp.Or(r.Auth.Token.GrantType, grantJWTBearer)
	return append([]pair{{"grant_type", grantType}, {"assertion", assertion}}, scopes...), nil
}

// addAudience adds whom a token is made for: the token endpoint (RFC 7523 §3).
func (r Request) addAudience(claims map[string]any, env definition.Env) error {
	u, err := r.Auth.Token.URL.FillURL(env)
	if err != nil {
		return invalidRequest("token", err)
	}
	claims["aud"] = u.String()
	return nil
}

// Complete asks for a token once the browser is back.
func (m jwtBearer) Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error) {
	return r.afterConsent(ctx, p, a, m.obtain)
}

// Refresh trades another assertion. An invalid_grant, which says here that the key or what it speaks
// for is refused, is fault.NeedsReauth as for every grant.
func (m jwtBearer) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	if !c.Renewable(r.Auth) {
		return Credential{}, notRenewable()
	}
	r.Fields = c.Fields
	done, err := m.request(ctx, r, &c)
	return done.Credential, err
}

// Revoke tells the provider, as the definition says.
func (jwtBearer) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, JWTBearer(), r, c)
}
