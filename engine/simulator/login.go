package simulator

import (
	"net/http"
	"strings"
)

// login answers one step of a login; nil if the request is none. Any name and password are good that
// do not call themselves wrong. Where several methods log in at one address, it is the one whose request
// this is.
func (c *call) login(hits []hit) *answer {
	var chosen *hit
	var got slots
	var refused *problem
	for _, h := range hits {
		if h.role != roleLogin || h.method != c.r.Method {
			continue
		}
		asked, p := c.asked(h)
		if chosen == nil || p == nil {
			chosen, got, refused = &h, asked, p
		}
		if p == nil {
			break
		}
	}
	if chosen == nil {
		return nil
	}
	c.count(func(s *Stats) { s.Token["login"]++ })
	if refused == nil {
		refused = c.signed(*chosen, got)
	}
	if refused == nil {
		refused = c.typed(*chosen, got)
	}
	if refused == nil {
		refused = c.certified(chosen.auth, "", nil)
	}
	if refused != nil {
		c.count(func(s *Stats) { s.Refused[refused.code]++ })
		return refusal(chosen.auth, chosen.request.Outcome, refused)
	}
	if !c.wait(c.s.options.RefreshLatency) {
		return refusal(chosen.auth, chosen.request.Outcome, errGone)
	}
	return c.session(*chosen, got)
}

// signed judges the signature of a step that has to be signed: a secret that is not sent is shown by it.
func (c *call) signed(h hit, got slots) *problem {
	s := signatureOf(h.step.Sign)
	if s != nil && !s.found(c, got) {
		return badSignature("the request is not signed")
	}
	return c.verify(h.auth, s, got)
}

// typed judges what somebody typed into the form.
func (c *call) typed(h hit, got slots) *problem {
	for name, v := range got {
		field, ok := strings.CutPrefix(name, "fields.")
		if !ok {
			continue
		}
		f, _ := h.auth.Fields.Named(field)
		if f.Secret() && Wrong(v) || f.Must() && strings.Contains(v, "wrong") {
			return &problem{"invalid_grant", "the " + f.Label + " is not accepted", http.StatusUnauthorized}
		}
	}
	return nil
}

// session makes the answer of a login: new values for the session, and when they end.
func (c *call) session(h hit, got slots) *answer {
	s, d := c.s, document{}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.newGrant(c.connector.ID, h.auth, "", s.typist(got))
	for i := range h.step.Credential {
		v := &h.step.Credential[i]
		d.place(&v.Value, s.newToken(g, v.Name, s.options.TokenLifetime))
	}
	place(d, h.step.Expires, s.options.TokenLifetime)
	for i := range h.request.Capture {
		d.place(&h.request.Capture[i].Value, c.capturedValue(h.request.Capture[i].Name))
	}
	d.decide(h.request.Success, true)
	g.known = h.slots
	a := d.answer(http.StatusOK, h.request.Reading)
	a.grant = g
	return a
}
