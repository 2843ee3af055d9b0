package simulator

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"dowel/engine/definition"
)

// holder is who a request is made for.
type holder struct {
	auth    *definition.Auth
	account Account
	grant   *grant // nil for what somebody typed
	slots   slots
}

// holder finds the credential of a request: one of the connector's methods must find all of its parts
// where it puts them, each of them good.
func (c *call) holder(known slots, hits []hit) (*holder, *problem) {
	if p := c.oneWay(); p != nil {
		return nil, p
	}
	refused := &problem{"", "the request carries no credential", http.StatusUnauthorized}
	for _, a := range c.methods(hits) {
		found, ok := c.applied(a, known)
		if !ok {
			continue
		}
		h, p := c.judge(a, found, known)
		if p == nil {
			return h, nil
		}
		if refused.code == "" || c.mine(found) {
			refused = p
		}
	}
	if i := slices.IndexFunc(c.connector.Auth, func(a *definition.Auth) bool { return a.Kind == definition.NoCredential }); i >= 0 && refused.code == "" {
		return &holder{auth: c.connector.Auth[i], account: c.s.options.Accounts[0]}, nil
	}
	return nil, refused
}

// methods are the connector's, those first whose address was called: several may put their credentials
// in the same place.
func (c *call) methods(hits []hit) []*definition.Auth {
	called := func(a *definition.Auth) bool {
		return slices.ContainsFunc(hits, func(h hit) bool { return h.auth == a })
	}
	var first, rest []*definition.Auth
	for _, a := range c.connector.Auth {
		if called(a) {
			first = append(first, a)
		} else {
			rest = append(rest, a)
		}
	}
	return append(first, rest...)
}

// oneWay refuses a token sent in more than one way (RFC 6750 §2).
func (c *call) oneWay() *problem {
	q, p := c.query()
	if p != nil {
		return nil // an API may repeat its own parameters
	}
	if q["access_token"] != "" && c.r.Header.Get("Authorization") != "" {
		return refuse("invalid_request", "the token is sent in more than one way")
	}
	return nil
}

// applied finds what a's apply block put on the request.
func (c *call) applied(a *definition.Auth, known slots) (slots, bool) {
	out := slots{}
	if p := a.Apply.Path; p != nil {
		for _, part := range pieces(p.Source) {
			v, ok := known[part.formula]
			if part.isFormula && !ok {
				return nil, false
			}
			if part.isFormula {
				out[part.formula] = v
			}
		}
	}
	query := c.r.URL.Query()
	places := []struct {
		params definition.Params
		values func(name string) []string
	}{
		{a.Apply.Headers, c.r.Header.Values},
		{a.Apply.Query, func(name string) []string { return query[name] }},
		{a.Apply.Cookies, func(name string) []string {
			var values []string
			for _, k := range c.r.CookiesNamed(name) {
				values = append(values, k.Value)
			}
			return values
		}},
	}
	for _, place := range places {
		for _, p := range place.params {
			if !p.Drop && !found(p, place.values(p.Name), a, c.connector.Inputs, out) {
				return nil, false
			}
		}
	}
	if b := a.Apply.Basic; b != nil {
		user, password, ok := c.r.BasicAuth()
		if !ok {
			return nil, false
		}
		u, userOK := valuePattern(b.Username.Source).match(user)
		p, passwordOK := valuePattern(b.Password.Source).match(password)
		if !userOK || !passwordOK {
			return nil, false
		}
		out.add(u)
		out.add(p)
	}
	if !c.inBody(a, out) {
		return nil, false
	}
	if s := signatureOf(a.Apply.Sign); s != nil {
		// What carries no name still is a credential: the secret behind the signature.
		return out, s.found(c, out)
	}
	return out, len(out) > 0
}

// inBody finds what a's apply block put into the body. GET and HEAD have none.
func (c *call) inBody(a *definition.Auth, out slots) bool {
	if len(a.Apply.Body) == 0 || c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return true
	}
	format := "form"
	if kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); kind == "application/json" {
		format = "json"
	}
	got, p := c.bodyParams(format)
	if p != nil {
		return false
	}
	for _, want := range a.Apply.Body {
		var values []string
		if v, ok := got[want.Name]; ok {
			values = []string{v}
		}
		if !want.Drop && !found(want, values, a, c.connector.Inputs, out) {
			return false
		}
	}
	return true
}

// found reads one part of a credential; it is there exactly once, unless it may be empty.
func found(p definition.Param, values []string, a *definition.Auth, inputs definition.Fields, out slots) bool {
	pattern := valuePattern(p.Value.Source)
	if len(values) == 0 {
		return pattern.optional(a, inputs)
	}
	m, ok := pattern.match(values[0])
	out.add(m)
	return ok && len(values) == 1
}

// mine reports whether one of the values was issued here.
func (c *call) mine(found slots) bool {
	for _, v := range found {
		if strings.HasPrefix(v, issuedPrefix) {
			return true
		}
	}
	return false
}

// judge says whether every part of a credential is good.
func (c *call) judge(a *definition.Auth, found, known slots) (*holder, *problem) {
	h := &holder{auth: a, account: c.s.options.Accounts[0], slots: found}
	for name, v := range found {
		root, rest, _ := strings.Cut(name, ".")
		switch root {
		case "credential":
			t, p := c.token(a, rest, v)
			if p != nil {
				return nil, p
			}
			h.grant, h.account = t.grant, t.grant.account
		case "fields":
			f, _ := a.Fields.Named(rest)
			if f.Told && !f.Secret() {
				continue // given out with the secret that goes with it
			}
			if f.Told {
				t, p := c.token(a, name, v)
				if p != nil {
					return nil, p
				}
				h.grant, h.account = t.grant, t.grant.account
				continue
			}
			if f.Secret() && (Wrong(v) || c.ofSigners(v)) || strings.Contains(v, issuedPrefix) || f.Format == "email" && !strings.Contains(v, "@") {
				return nil, refuse("invalid_token", "the "+f.Label+" is not accepted")
			}
		case "inputs":
			if k, ok := known[name]; ok && k != v {
				return nil, refuse("invalid_token", name+" differs from the one in the address")
			}
		}
	}
	if h.grant == nil {
		h.account = c.s.typist(found)
	}
	if p := c.verify(a, signatureOf(a.Apply.Sign), merged(known, found)); p != nil {
		return nil, p
	}
	return h, nil
}

// elsewhere refuses a credential at the address of another account. Of what was typed the provider can
// only tell if it knows anybody.
func (c *call) elsewhere(who *holder, hits []hit) *problem {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	people := c.s.known[c.connector.ID]
	here := func(h hit) bool { return h.slots.agree(who.grant.known) }
	if who.grant == nil {
		here = func(h hit) bool {
			return len(people) == 0 || slices.ContainsFunc(people, func(p map[string]string) bool { return fits(p, h.slots) })
		}
	}
	if len(hits) > 0 && !slices.ContainsFunc(hits, here) {
		return refuse("invalid_token", "this is the address of another account")
	}
	return nil
}

// ofSigners reports whether a text is the signed token of a method that signs each call: then it is no
// key of another method that goes in the same place.
func (c *call) ofSigners(text string) bool {
	signs := slices.ContainsFunc(c.connector.Auth, func(a *definition.Auth) bool { return a.Apply.Sign != nil && a.Apply.Sign.JWT != nil })
	return signs && strings.HasPrefix(text, "ey") && strings.Count(text, ".") == 2
}

// merged are the values of several places.
func merged(all ...slots) slots {
	out := slots{}
	for _, s := range all {
		out.add(s)
	}
	return out
}

// token finds a live token of a; name is what the definition calls it.
func (c *call) token(a *definition.Auth, name, value string) (*token, *problem) {
	if name == "access_token" {
		name = ""
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.s.tokens[value]
	switch {
	case t == nil || t.grant.connector != c.connector.ID || t.grant.auth.ID != a.ID || t.name != name:
		return nil, refuse("invalid_token", "the token is not known")
	case t.grant.dead:
		return nil, refuse("invalid_token", "the token has been revoked")
	case !t.good(time.Now()):
		return nil, refuse("invalid_token", "the token has expired")
	}
	return t, nil
}

// typist is who typed a credential in: the account whose name is in it, or the first.
func (s *Simulator) typist(found slots) Account {
	for _, v := range found {
		i := slices.IndexFunc(s.options.Accounts, func(a Account) bool {
			user, _, _ := strings.Cut(a.Email, "@")
			return strings.Contains(strings.ToLower(v), strings.ToLower(user))
		})
		if i > 0 {
			return s.options.Accounts[i]
		}
	}
	return s.options.Accounts[0]
}
