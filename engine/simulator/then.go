package simulator

import (
	"fmt"
	"time"

	"dowel/engine/definition"
)

// A provider that hands out a first token only to be traded for another is played strictly: the first
// is good for the trade and for nothing else, so that a client that stops half-way is found out.

// thenSpec is the spec of one of the requests under token.then.
func thenSpec(h hit) spec {
	t := h.auth.Token.Then[h.then-1]
	return spec{
		hit: h, kind: "then", method: h.method, format: t.Format, clientAuth: t.ClientAuth, grantType: t.GrantType,
		names: t.Names, params: t.Params, headers: t.Headers, outcome: t.Outcome, answer: &t.Answer,
	}
}

// stage is the name of the access token that the answer to this kind of request brings: none for the
// one that calls are made with, another for one that is still to be traded.
func (k spec) stage() string {
	if k.kind == "refresh_token" || k.kind == "access_token" {
		return "" // a renewal renews what all the trades have come to
	}
	return stageName(k.auth, k.then)
}

func stageName(a *definition.Auth, stage int) string {
	if stage == len(a.Token.Then) {
		return ""
	}
	return fmt.Sprintf("then.%d", stage)
}

// tradeFurther takes the token of the stage before for one of this stage.
func (c *call) tradeFurther(k chosen, client *client, own slots) (*answer, *problem) {
	if !c.wait(c.s.options.RefreshLatency) {
		return nil, errGone
	}
	own.add(c.headerSlots(k.headers))
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[own["credential.access_token"]]
	if t == nil || t.grant.connector != c.connector.ID || t.name != stageName(k.auth, k.then-1) || !t.good(time.Now()) {
		return nil, refuse("invalid_grant", "the token that is to be traded is not known, or not good any more")
	}
	if client.id != t.grant.client {
		return nil, refuse("invalid_grant", "the token belongs to another client")
	}
	if proof, sent := own["app.client_secret"]; sent && proof != client.secret {
		return nil, refuse("invalid_client", "the client secret is wrong")
	}
	return c.tokenAnswer(k.spec, t.grant, ""), nil
}

// headerSlots are the values in the headers that the definition fills.
func (c *call) headerSlots(want definition.Params) slots {
	out := slots{}
	for _, h := range want {
		if m, ok := valuePattern(h.Value.Source).match(c.r.Header.Get(h.Name)); ok {
			out.add(m)
		}
	}
	return out
}

// ownerOf is the client to which belongs what a request brings that tells no client: the refresh token
// or the access token. A client id among the parameters must be the owner's.
func (c *call) ownerOf(k chosen, own slots) *client {
	values := slots{}
	values.add(own)
	values.add(c.headerSlots(k.headers))
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	out := &client{}
	if t := c.s.refresh[k.param("refresh_token")]; t != nil {
		out.id = t.grant.client
	}
	if t := c.s.tokens[values["credential.access_token"]]; t != nil {
		out.id = t.grant.client
	}
	if known := c.s.clients[c.connector.ID][out.id]; known != nil {
		out = known
	}
	if id, told := values["app.client_id"]; told && id != out.id {
		return &client{id: id}
	}
	return out
}
