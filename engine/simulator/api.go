package simulator

import (
	"fmt"
	"net/http"
	"strings"

	"dowel/engine/definition"
)

// apiCall answers any call to the provider's API that carries a good credential, and says in the body
// what the definition's expressions look for.
func (c *call) apiCall(hits []hit) *answer {
	who, p := c.caller(hits)
	if p == nil {
		p = c.elsewhere(who, hits)
	}
	if p != nil {
		return c.callRefusal(hits, p)
	}
	c.count(func(s *Stats) { s.Calls++ })
	d := document{}
	var how definition.Reading
	for _, h := range hits {
		if h.role == roleCall && h.method == c.r.Method && (who.auth == nil || h.auth == who.auth) {
			if _, p := c.asked(h); p != nil {
				return c.callRefusal([]hit{h}, p)
			}
			if h.picture {
				return pictureAnswer()
			}
			c.tell(d, h, who.account)
			c.toldBy(h, d, who.grant)
			how = h.request.Reading
		}
	}
	if d.get(body()) == nil {
		d.set(body(), map[string]any{
			"simulated": true, "method": c.r.Method, "path": c.path, "account": who.account.Email,
		})
	}
	if who.auth != nil && who.auth.IDToken != nil && how.Parse == definition.ParseJWT {
		return c.signedAnswer(who, d, how)
	}
	return d.answer(http.StatusOK, how)
}

// toldBy notes what a call tells a grant that is in the addresses of others.
func (c *call) toldBy(h hit, told document, g *grant) {
	if g == nil {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g.known = merged(g.known, captured(h.request.Capture, told))
}

// caller is who makes a call: the holder of a credential that goes on every call, or of what the call
// that nothing authenticates has among its own parameters.
func (c *call) caller(hits []hit) (*holder, *problem) {
	known := slots{}
	var open *hit
	for i, h := range hits {
		known.add(h.slots)
		if h.role == roleCall && h.request != nil && h.request.Auth == "none" {
			open = &hits[i]
		}
	}
	if open != nil {
		return c.shown(*open, known)
	}
	who, p := c.holder(known, hits)
	if p == nil {
		p = c.headerConstants(c.connector.APIFor(who.auth).Headers)
	}
	if p == nil {
		p = c.appOfCall(who)
	}
	if p == nil {
		p = c.certified(who.auth, "", who.grant)
	}
	return who, p
}

// shown judges the parts of a credential that stand among the parameters of a call.
func (c *call) shown(h hit, known slots) (*holder, *problem) {
	if c.r.Method != h.method {
		return &holder{account: c.s.options.Accounts[0]}, nil
	}
	got, p := c.asked(h)
	if p != nil {
		return nil, p
	}
	parts := slots{}
	for name, v := range got {
		if root, _, _ := strings.Cut(name, "."); root == "credential" || root == "fields" {
			parts[name] = v
		}
	}
	return c.judge(h.auth, parts, known)
}

// silentRefusal is a refusal with status 200: the body alone tells, and only where the definition looks.
func silentRefusal(o definition.Outcome, p *problem) *answer {
	d := document{}
	d.decide(o.Success, false)
	if o.Error != nil {
		d.place(o.Error, p.code)
	}
	if o.ErrorDescription != nil {
		d.place(o.ErrorDescription, p.description)
	} else {
		d.usual("message", p.description)
	}
	return d.answer(http.StatusOK, o.Reading)
}

// tell writes what the definition reads from the answer to one of its requests.
func (c *call) tell(d document, h hit, a Account) {
	if h.choice != nil {
		c.tellOptions(d, h.choice, a)
	}
	id := c.connector.IdentityFor(h.auth)
	if h.tells {
		all := document{}
		all.identity(id, a)
		d.set(body(), merge(d.get(body()), all.get(body())))
		if headers := all.get([]any{"response", "headers"}); headers != nil {
			d.set([]any{"response", "headers"}, headers)
		}
	}
	if h.also != "" && id != nil {
		all := document{}
		all.identity(id, a)
		// find(list, …) makes its list only as far as the identity reads it.
		d.set(body(), merge(d.get(body()), all.get([]any{"steps", h.also, "body"})))
	}
	for i := range h.request.Capture {
		d.place(&h.request.Capture[i].Value, c.capturedValue(h.request.Capture[i].Name))
	}
	d.decide(h.request.Success, true)
}

// tellOptions writes a list of two things to choose from.
func (c *call) tellOptions(d document, ch *definition.Choice, a Account) {
	var list []any
	for i := range 2 {
		o := document{}
		o.place(ch.Value, fmt.Sprintf("%s-org-%d", a.ID, i+1))
		o.place(ch.Name, fmt.Sprintf("%s's organisation %d", strings.SplitN(a.Name, " ", 2)[0], i+1))
		for k := range ch.Capture {
			o.place(&ch.Capture[k].Value, c.capturedValue(ch.Capture[k].Name))
		}
		list = append(list, o["option"])
	}
	where := document{}
	where.list(ch.Options, list)
	d.set(body(), merge(where.get(body()), d.get(body()))) // an identity that is read there stays
}

// callRefusal is an error answer to an API call (RFC 6750 §3).
func (c *call) callRefusal(hits []hit, p *problem) *answer {
	c.count(func(s *Stats) { s.Refused[p.code]++ })
	said := *p
	if said.code == "" {
		said.code = "unauthorized"
	}
	var o definition.Outcome
	for _, h := range hits {
		if h.request != nil && h.method == c.r.Method {
			o = h.request.Outcome
			break
		}
	}
	a := refusal(nil, o, &said)
	if o.Success != nil && !reads(o.Success, "response.status") {
		a = silentRefusal(o, &said)
	}
	if p.status == http.StatusUnauthorized {
		challenge := `Bearer realm="simulated"`
		if p.code != "" {
			challenge += fmt.Sprintf(`, error=%q, error_description=%q`, p.code, p.description)
		}
		a.set("WWW-Authenticate", challenge)
	}
	return a
}
