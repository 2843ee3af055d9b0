package simulator

import (
	"cmp"
	"maps"
	"net/http"
	"time"

	"dowel/engine/definition"
)

// spec is what the definition says about one kind of token request.
type spec struct {
	hit
	kind       string // code, device_code, token_exchange, password, refresh_token, access_token, client_credentials, jwt_bearer, then
	method     string
	format     string
	clientAuth definition.ClientAuth
	grantType  string
	names      definition.Names
	params     definition.Params
	headers    definition.Params
	outcome    definition.Outcome
	answer     *definition.TokenAnswer
}

// renewal reports whether something was granted before.
func (k spec) renewal() bool { return k.kind == "refresh_token" || k.kind == "access_token" }

// specOf reads the spec of an endpoint. A standard parameter that the definition drops is one that has
// no name.
func specOf(h hit) spec {
	s := writtenSpec(h)
	for _, p := range s.params {
		if p.Drop {
			s.names = maps.Clone(s.names)
			if s.names == nil {
				s.names = definition.Names{}
			}
			s.names[p.Name] = ""
		}
	}
	return s
}

// writtenSpec reads what the definition writes; a refresh takes over from the token request what it
// does not say itself, except parameters and grant type.
func writtenSpec(h hit) spec {
	if h.then > 0 {
		return thenSpec(h)
	}
	t := h.auth.Token
	s := spec{
		hit: h, kind: "code", method: h.method, format: t.Format, clientAuth: t.ClientAuth,
		grantType: cmp.Or(t.GrantType, "authorization_code"), names: t.Names, params: t.Params,
		headers: t.Headers, outcome: t.Outcome, answer: &t.Answer,
	}
	switch h.auth.Kind {
	case definition.DeviceCode:
		s.kind, s.grantType = "device_code", cmp.Or(t.GrantType, "urn:ietf:params:oauth:grant-type:device_code")
	case definition.ClientCredentials:
		s.kind, s.grantType = "client_credentials", cmp.Or(t.GrantType, "client_credentials")
	case definition.TokenExchange:
		s.kind, s.grantType = "token_exchange", cmp.Or(t.GrantType, "urn:ietf:params:oauth:grant-type:token-exchange")
	case definition.Password:
		s.kind, s.grantType = "password", cmp.Or(t.GrantType, "password")
	case definition.JWTBearer:
		s.kind, s.grantType = "jwt_bearer", cmp.Or(t.GrantType, "urn:ietf:params:oauth:grant-type:jwt-bearer")
	}
	f := h.auth.Refresh
	again := h.auth.RefreshGrant() == s.kind // the same request brings the next token
	if h.role != roleRefresh || again {
		return s
	}
	s.kind, s.grantType, s.params = "refresh_token", "refresh_token", nil
	if f == nil {
		return s
	}
	s.kind = cmp.Or(f.Grant, s.kind)
	if s.grantType = cmp.Or(f.GrantType, s.grantType); s.kind == "access_token" {
		s.grantType = f.GrantType
	}
	s.format, s.clientAuth, s.params = cmp.Or(f.Format, s.format), cmp.Or(f.ClientAuth, s.clientAuth), f.Params
	if f.Names != nil {
		s.names = f.Names
	}
	if f.Headers != nil {
		s.headers = f.Headers
	}
	s.outcome.Reading = f.ReadingOf(t)
	s.outcome.Success = cmp.Or(f.Success, s.outcome.Success)
	s.outcome.Error = cmp.Or(f.Error, s.outcome.Error)
	s.outcome.ErrorDescription = cmp.Or(f.ErrorDescription, s.outcome.ErrorDescription)
	s.answer = cmp.Or(f.Answer, s.answer)
	return s
}

// chosen is the token request under way: which kind it is, and its parameters.
type chosen struct {
	spec
	got     params
	own     slots // of the parameters that the definition adds
	problem *problem
	// foreign is set if neither what is traded nor the client is known here.
	foreign bool
}

// choose finds out which kind of token request this is. Where two look alike, what is traded and
// the client tell them apart. The first of the hits speaks for those that are none.
func (c *call) choose(hits []hit) chosen {
	var first, alike *chosen
	for _, h := range hits {
		if h.role != roleToken && h.role != roleRefresh {
			continue
		}
		k := chosen{spec: specOf(h)}
		if k.kind == "none" {
			continue
		}
		k.got, k.problem = c.tokenParams(k.method, k.format, k.many()...)
		if c.r.Method != k.method {
			k.problem = &problem{"invalid_request", "the method must be " + k.method, http.StatusMethodNotAllowed}
		}
		if k.problem == nil && k.wanted() {
			if c.belongs(k) {
				return k
			}
			alike = cmp.Or(alike, &k)
		}
		if first == nil {
			first = &k
		}
	}
	if alike != nil {
		alike.foreign = true
		return *alike
	}
	if first.problem == nil {
		first.problem = refuse("unsupported_grant_type", "the grant type is missing or not one this provider knows")
	}
	return *first
}

// belongs reports whether what is traded was given out for this kind of request. Of what was not given out
// here, the client tells: it is an app that is registered, or one that a person brings.
func (c *call) belongs(k chosen) bool {
	if is, known := c.givenFor(k); known {
		return is
	}
	if signs := k.clientAuth == definition.ClientAuthPrivateKeyJWT || k.clientAuth == definition.ClientAuthSecretJWT; signs != (k.param("client_assertion") != "") {
		return false
	}
	id, _, ok := basicClient(c.r.Header.Get("Authorization"))
	if !ok {
		id = k.param("client_id")
	}
	return id == "" || (c.app(id) != nil) == knowsApps(k.auth)
}

// givenFor looks up the code or the token that is traded; known says that it was given out here.
func (c *call) givenFor(k chosen) (is, known bool) {
	own, _ := constants(k.params, k.got)
	own.add(c.headerSlots(k.headers))
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	switch k.kind {
	case "code":
		_, param := codeName(k.auth)
		if co := c.s.codes[k.param(param)]; co != nil {
			return co.auth.ID == k.auth.ID, true
		}
	case "refresh_token":
		if t := c.s.refresh[k.param("refresh_token")]; t != nil {
			return t.grant.auth.ID == k.auth.ID, true
		}
	case "then", "access_token":
		if t := c.s.tokens[own["credential.access_token"]]; t != nil {
			before := ""
			if k.kind == "then" {
				before = stageName(k.auth, k.then-1)
			}
			return t.grant.auth.ID == k.auth.ID && t.name == before, true
		}
	}
	return false, false
}

// wanted reports whether the parameters ask for this kind of grant.
func (k chosen) wanted() bool {
	name, sent := k.names.Name("grant_type")
	if sent && k.grantType != "" {
		return k.got[name] == k.grantType
	}
	if standard := telling[k.kind]; standard != "" {
		return k.param(standard) != ""
	}
	_, param := codeName(k.auth)
	return (k.param(param) != "") == (k.kind == "code")
}

// telling is the parameter that tells what kind of token request it is where the grant type does not.
var telling = map[string]string{"device_code": "device_code", "password": "password", "token_exchange": "subject_token", "refresh_token": "refresh_token"}

// param returns a standard parameter under the name the provider gives it.
func (k chosen) param(standard string) string {
	name, _ := k.names.Name(standard)
	return k.got[name]
}

func (c *call) tokenRequest() *answer {
	k := c.chosen
	if k.problem != nil {
		return c.tokenRefusal(k.spec, k.problem)
	}
	c.count(func(s *Stats) { s.Token[cmp.Or(k.grantType, k.kind)]++ })
	client, p := c.authenticate(k)
	if p != nil {
		return c.tokenRefusal(k.spec, p)
	}
	own, p := constants(k.params, k.got)
	k.own = own
	if p == nil {
		p = unnamed(k.names, k.params, k.got)
	}
	if p == nil {
		p = c.headerConstants(k.headers)
	}
	if p == nil && client != nil {
		p = c.ofApp(own, client.id)
	}
	if p == nil && client != nil {
		p = c.ofApp(c.headerValues(k.headers), client.id)
	}
	if p != nil {
		return c.tokenRefusal(k.spec, p)
	}
	if k.clientAuth == definition.ClientAuthUnsent {
		client = c.ownerOf(k, own)
	}
	owner := ""
	if client != nil {
		owner = client.id
	}
	if p := c.certified(k.auth, owner, nil); p != nil {
		return c.tokenRefusal(k.spec, p)
	}
	var a *answer
	switch k.kind {
	case "code":
		a, p = c.exchange(k, client)
	case "device_code":
		a, p = c.poll(k, client)
	case "token_exchange":
		a, p = c.subjectGrant(k, client)
	case "password":
		a, p = c.passwordGrant(k, client)
	case "refresh_token":
		a, p = c.renew(k, client)
	case "access_token":
		a, p = c.trade(k, client, own)
	case "client_credentials":
		a, p = c.clientCredentials(k, client)
	case "then":
		a, p = c.tradeFurther(k, client, own)
	case "jwt_bearer":
		a, p = c.assertionGrant(k, client)
	}
	if p != nil {
		return c.tokenRefusal(k.spec, p)
	}
	c.settle(a.grant)
	return a
}

// settle ties a grant to the client's certificate, and to where it was given out: what is in the addresses
// of one account is not in those of another.
func (c *call) settle(g *grant) {
	c.bind(g)
	if g == nil {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g.known = merged(c.chosen.slots, g.known)
}

// headerConstants checks the headers that the definition gives a fixed value.
func (c *call) headerConstants(want definition.Params) *problem {
	for _, w := range want {
		if w.Value.Literal() && !w.Drop && c.r.Header.Get(w.Name) != w.Value.Source {
			return refuse("invalid_request", "the header "+w.Name+" is missing or not what it should be")
		}
	}
	return nil
}

// wait is the provider thinking. It reports false when the client has gone: then nothing happens.
func (c *call) wait(d time.Duration) bool {
	if d <= 0 {
		return c.r.Context().Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.r.Context().Done():
		return false
	}
}

var errGone = &problem{"temporarily_unavailable", "the client did not wait", http.StatusServiceUnavailable}
