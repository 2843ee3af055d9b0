package simulator

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// role is what an address is for.
type role string

const (
	roleAuthorize  role = "authorize"
	rolePush       role = "par"
	roleDevice     role = "device"
	roleVerify     role = "verify" // where people enter a device's code
	roleToken      role = "token"
	roleRefresh    role = "refresh"
	roleRevoke     role = "revoke"
	roleLogin      role = "login"
	roleConfirm    role = "confirm" // of what the browser has brought
	roleIntrospect role = "introspect"
	roleKeys       role = "keys"
	roleMetadata   role = "metadata"
	roleRegister   role = "register"
	roleCall       role = "api"
	// The requests of RFC 5849 for credentials.
	roleTemporary   role = "temporary"
	roleCredentials role = "credentials"
)

// endpoint is one address of a connector and what its definition says about it.
type endpoint struct {
	role    role
	method  string
	address address
	auth    *definition.Auth
	request *definition.Request // of revoke, login and calls
	step    *definition.Step    // of login
	also    string              // of what identity asks besides: the step's id
	// confirmation is the id of a request that confirms a callback.
	confirmation string
	picture      bool // answered with a picture
	then         int  // of token: which of token.then it is, from 1; 0 is the token request itself
	// tells says that the answer is where the identity is read; choice that options are.
	tells  bool
	choice *definition.Choice
}

// hit is an endpoint that was asked for, and the values in its address.
type hit struct {
	*endpoint
	slots slots
}

// atlas lists the addresses of a connector.
type atlas struct {
	connector *definition.Connector
	endpoints []*endpoint
	hosts     []pattern
}

func newAtlas(c *definition.Connector) *atlas {
	a := &atlas{connector: c}
	for _, h := range c.Hosts {
		source := h.Source
		if rest, wild := strings.CutPrefix(source, "*."); wild {
			source = "${any}." + rest
		}
		a.hosts = append(a.hosts, newPattern(pieces(source), func(p piece, before, after string) string {
			if p.formula == "any" {
				return `[A-Za-z0-9._-]+`
			}
			return hostPart(c, nil, p, before, after)
		}))
	}
	for _, m := range c.Auth {
		a.method(m)
	}
	return a
}

func (a *atlas) method(m *definition.Auth) {
	a.publications(m)
	if r := m.Registration; r != nil && r.URL != nil {
		a.add(endpoint{role: roleRegister, auth: m, method: http.MethodPost}, r.URL.Source)
	}
	if m.Authorize != nil {
		a.add(endpoint{role: roleAuthorize, auth: m}, m.Authorize.URL.Source)
		if q := m.Authorize.PAR; q != nil {
			a.add(endpoint{role: rolePush, auth: m, method: http.MethodPost}, q.URL.Source)
		}
	}
	for _, c := range m.Callback.Confirm {
		a.request(endpoint{role: roleConfirm, auth: m, request: c.Request, confirmation: c.ID})
	}
	if m.Device != nil {
		a.devicePages(m)
	}
	if m.Kind == definition.OAuth1 {
		a.add(endpoint{role: roleTemporary, auth: m, method: cmp.Or(m.RequestToken.Method, http.MethodPost)}, m.RequestToken.URL.Source)
		a.add(endpoint{role: roleCredentials, auth: m, method: cmp.Or(m.Token.Method, http.MethodPost)}, m.Token.URL.Source)
	} else if m.Token != nil {
		method := cmp.Or(m.Token.Method, http.MethodPost)
		a.add(endpoint{role: roleToken, auth: m, method: method}, m.Token.URL.Source)
		for i, t := range m.Token.Then {
			a.add(endpoint{role: roleToken, auth: m, method: cmp.Or(t.Method, http.MethodPost), then: i + 1}, t.URL.Source)
		}
		if f := m.Refresh; f != nil {
			method, source := cmp.Or(f.Method, method), m.Token.URL.Source
			if f.URL != nil {
				source = f.URL.Source
			}
			a.add(endpoint{role: roleRefresh, auth: m, method: method}, source)
		} else if m.RefreshGrant() == definition.GrantRefreshToken {
			a.add(endpoint{role: roleRefresh, auth: m, method: method}, m.Token.URL.Source)
		}
	}
	if m.Revoke != nil {
		a.request(endpoint{role: roleRevoke, auth: m, request: m.Revoke})
	}
	if t := m.IDToken; t != nil && t.JWKSURL != nil {
		a.add(endpoint{role: roleKeys, auth: m, method: http.MethodGet}, t.JWKSURL.Source)
	}
	if in := m.Introspect; in != nil {
		id := a.connector.IdentityFor(m)
		tells := len(a.connector.TestsFor(m)) == 0 && id != nil && id.Request == nil && id.From == "test"
		a.request(endpoint{role: roleIntrospect, auth: m, request: in.Request, tells: tells})
	}
	for _, s := range m.Login {
		if s.Request != nil {
			a.request(endpoint{role: roleLogin, auth: m, request: s.Request, step: s})
		}
	}
	a.calls(m)
}

func (a *atlas) calls(m *definition.Auth) {
	id := a.connector.IdentityFor(m)
	for _, t := range a.connector.TestsFor(m) {
		tells := id != nil && id.From == "test"
		a.request(endpoint{role: roleCall, auth: m, request: t, tells: tells})
	}
	if id != nil {
		if id.Request != nil {
			a.request(endpoint{role: roleCall, auth: m, request: id.Request, tells: true})
		}
		for _, s := range id.Also {
			if s.Request != nil {
				a.request(endpoint{role: roleCall, auth: m, request: s.Request, also: s.ID})
			}
		}
	}
	if id != nil && id.Picture != nil {
		a.request(endpoint{role: roleCall, auth: m, request: id.Picture, picture: true})
	}
	for _, ch := range a.connector.ChoicesFor(m) {
		if ch.Request != nil {
			a.request(endpoint{role: roleCall, auth: m, request: ch.Request, choice: ch})
		}
	}
}

func (a *atlas) request(e endpoint) {
	e.method = cmp.Or(e.request.Method, http.MethodGet)
	source := e.request.URL.Source
	if p := e.auth.Apply.Path; p != nil && e.request.Auth == "credential" && strings.HasPrefix(source, "/") {
		source = p.Source + source
	}
	a.add(e, source)
}

func (a *atlas) add(e endpoint, source string) {
	where, ok := newAddress(a.connector, e.auth, located(e.auth, source))
	if !ok {
		return // the definition's own check complains about it
	}
	if e.request != nil {
		for _, p := range e.request.Query {
			if !strings.Contains(p.Value.Source, "${") && p.Value.Source != "" {
				where.query.Set(p.Name, p.Value.Source)
			}
		}
	}
	e.address = where
	a.endpoints = append(a.endpoints, &e)
}

// find returns the endpoints at an address, whatever their method. Where it could be several because what
// was asked may have a path of its own, it is those that leave the least to it.
func (a *atlas) find(host, path string, query url.Values) []hit {
	var out []hit
	for _, e := range a.endpoints {
		s, ok := e.address.match(host, path)
		if !ok || !a.hosted(host, s) {
			continue
		}
		if len(out) > 0 {
			switch now, before := len(s[ownPath]), len(out[0].slots[ownPath]); {
			case now > before:
				continue
			case now < before:
				out = nil
			}
		}
		out = append(out, hit{e, s})
	}
	// Some providers have everything at one address, and tell in the query what is meant.
	if meant := slices.DeleteFunc(slices.Clone(out), func(h hit) bool { return h.address.contradicts(query) }); len(meant) > 0 {
		return meant
	}
	return out
}

// hosted reports whether the definition lists host. Values already known from the address must be the
// same in the host.
func (a *atlas) hosted(host string, known slots) bool {
	for _, p := range a.hosts {
		m, ok := p.match(strings.ToLower(host))
		if !ok {
			continue
		}
		same := true
		for name, v := range m {
			k, ok := known[name]
			// A whole address begins with its host.
			k, _, _ = strings.Cut(strings.TrimPrefix(k, "https://"), "/")
			if ok && name != "" && !strings.EqualFold(k, v) {
				same = false
			}
		}
		if same {
			return true
		}
	}
	return false
}
