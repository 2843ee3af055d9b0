package simulator

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// clientMetadata is what a client says about itself (RFC 7591 §2).
type clientMetadata struct {
	ClientID      string   `json:"client_id"`
	Name          string   `json:"client_name"`
	RedirectURIs  []string `json:"redirect_uris"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	Method        string   `json:"token_endpoint_auth_method"`
}

// registerClient registers a client (RFC 7591 §3).
func (c *call) registerClient(h hit) *answer {
	m, p := c.readClient(h)
	if p != nil {
		c.count(func(s *Stats) { s.Refused[p.code]++ })
		return jsonAnswer(p.status, map[string]any{"error": p.code, "error_description": p.description})
	}
	if !c.wait(c.s.options.RefreshLatency) {
		return jsonAnswer(errGone.status, map[string]any{"error": errGone.code})
	}
	k := &client{id: c.s.issue("client"), method: m.Method, redirects: m.RedirectURIs}
	out := map[string]any{
		"client_id": k.id, "client_id_issued_at": 1, "client_name": m.Name, "redirect_uris": m.RedirectURIs,
		"grant_types": m.GrantTypes, "token_endpoint_auth_method": m.Method,
	}
	if m.Method != "none" {
		k.secret = c.s.issue("secret")
		out["client_secret"], out["client_secret_expires_at"] = k.secret, 0
	}
	c.s.mu.Lock()
	c.s.keep(c.connector.ID, k)
	c.s.statsOf(c.connector.ID).Registered++
	c.s.mu.Unlock()
	return jsonAnswer(http.StatusCreated, out)
}

// readClient reads and judges what a client says about itself.
func (c *call) readClient(h hit) (clientMetadata, *problem) {
	var m clientMetadata
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if c.r.Method != http.MethodPost || kind != "application/json" || json.Unmarshal(c.body, &m) != nil {
		return m, refuse("invalid_client_metadata", "the request must be a POST of application/json")
	}
	if t := h.auth.Registration.InitialAccessToken; t != nil {
		token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
		if !ok || Wrong(token) {
			return m, &problem{"invalid_token", "an initial access token is wanted", http.StatusUnauthorized}
		}
	} else if c.r.Header.Get("Authorization") != "" {
		return m, refuse("invalid_client_metadata", "nothing authenticates this request; the Authorization header must not be sent")
	}
	return m, m.judge(h.auth)
}

func (m clientMetadata) judge(a *definition.Auth) *problem {
	bad := func(format string, args ...any) *problem {
		return refuse("invalid_client_metadata", fmt.Sprintf(format, args...))
	}
	if m.ClientID != "" && a.Registration.Mode == definition.RegisterDynamic {
		return bad("client_id is the server's to give")
	}
	if m.Name == "" {
		return bad("client_name is missing: people would not know whom they allow something")
	}
	if !slices.Contains([]string{"none", "client_secret_post", "client_secret_basic"}, m.Method) {
		return bad("token_endpoint_auth_method %s is not supported", m.Method)
	}
	if a.Authorize == nil {
		return nil
	}
	if len(m.RedirectURIs) == 0 {
		return refuse("invalid_redirect_uri", "redirect_uris is missing")
	}
	for _, s := range m.RedirectURIs {
		u, err := url.Parse(s)
		loopback := err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost")
		if err != nil || u.Fragment != "" || u.Scheme != "https" && !loopback {
			return refuse("invalid_redirect_uri", "a redirect URI is https without a fragment, or on the loopback")
		}
	}
	if !slices.Contains(m.GrantTypes, "authorization_code") || !slices.Contains(m.ResponseTypes, "code") {
		return bad("grant_types and response_types do not fit together")
	}
	return nil
}

// keep adds a client; s.mu is held.
func (s *Simulator) keep(connectorID string, k *client) {
	if s.clients[connectorID] == nil {
		s.clients[connectorID] = map[string]*client{}
	}
	s.clients[connectorID][k.id] = k
}

// documented is the client whose id is the address of a document about it, as the document says
// (OAuth Client ID Metadata Document §4); nil if there is none, or it is not about that client.
func (c *call) documented(a *definition.Auth, id string) *client {
	if a.Registration == nil || c.s.options.Document == nil || !strings.HasPrefix(id, "https://") {
		return nil
	}
	text, err := c.s.options.Document(c.r.Context(), id)
	if err != nil {
		return nil
	}
	var m clientMetadata
	if json.Unmarshal(text, &m) != nil || m.ClientID != id || m.Method != "none" || m.judge(a) != nil {
		return nil
	}
	k := &client{id: id, method: "none", redirects: m.RedirectURIs}
	c.s.mu.Lock()
	c.s.keep(c.connector.ID, k)
	c.s.mu.Unlock()
	return k
}

// registeredAuth is how a client agreed to authenticate when it registered itself.
func (c *call) registeredAuth(id string) definition.ClientAuth {
	if k := c.app(id); k != nil {
		switch k.method {
		case "client_secret_basic":
			return definition.ClientAuthHeader
		case "client_secret_post":
			return definition.ClientAuthBody
		}
	}
	return definition.ClientAuthNone
}

// Forget has the provider of a connector forget every app, as servers do that keep them in memory.
func (s *Simulator) Forget(connectorID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[connectorID] = nil
}

// knowsApps reports whether the provider serves apps that it knows, and no others.
func knowsApps(a *definition.Auth) bool { return a.NeedsApp() || a.Registration != nil }
