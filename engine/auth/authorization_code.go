package auth

import (
	"cmp"
	"context"
	"errors"

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
func (authorizationCode) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	var p Pending
	if r.Auth.PKCE.Used() {
		p.Verifier = oauth2.GenerateVerifier()
	}
	if r.Auth.IDToken != nil {
		p.Nonce = newState()
	}
	return r.leave(ctx, p)
}

// Complete reads the authorization response (RFC 6749 §4.1.2) and exchanges the code (§4.1.3).
func (authorizationCode) Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error) {
	r, captured, err := r.back(ctx, a)
	if errors.Is(err, errAwaited) {
		return Wait{}, nil
	}
	if err != nil {
		return nil, err
	}
	code := ""
	if name := r.Auth.CodeName(); name != "" {
		if code = cmp.Or(a.Query.Get(name), definition.Text(a.Posted[name])); code == "" {
			return nil, fault.E(fault.Refused, r.Connector.Name+" sent the browser back without a code", nil).WithCode("code-missing")
		}
	}
	r.callback["code"] = code
	done, err := r.exchange(ctx, r.Auth.Token, r.codeParams(code, p), r.env(nil), nil)
	if err != nil {
		return nil, err
	}
	done.Credential.Fields = r.Fields
	done.Captured = merge(captured, done.Captured)
	claims, err := r.verifyIDToken(ctx, done.Credential, p)
	if err != nil {
		return nil, err
	}
	r.learn(&done.Credential, claims)
	if len(done.Credential.Scopes) == 0 {
		// An answer without scope grants what was asked for (RFC 6749 §5.1).
		done.Credential.Scopes = p.Requested
	}
	return done, nil
}

// Refresh renews c.
func (authorizationCode) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	return refresh(ctx, r, c)
}

// codeParams are the parameters of RFC 6749 §4.1.3. Where no code comes back, the definition says what
// is traded instead.
func (r Request) codeParams(code string, p Pending) []pair {
	out := []pair{{"grant_type", cmp.Or(r.Auth.Token.GrantType, "authorization_code")}}
	if code != "" {
		out = append(out, pair{"code", code})
	}
	out = append(out, pair{"redirect_uri", r.redirectURI(p)})
	if p.Verifier != "" {
		out = append(out, pair{"code_verifier", p.Verifier})
	}
	return out
}

// Revoke tells the provider, as the definition says.
func (authorizationCode) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, AuthorizationCode(), r, c)
}
