package auth

import (
	"cmp"
	"context"
	"net/url"

	"golang.org/x/oauth2"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// AuthorizationCode returns the authorization code grant (RFC 6749 §4.1) with PKCE (RFC 7636).
func AuthorizationCode() Method { return authorizationCode{} }

type authorizationCode struct{ applied }

var (
	_ Refresher = authorizationCode{}
	_ Revoker   = authorizationCode{}
)

// Kind implements Method.
func (authorizationCode) Kind() definition.AuthKind { return definition.AuthorizationCode }

// Begin makes the authorization request (RFC 6749 §4.1.1).
func (authorizationCode) Begin(_ context.Context, r Request) (Step, Pending, error) {
	if id, _ := r.client(r.env(nil)); id == "" {
		return nil, Pending{}, fault.E(fault.Misconfigured, r.Connector.Name+" has no app yet: an operator has to add its client id", nil).WithCode("app-missing")
	}
	p := Pending{State: newState(), Requested: r.requestedScopes()}
	if r.Auth.PKCE.Used() {
		p.Verifier = oauth2.GenerateVerifier()
	}
	u, err := r.authorization(p)
	if err != nil {
		return nil, Pending{}, err
	}
	if u, err = r.browserURL(u); err != nil {
		return nil, Pending{}, err
	}
	return Redirect{URL: u}, p, nil
}

// authorization is the address the browser is sent to.
func (r Request) authorization(p Pending) (*url.URL, error) {
	env := r.env(nil)
	u, err := r.Auth.Authorize.URL.FillURL(env)
	if err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	standard, err := r.authorizeParams(p, env)
	if err != nil {
		return nil, err
	}
	params, err := merged(standard, r.Auth.Authorize.Names, r.Auth.Authorize.Params, env)
	if err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	u.RawQuery = joinQuery(u.RawQuery, encode(params))
	return u, nil
}

func (r Request) authorizeParams(p Pending, env definition.Env) ([]pair, error) {
	id, _ := r.client(env)
	out := []pair{
		{"response_type", "code"}, {"client_id", id}, {"redirect_uri", r.RedirectURI}, {"state", p.State},
	}
	scopes, err := r.scopeParams(env)
	if err != nil {
		return nil, err
	}
	out = append(out, scopes...)
	if p.Verifier == "" {
		return out, nil
	}
	if r.Auth.PKCE.Method == "plain" {
		return append(out, pair{"code_challenge", p.Verifier}, pair{"code_challenge_method", "plain"}), nil
	}
	return append(out, pair{"code_challenge", oauth2.S256ChallengeFromVerifier(p.Verifier)}, pair{"code_challenge_method", "S256"}), nil
}

// Complete reads the authorization response (RFC 6749 §4.1.2) and exchanges the code (§4.1.3).
func (authorizationCode) Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error) {
	if err := r.checkCallback(a.Query); err != nil {
		return nil, err
	}
	code := a.Query.Get(cmp.Or(r.Auth.Callback.Code, "code"))
	if code == "" {
		return nil, fault.E(fault.Refused, r.Connector.Name+" sent the browser back without a code", nil).WithCode("code-missing")
	}
	query := make(map[string]any, len(a.Query))
	for k, v := range a.Query {
		query[k] = v[0]
	}
	env := r.env(nil)
	env["callback"] = map[string]any{"redirect_uri": r.RedirectURI, "code": code, "query": query}
	captured := capture(r.Auth.Callback.Capture, env)
	r.Captured = merge(r.Captured, captured)
	env["captured"] = anyMap(r.Captured)
	standard := r.codeParams(code, p)
	done, err := r.exchange(ctx, r.Auth.Token, standard, env, nil)
	if err != nil {
		return nil, err
	}
	done.Captured = merge(captured, done.Captured)
	if len(done.Credential.Scopes) == 0 {
		// An answer without scope grants what was asked for (RFC 6749 §5.1).
		done.Credential.Scopes = p.Requested
	}
	return done, nil
}

// Refresh renews c (RFC 6749 §6), or trades its access token where the definition says so. A c that
// cannot be renewed is fault.NeedsReauth.
func (authorizationCode) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	if !c.Renewable(r.Auth) {
		return Credential{}, notRenewable()
	}
	t := refreshRequest(r.Auth)
	standard := r.refreshParams(t, c)
	r.Fields = c.Fields
	done, err := r.exchange(ctx, t, standard, r.env(&c), &c)
	return done.Credential, err
}

// codeParams are the parameters of RFC 6749 §4.1.3.
func (r Request) codeParams(code string, p Pending) []pair {
	out := []pair{{"grant_type", cmp.Or(r.Auth.Token.GrantType, "authorization_code")}, {"code", code}, {"redirect_uri", r.RedirectURI}}
	if p.Verifier != "" {
		out = append(out, pair{"code_verifier", p.Verifier})
	}
	return out
}

// Revoke tells the provider, as the definition says.
func (authorizationCode) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, AuthorizationCode(), r, c)
}

// newState returns 256 random bits in 43 characters (RFC 6749 §10.10).
func newState() string { return oauth2.GenerateVerifier() }
