package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"

	"golang.org/x/oauth2"

	"dowel/engine/definition"
)

// The way there and back: the browser goes to the provider with what a definition says, and what it
// comes back with is checked and kept. The authorization code is one thing it may bring; for kinds that
// have none, the person allows something there before the credential is obtained as usual.

// leave sends the browser to the provider (RFC 6749 §4.1.1). p keeps what the method needs besides.
func (r Request) leave(ctx context.Context, p Pending) (Step, Pending, error) {
	if id, _ := r.client(r.env(nil)); id == "" && r.Auth.NeedsApp() {
		return nil, Pending{}, r.noApp()
	}
	if bad := r.useless(ofPerson); len(bad) > 0 {
		return nil, Pending{}, bad[0]
	}
	p.State, p.Requested = newState(), r.requestedScopes()
	address := r.authorization
	if r.Auth.Authorize.PAR != nil {
		address = func(p Pending) (*url.URL, error) { return r.push(ctx, p) }
	}
	u, err := address(p)
	if err != nil {
		return nil, Pending{}, err
	}
	if u, err = r.browserURL(u); err != nil {
		return nil, Pending{}, err
	}
	return Redirect{URL: u}, p, nil
}

// newState returns 256 random bits in 43 characters (RFC 6749 §10.10).
func newState() string { return oauth2.GenerateVerifier() }

// authorization is the address the browser is sent to.
func (r Request) authorization(p Pending) (*url.URL, error) {
	env := r.env(nil)
	u, err := r.Auth.Authorize.URL.FillPage(env)
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
	u, err = definition.AddQuery(u, encodeWith(params, r.rawParams()))
	if err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	return u, nil
}

// authorizeParams are the standard parameters, in the alphabetical order that clients commonly send them
// in: WeChat looks at the address as a text and refuses another order.
func (r Request) authorizeParams(p Pending, env definition.Env) ([]pair, error) {
	id, _ := r.client(env)
	out := []pair{{"client_id", id}, {"redirect_uri", r.redirectURI(p)}}
	if r.Auth.Kind == definition.AuthorizationCode {
		out = append(out, pair{"response_type", "code"})
	}
	scopes, err := r.scopeParams(env)
	if err != nil {
		return nil, err
	}
	out = append(out, scopes...)
	if r.Auth.Authorize.StateIn != definition.InRedirectURI {
		out = append(out, pair{"state", p.State})
	}
	if p.Nonce != "" {
		out = append(out, pair{"nonce", p.Nonce})
	}
	if p.Verifier == "" {
		return out, nil
	}
	challenge, method := r.challenge(p.Verifier)
	return append(out, pair{"code_challenge", challenge}, pair{"code_challenge_method", method}), nil
}

// redirectURI is where the browser comes back to. It holds the state for a provider that brings back no
// parameter of ours; the token request then repeats it as it was (RFC 6749 §4.1.3).
func (r Request) redirectURI(p Pending) string {
	if r.Auth.Authorize == nil || r.Auth.Authorize.StateIn != definition.InRedirectURI {
		return r.RedirectURI
	}
	return r.RedirectURI + "?" + encode([]pair{{r.Auth.StateName(), p.State}})
}

// challenge makes a challenge of a verifier (RFC 7636 §4.2), and says how.
func (r Request) challenge(verifier string) (challenge, method string) {
	switch {
	case r.Auth.PKCE.Method == "plain":
		return verifier, "plain"
	case r.Auth.PKCE.Encoding == "hex":
		sum := sha256.Sum256([]byte(verifier))
		return hex.EncodeToString(sum[:]), "S256"
	}
	return oauth2.S256ChallengeFromVerifier(verifier), "S256"
}

// afterConsent reads what the browser brought back, and then obtains the credential as the kind does.
func (r Request) afterConsent(ctx context.Context, p Pending, a Answer, obtain func(context.Context, Request) (Done, error)) (Step, error) {
	if r.Auth.Authorize == nil {
		return nil, nothingPending()
	}
	r, captured, err := r.back(ctx, a)
	if errors.Is(err, errAwaited) {
		return Wait{}, nil
	}
	if err != nil {
		return nil, err
	}
	done, err := obtain(ctx, r)
	if err != nil {
		return nil, err
	}
	done.Captured = merge(captured, done.Captured)
	r.learn(&done.Credential, nil)
	if len(done.Credential.Scopes) == 0 {
		done.Credential.Scopes = r.consented(p)
	}
	return done, nil
}

// consented are the scopes that the callback says were allowed, or else those that were asked for.
func (r Request) consented(p Pending) []string {
	env := r.env(nil)
	var all []string
	for _, g := range r.scopeGroups() {
		if g.Granted != nil {
			all = append(all, scopeList(g.Granted.Value(env), g.Sep())...)
		}
	}
	if len(all) == 0 {
		return p.Requested
	}
	return all[:min(len(all), maxScopes)]
}
