package simulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// exchange trades a code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.6).
func (c *call) exchange(k chosen, client *client) (*answer, *problem) {
	if !c.wait(c.s.options.RefreshLatency) {
		return nil, errGone
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	_, param := codeName(k.auth)
	co := s.codes[k.param(param)]
	if co == nil || co.connector != c.connector.ID || co.auth.ID != k.auth.ID {
		return nil, refuse("invalid_grant", "the code is not known")
	}
	if co.grant != nil {
		// RFC 6749 §4.1.2: a code used twice takes back what it was traded for.
		s.kill(co.grant)
		s.statsOf(c.connector.ID).FamiliesRevoked++
		return nil, refuse("invalid_grant", "the code was used before; the grant is revoked")
	}
	if p := co.check(k, client); p != nil {
		return nil, p
	}
	g := s.newGrant(c.connector.ID, co.auth, client.id, co.account)
	co.grant, g.scopes, g.nonce, g.known, g.resource = g, co.scopes, co.nonce, co.inputs, co.resource
	refresh := ""
	if refreshable(co.auth) {
		refresh = s.newRefreshToken(g)
	}
	return c.tokenAnswer(k.spec, g, refresh), nil
}

// check compares a token request with the authorization request the code comes from.
func (co *code) check(k chosen, client *client) *problem {
	uriName, uriSent := k.names.Name("redirect_uri")
	verifier := k.param("code_verifier")
	switch {
	case co.resource != "" && k.got["resource"] != co.resource:
		return refuse("invalid_target", "resource is not the one of the authorization request") // RFC 8707 §2.2
	case time.Now().After(co.expires):
		return refuse("invalid_grant", "the code has expired")
	case co.client != client.id:
		return refuse("invalid_grant", "the code belongs to another client")
	case !k.slots.agree(co.inputs) || !k.own.agree(co.inputs):
		return refuse("invalid_grant", "the code was given out elsewhere")
	case uriSent && k.got[uriName] != co.redirect:
		return refuse("invalid_grant", "redirect_uri is not the one of the authorization request")
	case co.challenge != "" && verifier == "":
		return refuse("invalid_grant", "code_verifier is missing")
	case co.challenge == "" && verifier != "":
		return refuse("invalid_grant", "there was no code_challenge for this code_verifier")
	case co.challenge != "" && !verified(co, verifier):
		return refuse("invalid_grant", "code_verifier does not match the code_challenge")
	}
	return nil
}

// verified compares a verifier with the challenge (RFC 7636 §4.1, §4.6).
func verified(co *code, verifier string) bool {
	if len(verifier) < 43 || len(verifier) > 128 || strings.Trim(verifier, unreserved) != "" {
		return false
	}
	if co.challengeMethod == "plain" {
		return verifier == co.challenge
	}
	sum := sha256.Sum256([]byte(verifier))
	if co.auth.PKCE.Encoding == "hex" {
		return hex.EncodeToString(sum[:]) == co.challenge
	}
	return base64.RawURLEncoding.EncodeToString(sum[:]) == co.challenge
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// renew trades a refresh token (RFC 6749 §6).
func (c *call) renew(k chosen, client *client) (*answer, *problem) {
	value := k.param("refresh_token")
	if value == "" {
		return nil, refuse("invalid_request", "refresh_token is missing")
	}
	leave := c.enter(c.s.grantOf(value))
	defer leave()
	if !c.wait(c.s.options.RefreshLatency) {
		return nil, errGone
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := narrower(k, s.refresh[value]); p != nil {
		return nil, p
	}
	if t := s.refresh[value]; t != nil && !(k.slots.agree(t.grant.known) && k.own.agree(t.grant.known)) {
		return nil, refuse("invalid_grant", "the refresh token was given out elsewhere")
	}
	g, next, p := s.spend(value, client.id)
	if p != nil {
		return nil, p
	}
	s.statsOf(c.connector.ID).Refreshed++
	g.log.Refreshed++
	g.log.RefreshedAt = time.Now()
	return c.tokenAnswer(k.spec, g, next), nil
}

func (s *Simulator) grantOf(refreshToken string) *grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.refresh[refreshToken]; t != nil {
		return t.grant
	}
	return nil
}

// enter counts a renewal of g as under way until the returned function is called.
func (c *call) enter(g *grant) (leave func()) {
	if g == nil {
		return func() {}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.entered(g)
	return func() {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		g.inFlight--
	}
}

// narrower refuses a renewal that asks for more than was allowed.
func narrower(k chosen, t *refreshToken) *problem {
	if t == nil || k.got["scope"] == "" {
		return nil
	}
	for _, asked := range strings.Fields(k.got["scope"]) {
		allowed := false
		for _, scopes := range t.grant.scopes {
			allowed = allowed || slices.Contains(scopes, asked)
		}
		if !allowed {
			return refuse("invalid_scope", "the scope "+asked+" was not granted")
		}
	}
	return nil
}

// trade takes a live access token for another.
func (c *call) trade(k chosen, client *client, own slots) (*answer, *problem) {
	value := own["credential.access_token"]
	s := c.s
	s.mu.Lock()
	var g *grant
	if t := s.tokens[value]; t != nil {
		g = t.grant
	}
	s.mu.Unlock()
	leave := c.enter(g)
	defer leave()
	if !c.wait(s.options.RefreshLatency) {
		return nil, errGone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[value]
	if t == nil || t.name != "" || !t.good(time.Now()) || t.grant.client != client.id {
		return nil, refuse("invalid_grant", "the access token is not good any more")
	}
	s.statsOf(c.connector.ID).Refreshed++
	g.log.Refreshed++
	g.log.RefreshedAt = time.Now()
	return c.tokenAnswer(k.spec, g, ""), nil
}

// clientCredentials gives the client a token of its own (RFC 6749 §4.4).
func (c *call) clientCredentials(k chosen, client *client) (*answer, *problem) {
	if !c.wait(c.s.options.RefreshLatency) {
		return nil, errGone
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if k.auth.Authorize != nil && !c.s.consents[consentKey(c.connector.ID, k.auth, client.id)] {
		return nil, refuse("unauthorized_client", "nobody has allowed this client anything yet")
	}
	g := c.s.newGrant(c.connector.ID, k.auth, client.id, c.s.options.Accounts[0])
	g.scopes = c.askedScopes(k)
	return c.tokenAnswer(k.spec, g, ""), nil
}

// askedScopes are those that a token request names itself.
func (c *call) askedScopes(k chosen) map[string][]string {
	out := map[string][]string{}
	if s := k.auth.Scopes; s != nil {
		out[""] = cut(k.got[cmp.Or(s.Parameter, "scope")], s.Sep())
	}
	return out
}
