package definition

import (
	"slices"
	"strconv"
	"strings"
)

// oauth writes an authorization code method from its two sections, Details and OAuth2 Authorization.
func (m *classic) oauth(o *object, out *draft) {
	if contract, ok := o.take("inputContract"); ok {
		m.contract(contract)
	}
	grant, ok := o.take("authorization")
	if !ok {
		m.note(grant, importMissing, "this says how the code is traded for a token, and is required")
	}
	g := m.object(grant)
	shape := m.shape(g, "oauthGrantType", tokenShapes())
	kind := AuthorizationCode
	if shape.kind != "" {
		kind = shape.kind
	}
	setKind(out, kind)
	m.app(o)
	m.authorize(o, out, kind)
	m.tokenRequest(g, out, shape, kind)
	o.ignore("type", "title", "isDefault")
	o.rest()
	g.rest()
}

// app drops what belongs to the registration at the provider; a secret is never shown.
func (m *classic) app(o *object) {
	for _, name := range []string{"clientId", "secret", "clientSecret"} {
		if s, at := o.text(name); s != "" {
			m.note(at, importDropped, "client id and secret are not part of a definition; give them to the connector's app")
		}
	}
	if s, at := o.text("tenantId"); s != "" && s != "default" {
		m.note(at, importDropped, "this names a tenant of the workspace, and none of the provider; definitions know no tenants")
	}
	if i, ok := o.take("providers", "authProviders", "additionalConfig"); ok && (len(i.items()) > 0 || i.isMapping()) {
		m.note(i, importDropped, "apps and further settings are not part of a definition")
	}
}

// authorize writes the authorization request.
func (m *classic) authorize(o *object, out *draft, kind AuthKind) {
	address, at := o.text("baseUrl", "authorizationUrl")
	response, _ := o.text("response_type")
	params, paramsAt := o.take("params")
	p := m.object(params)
	if paramsAt && !params.isMapping() {
		m.note(params, importValue, "this is not an object")
	}
	m.responseType(o, p, response)
	request, extra := newDraft(), newDraft()
	scopes := m.scopes(p)
	for _, key := range p.keys() {
		if !p.taken[key] {
			m.param(p, key, extra)
		}
	}
	if kind == AuthorizationCode {
		if m.secure(at, address) {
			address = m.filled(at, address)
			m.host(address)
		}
		request.put("url", textNode(address))
		request.mapping("params", extra)
		out.mapping("authorize", request)
		m.required(o, out)
	}
	out.mapping("scopes", scopes)
}

// responseType compares the two places where the response type stands.
func (m *classic) responseType(o, p *object, outer string) {
	inner, at := p.text("response_type")
	_, both := o.take("response_type")
	switch {
	case inner != "" && both && inner != outer:
		m.note(at, importValue, "this is %s here and %s in %s.response_type; only one can hold", cut(inner), cut(outer), o.path())
	case inner != "" && both:
		m.note(at, importAlias, "this stands in %s.response_type as well", o.path())
	}
	for _, s := range []string{inner, outer} {
		if s != "" && s != "code" {
			m.note(at, importValue, "the response type %q is not one that ends in a code (RFC 6749 §4.1)", cut(s))
			return
		}
	}
}

// ownParams are the parameters that keep a flow safe; Dowel sets them.
var ownParams = []string{"state", "redirect_uri", "client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce"}

func (m *classic) param(p *object, key string, extra *draft) {
	i, _ := p.take(key)
	value, ok := i.scalar()
	switch {
	case slices.Contains(ownParams, key):
		m.note(i, importDropped, "Dowel sets this itself")
	case !ok:
		m.note(i, importDropped, "a parameter is a text")
	case key == "" || value == "":
	default:
		extra.text(key, m.filled(i, value))
	}
}

// scopes takes the scope text apart, at commas if it has any and at blanks if not.
func (m *classic) scopes(p *object) *draft {
	text, at := p.text("scope", "scopes")
	out := newDraft()
	separator := " "
	list := strings.Fields(text)
	if strings.Contains(text, ",") {
		separator = ","
		list = strings.Split(text, ",")
	}
	var scopes []string
	for _, s := range list {
		s = strings.TrimSpace(s)
		switch {
		case s == "":
		case slices.Contains(scopes, s):
			m.note(at, importDropped, "the scope %s stands here twice", cut(s))
		case strings.Contains(s, " "):
			m.note(at, importValue, "%q is two scopes, separated otherwise than the rest", cut(s))
		default:
			scopes = append(scopes, m.filled(at, s))
		}
	}
	if separator != " " && len(scopes) > 1 {
		out.text("separator", separator)
	}
	out.texts("default", scopes)
	return out
}

// required carries over what must be known after the callback: an answer to the Input Contract, or a
// parameter that the provider sends along.
func (m *classic) required(o *object, out *draft) {
	list, ok := o.take("requiredAttributes")
	if !ok {
		return
	}
	capture := newDraft()
	for _, i := range list.items() {
		name, ok := i.scalar()
		switch {
		case !ok || name == "":
			m.note(i, importDropped, "this names no attribute")
		case m.inputs.has(name):
			if question, _ := child(&m.inputs.Node, name); question.value != nil {
				drop(question.value, "required")
			}
		case identifier(name) != name:
			m.note(i, importDropped, "formulas cannot use this name")
		case !capture.has(name):
			capture.text(name, "callback.query."+name)
			m.note(i, importAssumed, "this was taken for a parameter of the callback; it is kept, and a connection is made without it too")
		}
	}
	callback := newDraft()
	callback.mapping("capture", capture)
	out.mapping("callback", callback)
}

// shape takes the name of a request shape.
func (m *classic) shape(g *object, key string, shapes []grantShape) grantShape {
	name, at := g.text(key)
	if name == "" {
		if key == "oauthGrantType" && g.node != nil {
			m.note(at, importAssumed, "the shape of the token request is not said; it was taken to be the one of RFC 6749")
		}
		return grantShape{}
	}
	shape, ok := shapeNamed(shapes, name)
	if ok {
		return shape
	}
	if instead, known := withoutOurs(name); known {
		m.note(at, importValue, "%s is %s, which is not carried over", cut(name), instead)
		return grantShape{}
	}
	var all []string
	for _, s := range shapes {
		all = append(all, s.names[0])
	}
	m.note(at, importValue, "there is no grant type %q; %s", cut(name), suggest(name, all))
	return grantShape{}
}

// tokenRequest writes the token request and the refresh.
func (m *classic) tokenRequest(g *object, out *draft, shape grantShape, kind AuthKind) {
	address, at := g.text("accessTokenUrl", "tokenUrl")
	if g.node != nil && m.secure(at, address) {
		address = m.filled(at, address)
		m.host(address)
	}
	format := m.bodyType(g)
	shape.format = orElse(shape.format, format)
	shape.clientAuth = ClientAuth(orElse(string(shape.clientAuth), string(ClientAuthBody)))
	token := newDraft()
	token.put("url", textNode(address))
	shape.write(token, grantShape{format: "form"})
	if s, at := g.text("refresh_expires_in", "refreshExpiresIn"); s != "" {
		m.refreshLifetime(at, s, token)
	}
	out.mapping("token", token)
	again := m.shape(g, "refreshTokenGrantType", refreshShapes())
	if kind != AuthorizationCode {
		return
	}
	again.format = orElse(again.format, format)
	again.clientAuth = ClientAuth(orElse(string(again.clientAuth), string(ClientAuthBody)))
	refresh := newDraft()
	if g.taken["refreshTokenGrantType"] {
		refresh.text("grant", orElse(again.grant, "refresh_token"))
		refresh.text("rotation", again.rotation)
		again.write(refresh, shape)
	}
	out.mapping("refresh", refresh)
}

// write writes a shape as far as it differs from the one that holds without it.
func (s grantShape) write(out *draft, usual grantShape) {
	if s.method != usual.method {
		out.text("method", orElse(s.method, "POST"))
	}
	if s.clientAuth != usual.clientAuth {
		out.text("client_auth", string(s.clientAuth))
	}
	if s.format != usual.format {
		out.text("format", s.format)
	}
	out.text("grant_type", s.grantType)
	params := newDraft()
	for _, p := range s.params {
		params.text(p[0], p[1])
	}
	out.mapping("params", params)
	names := newDraft()
	for _, r := range s.rename {
		if r[1] == "" {
			names.null(r[0])
		} else {
			names.text(r[0], r[1])
		}
	}
	if names.empty() && len(usual.rename) > 0 {
		names.text("grant_type", "grant_type") // the token request's names do not hold here
	}
	out.mapping("names", names)
}

// bodyType is how parameters are sent.
func (m *classic) bodyType(g *object) string {
	s, at := g.text("requestBodyType")
	switch word := bareWord(strings.TrimPrefix(s, "application/")); word {
	case "", "form", "xwwwformurlencoded", "formurlencoded", "urlencoded":
	case "json":
		return "json"
	case "query", "params", "queryparams":
		return "query"
	default:
		m.note(at, importValue, "there is no body type %q; %s", cut(s), suggest(word, []string{"form", "json", "query"}))
	}
	return "form"
}

// refreshLifetime is how long a refresh token is good where the provider does not say.
func (m *classic) refreshLifetime(at item, value string, token *draft) {
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil || seconds <= 0 || seconds > int64(longestLifetime.Seconds()) {
		m.note(at, importDropped, "this is not a lifetime in seconds")
		return
	}
	answer, expires := newDraft(), newDraft()
	expires.text("default", hours(seconds))
	answer.mapping("refresh_expires", expires)
	token.mapping("answer", answer)
}
