package simulator

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"dowel/engine/definition"
)

// temporary are temporary credentials (RFC 5849 §2.1) and what becomes of them.
type temporary struct {
	connector, client string
	auth              *definition.Auth
	token, secret     string
	callback          string
	account           Account
	verifier          string // of somebody who has allowed it
	used              bool
	expires           time.Time
}

// credentialsRequest answers the first of the hits that is what the request is for.
func (c *call) credentialsRequest(role role, hits []hit) *answer {
	for _, h := range hits {
		switch {
		case h.role != role:
		case h.method != c.r.Method:
			return plain(http.StatusMethodNotAllowed, "the method must be "+h.method)
		case role == roleTemporary:
			return c.temporaryCredentials(h)
		default:
			return c.tokenCredentials(h)
		}
	}
	return plain(http.StatusNotFound, "nobody asks for credentials here")
}

// namesToken reports whether a request for credentials names temporary ones: at a provider with one address
// for both requests, that tells them apart.
func (c *call) namesToken() bool {
	q, p := c.oauth1()
	return p == nil && q != nil && q.params["oauth_token"] != ""
}

// problemReported is an answer to a request for credentials that is refused, in the words of the OAuth
// Problem Reporting extension.
func (c *call) problemReported(a *definition.Auth, o definition.Outcome, code string, p *problem) *answer {
	c.count(func(s *Stats) { s.Refused[code]++ })
	told := *p
	if told.code == "invalid_signature" {
		told.code = "signature_invalid"
	}
	return refusal(a, formly(o), &told)
}

// formly is an outcome whose answers are forms, unless the definition reads something else.
func formly(o definition.Outcome) definition.Outcome {
	if o.Parse == "" {
		o.Parse = definition.ParseForm
	}
	return o
}

// oauth1Client checks what requests for credentials have in common, and returns the client that signed.
// secretOf is the secret of the temporary credentials that the request names.
func (c *call) oauth1Client(h hit, own, headers definition.Params, secretOf func(q *oauth1Request, id string) (string, *problem)) (*client, *oauth1Request, *problem) {
	got, p := c.query()
	if p == nil && c.hasForm() {
		var form params
		form, p = c.bodyParams("form")
		for name, v := range form {
			got[name] = v
		}
	}
	if p == nil {
		_, p = constants(own, got)
	}
	if p == nil {
		p = c.headerConstants(headers)
	}
	if p != nil {
		return nil, nil, p
	}
	q, p := c.oauth1()
	if q == nil && p == nil {
		p = badSignature("the request is not signed")
	}
	if p != nil {
		return nil, nil, p
	}
	app := c.app(q.params["oauth_consumer_key"])
	if app == nil {
		return nil, nil, &problem{"consumer_key_unknown", "no app is registered here with this consumer key", http.StatusUnauthorized}
	}
	secret, p := secretOf(q, app.id)
	if p != nil {
		return nil, nil, p
	}
	s := h.auth.Credentials()
	env := c.secrets(h.auth, slots{"app.client_id": app.id}, map[string]string{})
	env["inputs"] = h.slots.env()["inputs"]
	rules := oauth1Rules{method: s.Method, in: s.In}
	for _, t := range []struct {
		from *definition.Template
		to   *string
	}{{&s.Realm, &rules.realm}, {&s.PrivateKey, &rules.key}} {
		var err error
		if *t.to, err = t.from.Fill(env); err != nil {
			return nil, nil, badSignature(err.Error())
		}
	}
	return app, q, c.verifyOAuth1(q, rules, app.secret, secret)
}

// temporaryCredentials answers a request for temporary credentials (RFC 5849 §2.1).
func (c *call) temporaryCredentials(h hit) *answer {
	q := h.auth.RequestToken
	c.count(func(s *Stats) { s.Token["temporary"]++ })
	none := func(q *oauth1Request, _ string) (string, *problem) {
		if q.params["oauth_token"] != "" {
			return "", badSignature("oauth_token must not be sent before there is one")
		}
		return "", nil
	}
	app, got, p := c.oauth1Client(h, q.Params, q.Headers, none)
	if p != nil {
		return c.problemReported(h.auth, q.Outcome, p.code, p)
	}
	callback := got.params["oauth_callback"]
	if u, err := url.Parse(callback); err != nil || !u.IsAbs() || !app.registered(h.auth, callback) {
		p := refuse("callback_rejected", "oauth_callback is missing, or not an address that is registered for this app")
		return c.problemReported(h.auth, q.Outcome, p.code, p)
	}
	t := &temporary{
		connector: c.connector.ID, client: app.id, auth: h.auth, token: c.s.issue("tmp"), secret: c.s.issue("tmps"), callback: callback,
		expires: time.Now().Add(max(c.s.options.CodeLifetime, time.Minute)),
	}
	c.s.mu.Lock()
	c.s.temporaries[t.token] = t
	c.s.mu.Unlock()
	d := document{}
	d.set(body("oauth_token"), t.token)
	d.set(body("oauth_token_secret"), t.secret)
	d.set(body("oauth_callback_confirmed"), "true")
	d.decide(q.Success, true)
	return d.answer(http.StatusOK, formly(q.Outcome).Reading)
}

// authorizeTemporary shows the consent page for temporary credentials (RFC 5849 §2.2).
func (c *call) authorizeTemporary(h hit) *answer {
	got, p := c.query()
	if p != nil {
		return c.stop("The request is ambiguous: " + p.description + ".")
	}
	c.s.mu.Lock()
	t := c.s.temporaries[got["oauth_token"]]
	c.s.mu.Unlock()
	if t == nil || t.auth.ID != h.auth.ID || t.connector != c.connector.ID || t.verifier != "" || t.used || time.Now().After(t.expires) {
		return c.stop("These temporary credentials are not known here, were used, or are too old.")
	}
	if _, p := constants(h.auth.Authorize.Params, got); p != nil {
		return c.stop("The request is not what the provider wants: " + p.description + ".")
	}
	ask := &consent{temporary: t, code: code{inputs: h.slots, connector: t.connector, client: t.client, redirect: t.callback, auth: h.auth}}
	c.count(func(s *Stats) { s.Authorize++ })
	return c.consentPage(ask)
}

// authorized is what the browser brings back to an app that asked for temporary credentials: the
// verifier, or a no, for which the protocol has no word.
func (c *call) authorized(ask *consent, granted *code, allowed bool) url.Values {
	t := ask.temporary
	if !allowed {
		return url.Values{"denied": {t.token}}
	}
	values, _ := c.allowed(ask, granted)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t.account, t.verifier = granted.account, c.s.issue("verifier")
	values.Set("oauth_token", t.token)
	values.Set("oauth_verifier", t.verifier)
	return values
}

// tokenCredentials trades temporary credentials for a token and its secret (RFC 5849 §2.3).
func (c *call) tokenCredentials(h hit) *answer {
	q := h.auth.Token
	c.count(func(s *Stats) { s.Token["oauth1"]++ })
	var t *temporary
	secretOf := func(q *oauth1Request, id string) (string, *problem) {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		t = c.s.temporaries[q.params["oauth_token"]]
		if t == nil || t.client != id || t.auth.ID != h.auth.ID || t.connector != c.connector.ID {
			return "", &problem{"token_rejected", "the temporary credentials are not known to this app", http.StatusUnauthorized}
		}
		return t.secret, nil
	}
	_, got, p := c.oauth1Client(h, q.Params, q.Headers, secretOf)
	if p == nil && !c.wait(c.s.options.RefreshLatency) {
		p = errGone
	}
	if p != nil {
		return c.problemReported(h.auth, q.Outcome, p.code, p)
	}
	s := c.s
	s.mu.Lock()
	switch verifier := got.params["oauth_verifier"]; {
	case t.used || time.Now().After(t.expires):
		p = &problem{"token_used", "the temporary credentials were used before, or are too old", http.StatusUnauthorized}
	case t.verifier == "" || verifier != t.verifier:
		p = &problem{"verifier_invalid", "oauth_verifier is not the one that the browser was given", http.StatusUnauthorized}
	}
	if p != nil {
		s.mu.Unlock()
		return c.problemReported(h.auth, q.Outcome, p.code, p)
	}
	defer s.mu.Unlock()
	t.used = true
	return c.credentialsAnswer(h, s.newGrant(c.connector.ID, h.auth, t.client, t.account))
}

// credentialsAnswer is the answer with a token and its secret; s.mu is held.
func (c *call) credentialsAnswer(h hit, g *grant) *answer {
	s, q, d := c.s, h.auth.Token, document{}
	lifetime := time.Duration(0)
	if q.Answer.Expires != nil {
		lifetime = cmp.Or(time.Duration(q.Answer.Expires.Default), s.options.TokenLifetime)
	}
	d.place(q.Answer.AccessToken, s.newToken(g, "", lifetime))
	d.place(q.Answer.TokenSecret, s.newToken(g, "token_secret", lifetime))
	place(d, q.Answer.Expires, lifetime)
	for i := range q.Answer.Tokens {
		d.place(&q.Answer.Tokens[i].Value, s.newToken(g, "tokens."+q.Answer.Tokens[i].Name, 0))
	}
	for i := range q.Answer.Capture {
		d.place(&q.Answer.Capture[i].Value, c.capturedValue(q.Answer.Capture[i].Name))
	}
	if id := c.connector.IdentityFor(h.auth); id != nil && id.From == "token" {
		d.identity(id, g.account)
	}
	d.decide(q.Success, true)
	a := d.answer(http.StatusOK, formly(q.Outcome).Reading)
	a.grant = g
	return a
}
