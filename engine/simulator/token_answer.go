package simulator

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"dowel/engine/definition"
)

// tokenAnswer makes the answer to a token request that succeeds: new tokens for g, where the
// expressions of the definition look for them, or where RFC 6749 §5.1 has them. s.mu is held.
func (c *call) tokenAnswer(k spec, g *grant, refresh string) *answer {
	s, d := c.s, document{}
	lifetime := s.lifetime(k.auth)
	accessToken := s.newToken(g, k.stage(), lifetime)
	d.give(k.answer.AccessToken, "access_token", accessToken)
	d.give(k.answer.TokenType, "token_type", "Bearer")
	if refresh != "" && !c.failing(FaultNoRefreshToken) {
		d.give(k.answer.RefreshToken, "refresh_token", refresh)
		place(d, k.answer.RefreshExpires, refreshLifetime)
	}
	if k.kind == "token_exchange" {
		d.usual("issued_token_type", issuedType(k.auth))
	}
	c.tellLifetime(d, k, lifetime)
	if !k.renewal() {
		// What comes besides the access token comes once and lives as long as the grant.
		for i := range k.answer.Tokens {
			t := &k.answer.Tokens[i]
			d.place(&t.Value, s.newToken(g, "tokens."+t.Name, 0))
		}
	}
	if k.auth.IDToken != nil && (k.kind == "code" || k.kind == "device_code") && !(c.failing(FaultIDToken) && c.fault.Value == "absent") {
		id, err := c.idToken(k, g, accessToken)
		if err != nil {
			return plain(http.StatusInternalServerError, err.Error())
		}
		d.give(k.answer.IDToken, "id_token", id)
	}
	c.tellScopes(d, k, g)
	for i := range k.answer.Capture {
		name := k.answer.Capture[i].Name
		d.place(&k.answer.Capture[i].Value, g.tell("captured."+name, c.capturedValue(name)))
	}
	if id := c.connector.IdentityFor(k.auth); id != nil && id.From == "token" {
		d.identity(id, g.account)
	}
	d.decide(k.outcome.Success, true)
	g.known = merged(g.known, captured(k.answer.Capture, d))
	a := d.answer(http.StatusOK, k.outcome.Reading)
	a.grant = g
	return a
}

// refreshLifetime is what is said about refresh tokens; they are not ended by time.
const refreshLifetime = 60 * 24 * time.Hour

// tellLifetime writes when the access token ends, unless a fault says otherwise.
func (c *call) tellLifetime(d document, k spec, lifetime time.Duration) {
	l := k.answer.Expires
	if c.failing(FaultExpiresIn) {
		if v := c.fault.Value; v != nil && l != nil && l.In != nil {
			d.place(l.In, v)
		} else if v != nil {
			d.usual("expires_in", v)
		}
		return
	}
	switch {
	case lifetime <= 0:
	case l == nil && k.auth.Introspect != nil: // it is asked for
	case l == nil:
		d.usual("expires_in", seconds(lifetime))
	default:
		place(d, l, lifetime)
	}
}

// place writes a lifetime where and in the unit that l reads it.
func place(d document, l *definition.Lifetime, lifetime time.Duration) {
	if l == nil {
		return
	}
	if l.In != nil && l.Unit == "ms" {
		d.place(l.In, lifetime.Milliseconds())
	} else if l.In != nil {
		d.place(l.In, seconds(lifetime))
	}
	at := time.Now().UTC().Add(lifetime)
	switch l.Unit {
	case "epoch":
		d.place(l.At, at.Unix())
	case "epoch_ms":
		d.place(l.At, at.UnixMilli())
	default:
		d.place(l.At, at.Format(time.RFC3339Nano))
	}
}

func seconds(d time.Duration) int64 { return max(int64(d/time.Second), 1) }

// tellScopes writes what was granted: everything where the answer has one place for it, else group by
// group, joined as the definition takes it apart.
func (c *call) tellScopes(d document, k spec, g *grant) {
	groups := k.auth.ScopeGroups
	if k.auth.Scopes != nil {
		groups = definition.ScopeGroups{{Scopes: *k.auth.Scopes}}
	}
	if e := k.answer.Scopes; e != nil {
		var all []string
		separator := " "
		for i := range groups {
			all, separator = append(all, g.scopes[groups[i].Name]...), groups[i].Sep()
		}
		tellGranted(d, e, all, separator)
		return
	}
	for i := range groups {
		if k.renewal() && i > 0 {
			return // a renewal is of the first token only
		}
		tellGranted(d, groups[i].Granted, g.scopes[groups[i].Name], groups[i].Sep())
	}
}

func tellGranted(d document, e *definition.Expression, list []string, separator string) {
	switch {
	case len(list) == 0:
	case e == nil:
		d.usual("scope", strings.Join(list, separator))
	default:
		d.place(e, strings.Join(list, joinedBy(e, separator)))
	}
}

// splitAt finds where an expression splits a text.
var splitAt = regexp.MustCompile(`split\([^"']*["']([^"']+)["']`)

// joinedBy is the separator that an expression splits the granted scopes at; usual if it does not.
func joinedBy(e *definition.Expression, usual string) string {
	if m := splitAt.FindStringSubmatch(e.Source); m != nil {
		return m[1]
	}
	return usual
}

// tokenRefusal is an error answer in the provider's own shape (RFC 6749 §5.2 where it has none).
func (c *call) tokenRefusal(k spec, p *problem) *answer {
	c.count(func(s *Stats) { s.Refused[p.code]++ })
	a := quiet(k.outcome, refusal(k.auth, k.outcome, p))
	if p.code == "invalid_client" && k.clientAuth == definition.ClientAuthHeader {
		a.set("WWW-Authenticate", `Basic realm="simulated"`)
	}
	return a
}

// quiet answers with status 200 where the body alone tells success.
func quiet(o definition.Outcome, a *answer) *answer {
	if o.Success != nil && !reads(o.Success, "response.status") {
		a.status = http.StatusOK
	}
	return a
}

// refusal writes a problem where the outcome's expressions read errors, with the code that the
// definition's own classes know.
func refusal(auth *definition.Auth, o definition.Outcome, p *problem) *answer {
	d := document{}
	d.decide(o.Success, false)
	if auth != nil {
		switch p.code {
		case "invalid_grant":
			d.decide(auth.Errors.DeadGrant, true)
		case "invalid_client":
			d.decide(auth.Errors.App, true)
		case "temporarily_unavailable":
			d.decide(auth.Errors.Transient, true)
		}
	}
	if o.Error != nil {
		d.place(o.Error, p.code)
	} else {
		d.usual("error", p.code)
	}
	if o.ErrorDescription != nil {
		d.place(o.ErrorDescription, p.description)
	} else {
		d.usual("error_description", p.description)
	}
	return d.answer(statusFor(o.Error, p), o.Reading)
}
