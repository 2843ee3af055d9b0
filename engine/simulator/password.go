package simulator

// passwordGrant trades a user name and password for tokens (RFC 6749 §4.3).
func (c *call) passwordGrant(k chosen, client *client) (*answer, *problem) {
	user, word := k.param("username"), k.param("password")
	if user == "" || word == "" {
		return nil, refuse("invalid_request", "username or password is missing")
	}
	found, userOK := valuePattern(k.auth.Username.Source).match(user)
	_, wordOK := valuePattern(k.auth.Password.Source).match(word)
	if !userOK || !wordOK || Wrong(word) {
		return nil, refuse("invalid_grant", "the user name or the password is wrong")
	}
	if !c.wait(c.s.options.RefreshLatency) {
		return nil, errGone
	}
	return c.granted(k, client, c.s.typist(found))
}

// granted starts a grant for somebody who is known by now, with the scopes that the request asks for.
func (c *call) granted(k chosen, client *client, who Account) (*answer, *problem) {
	scopes, p := scopesAsked(k.auth, k.names, k.got, "")
	if p != nil {
		return nil, p
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g := c.s.newGrant(c.connector.ID, k.auth, client.id, who)
	g.scopes = scopes
	refresh := ""
	if refreshable(k.auth) {
		refresh = c.s.newRefreshToken(g)
	}
	return c.tokenAnswer(k.spec, g, refresh), nil
}
