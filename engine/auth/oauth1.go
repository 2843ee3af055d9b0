package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// OAuth1 returns the three steps of RFC 5849 §2: temporary credentials are asked for, the person
// authorizes them in the browser, and they are traded for the credential.
//
// The protocol has no state. Ours stands in the query of the callback address, which the provider keeps
// (§2.2): so a callback finds its flow as always, by 256 random bits that count once, and in the browser
// that began it. That it is about the credentials this flow asked for is compared besides.
func OAuth1() Method { return oauth1{} }

type oauth1 struct{ applied }

// OAuth1Type is the token type of what OAuth1 obtains: the authentication scheme of RFC 5849 §3.5.1.
const OAuth1Type = "OAuth"

var _ Revoker = oauth1{}

// Kind implements Method.
func (oauth1) Kind() definition.AuthKind { return definition.OAuth1 }

// Begin asks for temporary credentials (§2.1) and sends the browser to authorize them (§2.2).
func (oauth1) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	env := r.env(nil)
	if id, _ := r.client(env); id == "" {
		return nil, Pending{}, fault.E(fault.Misconfigured, r.Connector.Name+" has no app yet: an operator has to add its client id", nil).WithCode("app-missing")
	}
	p, err := r.temporary(ctx, Pending{State: newState()}, env)
	if err != nil {
		return nil, Pending{}, err
	}
	u, err := r.authorizing(p, env)
	if err != nil {
		return nil, Pending{}, err
	}
	if u, err = r.browserURL(u); err != nil {
		return nil, Pending{}, err
	}
	return Redirect{URL: u}, p, nil
}

// temporary asks for temporary credentials. A provider that does not confirm the callback knows the
// protocol only as it was before the attack of 2009, and is refused (§2.1).
func (r Request) temporary(ctx context.Context, p Pending, env definition.Env) (Pending, error) {
	q := r.Auth.RequestToken
	req, err := r.credentialsRequest(ctx, q.ClientRequest(), Pending{}, pair{"oauth_callback", r.redirectURI(p)}, env)
	if err != nil {
		return Pending{}, err
	}
	a, _, err := r.answer(ctx, req, q.Outcome, env, nil, true)
	if err != nil {
		return Pending{}, r.appRefused(err)
	}
	body, _ := a.body.(map[string]any)
	t, err := token("temporary credential", body["oauth_token"])
	if err != nil {
		return Pending{}, r.unreadable(err)
	}
	key, err := token("temporary secret", body["oauth_token_secret"])
	if err != nil {
		return Pending{}, r.unreadable(err)
	}
	switch {
	case t.IsZero() || key.IsZero():
		return Pending{}, r.unreadable(errors.New("the answer has no temporary credential"))
	case !definition.Truth(body["oauth_callback_confirmed"]):
		return Pending{}, r.unreadable(errors.New("oauth_callback_confirmed is not true"))
	}
	p.Token, p.TokenSecret = t.Reveal(), key.Reveal()
	return p, nil
}

// appRefused is a refusal of temporary credentials: nobody but the app has signed for them, so that a
// signature that is not accepted (401, §3.2) is about its key or its secret.
func (r Request) appRefused(err error) error {
	var pe *ProviderError
	if errors.As(err, &pe) && (pe.Status == http.StatusUnauthorized || strings.HasPrefix(pe.Code, "consumer_key_") || pe.Code == "signature_invalid") {
		return fault.E(fault.Misconfigured, r.Connector.Name+" refused the app's client id or secret", err).WithCode(theirCode(pe.Code))
	}
	return err
}

// credentialsRequest makes a request for credentials, signed for the client and the temporary
// credentials of p, if there are any; more is the parameter that only this request has.
func (r Request) credentialsRequest(ctx context.Context, q *definition.ClientRequest, p Pending, more pair, env definition.Env) (*http.Request, error) {
	u, err := q.URL.FillURL(env)
	if err != nil {
		return nil, invalidRequest("token", err)
	}
	params, err := merged(nil, nil, q.Params, env)
	if err != nil {
		return nil, invalidRequest("token", err)
	}
	req, err := clientMessage(ctx, q, u, params)
	if err != nil {
		return nil, invalidRequest("token", err)
	}
	req.Header.Set("Accept", "application/x-www-form-urlencoded, */*;q=0.5") // §2.1 and §2.3 answer with a form
	if err := setHeaders(req, q.Headers, env); err != nil {
		return nil, err
	}
	s, err := r.oauth1Signer(r.Auth.Credentials(), env)
	if err != nil {
		return nil, err
	}
	s.token, s.tokenSecret, s.more = p.Token, p.TokenSecret, []pair{more}
	c, err := r.contentOf(req)
	if err != nil {
		return nil, err
	}
	if err := s.sign(req, c, r.now()); err != nil {
		return nil, fault.E(fault.Misconfigured, "the app of "+r.Connector.Name+" cannot sign", err)
	}
	return req, nil
}

// authorizing is the address the browser is sent to (§2.2).
func (r Request) authorizing(p Pending, env definition.Env) (*url.URL, error) {
	u, err := r.Auth.Authorize.URL.FillPage(env)
	if err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	params, err := merged([]pair{{"oauth_token", p.Token}}, nil, r.Auth.Authorize.Params, env)
	if err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	if u, err = definition.AddQuery(u, encode(params)); err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	return u, nil
}

// Complete reads the callback (§2.2) and trades the temporary credentials for the credential (§2.3).
func (oauth1) Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error) {
	if p.Token == "" {
		return nil, nothingPending()
	}
	r, captured, err := r.back(ctx, a)
	if err != nil {
		return nil, err
	}
	verifier := a.Query.Get("oauth_verifier")
	switch told := a.Query.Get("oauth_token"); {
	case told != "" && subtle.ConstantTimeCompare([]byte(told), []byte(p.Token)) != 1:
		return nil, fault.E(fault.Refused, "the answer belongs to another connection", nil).WithCode("callback-mismatch")
	case verifier == "":
		// The protocol has no word for no; what providers send instead has no verifier.
		return nil, fault.E(fault.Refused, r.Connector.Name+" did not allow the connection", nil).WithCode("access_denied")
	case told == "":
		return nil, r.incomplete("oauth_token")
	}
	env := r.env(nil)
	req, err := r.credentialsRequest(ctx, &r.Auth.Token.ClientRequest, p, pair{"oauth_verifier", verifier}, env)
	if err != nil {
		return nil, err
	}
	t := r.Auth.Token
	got, env, err := r.answer(ctx, req, t.Outcome, env, []string{verifier, p.Token, p.TokenSecret}, true)
	if err != nil {
		return nil, err
	}
	c, err := r.credential(got, &t.Answer, env, nil)
	if err != nil {
		return nil, r.unreadable(err)
	}
	c.TokenType, c.Fields = OAuth1Type, r.Fields
	return Done{Credential: c, Captured: merge(captured, capture(t.Answer.Capture, env))}, nil
}

// Revoke tells the provider, as the definition says.
func (oauth1) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, OAuth1(), r, c)
}

// tokenSecret reads what signs with the access token; an answer without one has an empty secret, which
// RFC 5849 §3.4.2 allows.
func (c *Credential) tokenSecret(e *definition.Expression, env definition.Env) error {
	if e == nil {
		return nil
	}
	key, err := token("token secret", e.Value(env))
	if err != nil {
		return err
	}
	c.TokenSecret = key
	return nil
}
