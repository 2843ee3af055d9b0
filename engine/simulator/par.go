package simulator

import (
	"cmp"
	"maps"
	"net/http"
	"time"

	"dowel/engine/definition"
)

// pushed is an authorization request that was handed over before the browser comes (RFC 9126).
type pushed struct {
	connector, client string
	auth              *definition.Auth
	params            params
	expires           time.Time
}

// push takes an authorization request (RFC 9126 §2.1), which has to be one that would be good in a browser.
func (c *call) push(h hit) *answer {
	got, client, p := c.pushable(h)
	if p != nil {
		c.count(func(s *Stats) { s.Refused[p.code]++ })
		return refusal(h.auth, definition.Outcome{}, p)
	}
	uri := "urn:ietf:params:oauth:request_uri:" + c.s.issue("par")
	lifetime := c.s.options.PushLifetime
	c.s.mu.Lock()
	c.s.pushed[uri] = &pushed{connector: c.connector.ID, client: client.id, auth: h.auth, params: got, expires: time.Now().Add(lifetime)}
	c.s.mu.Unlock()
	return jsonAnswer(http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": seconds(lifetime)})
}

// pushable checks a pushed request: the client's authentication, and all that the authorization endpoint
// would look at.
func (c *call) pushable(h hit) (params, *client, *problem) {
	if c.r.Method != http.MethodPost {
		return nil, nil, &problem{"invalid_request", "the method must be POST", http.StatusMethodNotAllowed}
	}
	got, p := c.tokenParams(http.MethodPost, "form")
	if p != nil {
		return nil, nil, p
	}
	if got["request_uri"] != "" {
		return nil, nil, refuse("invalid_request", "request_uri must not be pushed") // §2.1
	}
	par, names := h.auth.Authorize.PAR, pushNames(h.auth)
	how := par.ClientAuth
	if h.auth.Token != nil {
		how = cmp.Or(how, h.auth.Token.ClientAuth)
	}
	k := chosen{spec: spec{hit: h, clientAuth: cmp.Or(how, definition.ClientAuthNone), names: names, headers: par.Headers}, got: got}
	client, p := c.authenticate(k)
	if p == nil {
		_, p = constants(par.Params, got)
	}
	if p == nil {
		p = c.headerConstants(par.Headers)
	}
	if p != nil {
		return nil, nil, p
	}
	if id := k.param("client_id"); id != client.id {
		return nil, nil, refuse("invalid_request", "client_id is missing or that of another client")
	}
	if _, sent := names.Name("redirect_uri"); sent && !client.registered(h.auth, k.param("redirect_uri")) {
		return nil, nil, refuse("invalid_request", "redirect_uri is not registered for this app")
	}
	ask := &consent{}
	return got, client, ask.read(h, got, "", k.param)
}

// pushNames are the names of the authorization request, and the token request's for the client's secret.
func pushNames(a *definition.Auth) definition.Names {
	out := definition.Names{}
	if a.Token != nil {
		for _, standard := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
			if name, given := a.Token.Names[standard]; given {
				out[standard] = name
			}
		}
	}
	maps.Copy(out, a.Authorize.Names)
	return out
}

// pulled returns the parameters of a request that was pushed. The browser brings the client id and the
// request URI and nothing else; the URI counts once, for a while, and for the client that pushed (RFC 9126
// §2.2, §4); a request that was not pushed is refused (§5).
func (c *call) pulled(h hit, got params) params {
	name, _ := h.auth.Authorize.Names.Name("client_id")
	uri := got["request_uri"]
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p := c.s.pushed[uri]
	if p == nil || len(got) != 2 || p.connector != c.connector.ID || p.auth.ID != h.auth.ID || p.client != got[name] {
		return nil
	}
	delete(c.s.pushed, uri)
	if time.Now().After(p.expires) {
		return nil
	}
	return p.params
}
