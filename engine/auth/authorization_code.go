package auth

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

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
	if r.App.ClientID == "" {
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
	out := []pair{
		{"response_type", "code"}, {"client_id", r.App.ClientID}, {"redirect_uri", r.RedirectURI}, {"state", p.State},
	}
	for _, g := range r.scopeGroups() {
		scopes, err := r.scopesOf(&g.Scopes, env)
		if err != nil {
			return nil, err
		}
		name := g.Parameter
		if name == "" {
			name = "scope"
		}
		out = append(out, pair{name, strings.Join(scopes, g.Sep())})
	}
	if p.Verifier == "" {
		return out, nil
	}
	if r.Auth.PKCE.Method == "plain" {
		return append(out, pair{"code_challenge", p.Verifier}, pair{"code_challenge_method", "plain"}), nil
	}
	return append(out, pair{"code_challenge", oauth2.S256ChallengeFromVerifier(p.Verifier)}, pair{"code_challenge_method", "S256"}), nil
}

func (r Request) scopeGroups() definition.ScopeGroups {
	if r.Auth.Scopes != nil {
		return definition.ScopeGroups{{Scopes: *r.Auth.Scopes}}
	}
	return r.Auth.ScopeGroups
}

// scopesOf is what to ask for in one group: the app's own choice or the defaults, and always the
// required ones.
func (r Request) scopesOf(s *definition.Scopes, env definition.Env) ([]string, error) {
	out := slices.Clone(r.App.Scopes)
	if len(out) == 0 || len(r.Auth.ScopeGroups) > 0 {
		filled, err := fillScopes(s.Default, env)
		if err != nil {
			return nil, err
		}
		out = filled
	}
	required, err := fillScopes(s.Required, env)
	if err != nil {
		return nil, err
	}
	for _, q := range required {
		if !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	return out, nil
}

func fillScopes(ts []definition.Template, env definition.Env) ([]string, error) {
	var out []string
	for i := range ts {
		s, err := ts[i].Fill(env)
		if err != nil {
			return nil, invalidRequest("scope", err)
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

// requestedScopes lists every scope asked for, of all groups.
func (r Request) requestedScopes() []string {
	var all []string
	env := r.env(nil)
	for _, g := range r.scopeGroups() {
		s, _ := r.scopesOf(&g.Scopes, env) // the same error is returned when the parameters are made
		all = append(all, s...)
	}
	return all
}

// RequiredScopes lists the scopes without which a connection is of no use.
func (r Request) RequiredScopes() []string {
	var all []string
	env := r.env(nil)
	for _, g := range r.scopeGroups() {
		s, _ := fillScopes(g.Required, env)
		all = append(all, s...)
	}
	return all
}

// Complete reads the authorization response (RFC 6749 §4.1.2) and exchanges the code (§4.1.3).
func (authorizationCode) Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error) {
	if err := r.checkCallback(a.Query); err != nil {
		return nil, err
	}
	name := r.Auth.Callback.Code
	if name == "" {
		name = "code"
	}
	code := a.Query.Get(name)
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
	r.Captured = mergeMaps(r.Captured, captured)
	env["captured"] = anyMap(r.Captured)
	standard := r.codeParams(code, p)
	done, err := r.exchange(ctx, r.Auth.Token, standard, env, nil)
	if err != nil {
		return nil, err
	}
	done.Captured = mergeMaps(captured, done.Captured)
	if len(done.Credential.Scopes) == 0 {
		// An answer without scope grants what was asked for (RFC 6749 §5.1).
		done.Credential.Scopes = p.Requested
	}
	return done, nil
}

// checkCallback refuses an answer that is an error, is ambiguous, or is from another issuer.
func (r Request) checkCallback(q url.Values) error {
	for k, v := range q {
		if len(v) > 1 {
			// RFC 6749 §3.1: parameters must not be included more than once.
			return fault.E(fault.Invalid, "the answer contains "+clean(k, 40)+" twice", nil).WithCode("callback-ambiguous")
		}
	}
	if r.Auth.Issuer != nil {
		want, err := r.Auth.Issuer.Fill(r.env(nil))
		if err != nil {
			return invalidRequest("issuer", err)
		}
		// RFC 9207 §2.4: compare before anything is sent anywhere. A provider that sends no iss does
		// not support the parameter, and is not refused for it.
		if got := q.Get("iss"); got != "" && got != want {
			return fault.E(fault.Refused, "the answer is from another provider", fmt.Errorf("iss differs")).WithCode("issuer-mismatch")
		}
	}
	if code := q.Get("error"); code != "" {
		pe := &ProviderError{Code: clean(code, 80), Description: clean(q.Get("error_description"), 300)}
		kind, public := fault.Refused, r.Connector.Name+" did not allow the connection"
		if code == "temporarily_unavailable" || code == "server_error" {
			kind, public = fault.Unavailable, r.Connector.Name+" has a problem at the moment"
		}
		return fault.E(kind, public, pe).WithCode(pe.Code)
	}
	return nil
}

// Refresh renews c (RFC 6749 §6), or trades its access token where the definition says so.
func (authorizationCode) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	t := refreshRequest(r.Auth)
	standard := r.refreshParams(t, c)
	r.Fields = c.Fields
	done, err := r.exchange(ctx, t, standard, r.env(&c), &c)
	return done.Credential, err
}

// codeParams are the parameters of RFC 6749 §4.1.3.
func (r Request) codeParams(code string, p Pending) []pair {
	out := []pair{{"grant_type", grantType(r.Auth.Token.GrantType, "authorization_code")}, {"code", code}, {"redirect_uri", r.RedirectURI}}
	if p.Verifier != "" {
		out = append(out, pair{"code_verifier", p.Verifier})
	}
	return out
}

// refreshParams are the parameters of RFC 6749 §6; a trade of the access token has only what the
// definition says.
func (r Request) refreshParams(t *definition.TokenRequest, c Credential) []pair {
	if f := r.Auth.Refresh; f != nil && f.Grant == "access_token" {
		if t.GrantType == "" {
			return nil
		}
		return []pair{{"grant_type", t.GrantType}}
	}
	return []pair{{"grant_type", grantType(t.GrantType, "refresh_token")}, {"refresh_token", c.RefreshToken.Reveal()}}
}

// Revoke tells the provider, as the definition says; without a revoke request it does nothing.
func (authorizationCode) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, AuthorizationCode(), r, c)
}

func revoke(ctx context.Context, m Method, r Request, c Credential) error {
	if r.Auth.Revoke == nil {
		return ErrNoRevoke
	}
	_, err := Call(ctx, m, r, r.Auth.Revoke, c, nil)
	return err
}

// ErrNoRevoke says that the definition knows no way to tell the provider.
var ErrNoRevoke = fault.E(fault.NotFound, "the provider offers no way to give access back", nil)

func grantType(own, usual string) string {
	if own != "" {
		return own
	}
	return usual
}

// newState returns 256 random bits in 43 characters (RFC 6749 §10.10).
func newState() string { return oauth2.GenerateVerifier() }

func mergeMaps(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}
