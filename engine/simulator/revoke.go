package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// revoke ends the grant of the token that the request names, wherever the definition puts it; nil if
// the request is none. Methods may give back at one address in different ways: one that fits is enough. An
// unknown token is no error (RFC 7009 §2.2).
func (c *call) revoke(hits []hit) *answer {
	var refused *hit
	var why *problem
	for _, h := range hits {
		if h.role != roleRevoke || h.method != c.r.Method {
			continue
		}
		got, p := c.asked(h)
		if p == nil {
			p = c.mayRevoke(h, got)
		}
		if p != nil {
			if why == nil {
				refused, why = &h, p
			}
			continue
		}
		c.end(got)
		d := document{}
		d.decide(h.request.Success, true)
		return d.answer(http.StatusOK, h.request.Reading)
	}
	if why == nil {
		return nil
	}
	c.count(func(s *Stats) { s.Refused[why.code]++ })
	return c.callRefusal([]hit{*refused}, why)
}

// mayRevoke checks what authenticates the request, and adds the credential's values to got.
func (c *call) mayRevoke(h hit, got slots) *problem {
	switch h.request.Auth {
	case "credential":
		who, p := c.holder(h.slots, []hit{h})
		if p != nil {
			return p
		}
		got.add(who.slots)
	case "client":
		header := cmp.Or(h.request.ClientAuth, tokenAuth(h.auth)) == definition.ClientAuthHeader
		if !header && len(h.request.Form) == 0 {
			return nil // the definition writes itself what it says of the client
		}
		_, p := c.clientOf(h)
		return p
	case "none":
		own := slices.ContainsFunc(h.request.Headers, func(p definition.Param) bool { return strings.EqualFold(p.Name, "Authorization") })
		if !own && c.r.Header.Get("Authorization") != "" {
			return refuse("invalid_request", "nothing authenticates this request; the Authorization header must not be sent")
		}
	}
	return nil
}

// end kills the grants of the tokens among the values; if there are none, those that the provider knows by
// another thing that it told with their tokens.
func (c *call) end(values slots) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	ended := false
	kill := func(g *grant) {
		if g.connector == c.connector.ID && !g.dead {
			c.s.kill(g)
			c.s.statsOf(g.connector).Revoked++
		}
		ended = true
	}
	for _, v := range values {
		if t := c.s.tokens[v]; t != nil {
			kill(t.grant)
		} else if t := c.s.refresh[v]; t != nil {
			kill(t.grant)
		}
	}
	if ended {
		return
	}
	for _, t := range c.s.tokens {
		for name, v := range values {
			if v != "" && t.grant.told[name] == v {
				kill(t.grant)
			}
		}
	}
}

// tokenAuth is how the client authenticates at the token endpoint.
func tokenAuth(a *definition.Auth) definition.ClientAuth {
	if a.Token == nil {
		return ""
	}
	return a.Token.ClientAuth
}
