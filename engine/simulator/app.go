package simulator

import (
	"cmp"
	"net/http"
	"strings"

	"dowel/engine/definition"
)

// clientOf is the client that authenticates a request beside the token requests (RFC 7009 §2.1).
func (c *call) clientOf(h hit) (*client, *problem) {
	k := chosen{spec: spec{hit: h, kind: "other", clientAuth: h.request.ClientAuth, headers: h.request.Headers}}
	if t := h.auth.Token; t != nil {
		k.names, k.clientAuth = t.Names, cmp.Or(k.clientAuth, t.ClientAuth)
	}
	if k.clientAuth != definition.ClientAuthHeader {
		var p *problem
		if k.got, p = c.bodyParams("form"); p != nil {
			return nil, p
		}
	}
	return c.authenticate(k)
}

// ofApp refuses values that are not those of the app, where a request says something of it.
func (c *call) ofApp(values slots, clientID string) *problem {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	known := c.s.clients[c.connector.ID][clientID]
	if known == nil {
		return nil
	}
	for name, got := range values {
		field, says := strings.CutPrefix(name, "app.")
		want, registered := known.fields[field]
		switch field {
		case "client_id":
			want, registered = known.id, true
		case "client_secret":
			want, registered = known.secret, true
		}
		if says && registered && got != want {
			return &problem{"invalid_client", "the app's " + field + " is not the registered one", http.StatusUnauthorized}
		}
	}
	return nil
}

// headerValues are the values of formulas in headers, as far as the headers are there.
func (c *call) headerValues(want definition.Params) slots {
	out := slots{}
	for _, w := range want {
		if m, ok := valuePattern(w.Value.Source).match(c.r.Header.Get(w.Name)); ok && !w.Drop {
			out.add(m)
		}
	}
	return out
}

// appOfCall checks what a call says of the app besides its credential: in the headers of every call, and
// where the credential goes. What was typed belongs to the only app there is.
func (c *call) appOfCall(h *holder) *problem {
	id := ""
	if h.grant != nil {
		id = h.grant.client
	} else if app := c.onlyApp(); app != nil {
		id = app.id
	}
	said := c.headerValues(c.connector.APIFor(h.auth).Headers)
	said.add(h.slots)
	if p := c.ofApp(said, id); p != nil {
		return p
	}
	return c.proven(h, id)
}

// proven checks what a call carries that is made of the token with the secret of the app.
func (c *call) proven(h *holder, clientID string) *problem {
	c.s.mu.Lock()
	app := c.s.clients[c.connector.ID][clientID]
	c.s.mu.Unlock()
	if app == nil {
		return nil
	}
	env := definition.Env{
		"app":        map[string]any{"client_id": app.id, "client_secret": app.secret},
		"credential": map[string]any{"access_token": h.slots["credential.access_token"]},
	}
	sent := map[string]func(string) string{"header": c.r.Header.Get, "query": c.r.URL.Query().Get}
	for place, params := range map[string]definition.Params{"header": h.auth.Apply.Headers, "query": h.auth.Apply.Query} {
		for i := range params {
			p := &params[i]
			if !strings.Contains(p.Value.Source, "hmac_") {
				continue
			}
			if want, err := p.Value.Fill(env); err != nil || want != sent[place](p.Name) {
				return refuse("invalid_token", p.Name+" is not what the secret of the app makes of the token")
			}
		}
	}
	return nil
}
