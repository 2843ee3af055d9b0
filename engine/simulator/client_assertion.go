package simulator

import (
	"cmp"
	"slices"
	"time"

	"dowel/engine/definition"
)

// assertedClient authenticates a client by what it has signed (RFC 7523 §2.2), and by nothing beside it.
func (c *call) assertedClient(k chosen, header string) (*client, *problem) {
	if header != "" || k.param("client_secret") != "" {
		return nil, refuse("invalid_request", "the client authenticates with an assertion; nothing else must be sent as well")
	}
	if k.param("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return nil, refuse("invalid_client", "client_assertion_type is missing or not that of RFC 7523")
	}
	text := k.param("client_assertion")
	id := cmp.Or(k.param("client_id"), subjectOf(text))
	if _, err := c.judgeAssertion(c.byClient(k.auth, k.auth.ClientAssertion, text, id, longestAssertion)); err != nil {
		return nil, refuse("invalid_client", "the client assertion is refused: "+err.Error())
	}
	if c.app(id) == nil && k.kind == "client_credentials" {
		return &client{id: id}, nil // somebody's own, whose signature was good
	}
	return c.client(id, "", true, false)
}

// mintedSecret verifies a client secret that is made anew for each request.
func (c *call) mintedSecret(a *definition.Auth, id, text string) *problem {
	if _, err := c.judgeAssertion(c.byClient(a, a.ClientSecret, text, id, longestSecret)); err != nil {
		return refuse("invalid_client", "the client secret is refused: "+err.Error())
	}
	return nil
}

// longestSecret is how long a secret that a client makes itself may live: six months, which is what Apple
// takes.
const longestSecret = 183 * 24 * time.Hour

// byClient is an assertion by which a client speaks for itself. What a definition makes it from may be the
// client's registered secret.
func (c *call) byClient(a *definition.Auth, j *definition.JWT, text, id string, longest time.Duration) *assertion {
	out := &assertion{jwt: j, auth: a, text: text, party: id, longest: max(longest, time.Duration(j.Lifetime)), found: slots{}}
	if app := c.app(id); app != nil && slices.Contains(valuePattern(j.Key.Source).names, "app.client_secret") {
		out.more = []registeredKey{{owner: id, secret: app.secret}}
	}
	return out
}

// subjectOf is whom a token speaks of, before it is believed; its key is looked for by that.
func subjectOf(text string) string {
	t, err := parseToken(text)
	if err != nil {
		return ""
	}
	s, _ := t.claims["sub"].(string)
	return s
}
