package simulator

import (
	"net/http"
	"strings"
	"time"
)

// introspect answers a question about a token (RFC 7662); nil if the request is none. Who asks has to
// authenticate (§2.1), and a token that is not good is no error but a token that is not active (§2.2).
func (c *call) introspect(hits []hit) *answer {
	for _, h := range hits {
		if h.role != roleIntrospect || h.method != c.r.Method {
			continue
		}
		got, p := c.asked(h)
		var asker *client
		if p == nil {
			asker, p = c.asker(h, got)
		}
		if p != nil {
			return c.callRefusal([]hit{h}, p)
		}
		c.count(func(s *Stats) { s.Introspected++ })
		return c.aboutToken(h, got["credential.access_token"], asker)
	}
	return nil
}

// asker is the client that asks, nil if the request is not authenticated by one.
func (c *call) asker(h hit, got slots) (*client, *problem) {
	if h.request.Auth != "client" {
		return nil, c.mayRevoke(h, got)
	}
	return c.clientOf(h)
}

// aboutToken says what is known of a token.
func (c *call) aboutToken(h hit, value string, asker *client) *answer {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	in, d := h.auth.Introspect, document{}
	t := c.s.tokens[value]
	good := t != nil && t.grant.connector == c.connector.ID && t.name == "" && t.good(time.Now()) &&
		(asker == nil || asker.id == t.grant.client)
	d.decide(in.Active, good)
	if !good {
		a := d.answer(http.StatusOK, h.request.Reading)
		if reads(in.Active, "response.status") {
			a.status = http.StatusNotFound
		}
		return a
	}
	if !t.expires.IsZero() {
		place(d, in.Expires, time.Until(t.expires))
	}
	var all []string
	separator := " "
	if s := h.auth.Scopes; s != nil {
		separator = s.Sep()
	}
	for _, list := range t.grant.scopes {
		all = append(all, list...)
	}
	if len(all) > 0 {
		d.place(in.Scopes, strings.Join(all, joinedBy(in.Scopes, separator)))
	}
	c.tell(d, h, t.grant.account)
	return d.answer(http.StatusOK, h.request.Reading)
}
