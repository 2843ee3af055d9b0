package simulator

import (
	"slices"
	"strings"
	"time"

	"dowel/engine/definition"
)

// grant is what somebody allowed once: every token that comes of it, however often renewed.
type grant struct {
	id        string
	connector string
	auth      *definition.Auth
	client    string
	account   Account
	scopes    map[string][]string // by scope group
	nonce     string              // of the authorization request
	known     slots               // what its address told
	resource  string              // for which its tokens are (RFC 8707)
	told      slots               // what the answers with its tokens told besides
	dead      bool
	log       *GrantLog
	inFlight  int
	rotations int
	// certificate is the client's that its tokens belong to; nil: nobody's.
	certificate []byte
}

// tell keeps what is told about the account of g besides its tokens. A word becomes the account's own, so that
// the provider knows it again.
func (g *grant) tell(name, value string) string {
	if strings.HasPrefix(value, wordPrefix) {
		value += "-" + g.account.ID
	}
	if g.told == nil {
		g.told = slots{}
	}
	g.told[name] = value
	return value
}

// token is an access token, one of several in an answer, or a value of a session.
type token struct {
	grant *grant
	// name is "" for the access token, "tokens.<name>" for another, or the name of a session value.
	name string
	// expires is zero for a token that lives as long as its grant.
	expires time.Time
}

type refreshToken struct {
	grant *grant
	// used is when another took its place; zero while it is good.
	used time.Time
}

func (t *token) good(now time.Time) bool {
	return !t.grant.dead && (t.expires.IsZero() || now.Before(t.expires))
}

// newGrant starts a grant; s.mu is held.
func (s *Simulator) newGrant(connector string, auth *definition.Auth, clientID string, account Account) *grant {
	g := &grant{id: s.issue("grant"), connector: connector, auth: auth, client: clientID, account: account}
	g.log = &GrantLog{ID: g.id, Account: account.Email, At: time.Now()}
	s.grants[connector] = append(s.grants[connector], g)
	return g
}

// newToken gives g another token; s.mu is held. A lifetime of zero is the grant's.
func (s *Simulator) newToken(g *grant, name string, lifetime time.Duration) string {
	now := time.Now()
	t := &token{grant: g, name: name}
	if lifetime > 0 {
		t.expires = now.Add(lifetime)
	}
	value := s.issue("at")
	s.tokens[value] = t
	return value
}

func (s *Simulator) newRefreshToken(g *grant) string {
	value := s.issue("rt")
	s.refresh[value] = &refreshToken{grant: g}
	return value
}

// kill ends a grant and everything that came of it; s.mu is held.
func (s *Simulator) kill(g *grant) {
	g.dead = true
	g.log.Revoked = true
}

// Revoke ends every grant at the provider of a connector, as if the people had removed the access.
func (s *Simulator) Revoke(connectorID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.grants[connectorID] {
		s.kill(g)
	}
}

// lifetime is how long an access token of a lives.
func (s *Simulator) lifetime(a *definition.Auth) time.Duration {
	switch l := a.Token.Answer.Expires; {
	case a.Refresh != nil && a.Refresh.Grant == "none":
		return 0
	case l != nil && l.In == nil && l.At == nil && l.Default > 0:
		return time.Duration(l.Default)
	}
	return s.options.TokenLifetime
}

// refreshable reports whether a refresh token comes with an access token of a.
func refreshable(a *definition.Auth) bool {
	if a.Kind == definition.TokenExchange && a.Refresh == nil {
		return false // RFC 8693 §2.2.1: typically there is none
	}
	return a.RefreshGrant() == definition.GrantRefreshToken
}

// rotates says whether this renewal replaces the refresh token; s.mu is held.
func (s *Simulator) rotates(g *grant) bool {
	how := s.options.Rotate
	if f := g.auth.Refresh; how == "" && f != nil {
		how = f.Rotation
	}
	g.rotations++
	switch how {
	case "never":
		return false
	case "sometimes":
		return g.rotations%2 == 1
	}
	return true
}

func (s *Simulator) grace(a *definition.Auth) time.Duration {
	if s.options.ReuseGrace != 0 {
		return s.options.ReuseGrace
	}
	if a.Refresh == nil {
		return 0
	}
	return time.Duration(a.Refresh.ReuseGrace)
}

// spend takes a refresh token for a new set of tokens. A token that another has taken the place of is
// a sign of theft and ends the grant (RFC 9700 §4.14.2), unless the provider grants a grace. The
// second value is the new refresh token, empty if the old one stays.
func (s *Simulator) spend(value, clientID string) (*grant, string, *problem) {
	t := s.refresh[value]
	if t == nil || t.grant.client != clientID {
		return nil, "", refuse("invalid_grant", "the refresh token is not known to this client")
	}
	g := t.grant
	if g.dead {
		return nil, "", refuse("invalid_grant", "the refresh token has been revoked")
	}
	if !t.used.IsZero() && time.Since(t.used) > s.grace(g.auth) {
		s.statsOf(g.connector).ReuseDetected++
		s.statsOf(g.connector).FamiliesRevoked++
		g.log.Reused++
		s.kill(g)
		return nil, "", refuse("invalid_grant", "the refresh token was used before; the grant is revoked")
	}
	if !s.rotates(g) {
		return g, "", nil
	}
	if t.used.IsZero() {
		t.used = time.Now()
	}
	return g, s.newRefreshToken(g), nil
}

// entered notes that a renewal of g has begun, and how many are under way; s.mu is held.
func (s *Simulator) entered(g *grant) {
	g.inFlight++
	g.log.MaxParallel = max(g.log.MaxParallel, g.inFlight)
	st := s.statsOf(g.connector)
	st.MaxParallel = max(st.MaxParallel, g.inFlight)
}

// account returns the account with an id; the first one if there is no such.
func (s *Simulator) account(id string) Account {
	i := slices.IndexFunc(s.options.Accounts, func(a Account) bool { return a.ID == id })
	return s.options.Accounts[max(i, 0)]
}
