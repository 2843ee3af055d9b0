package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/simulator"
	"dowel/engine/storage"
)

func TestConnectionRoutes(t *testing.T) { play(t, connectionScenarios()) }

func connectionScenarios() []scenario {
	const connections = "/api/v1/connections"
	return []scenario{
		{
			name: "list", method: http.MethodGet, path: connections, scope: access.ReadConnections, status: 200,
			holds: map[string]any{"connections.0.connector": "keyed", "connections.1.connector": "robot", "connections.2": nil, "next": nil},
			lacks: []string{canary, "globex"},
		},
		{
			name: "list one at a time", method: http.MethodGet, path: connections + "?limit=1", scope: access.ReadConnections, status: 200,
			holds: map[string]any{"connections.0.connector": "keyed", "connections.1": nil},
		},
		{
			name: "list those of a person", method: http.MethodGet, path: connections + "?end_user=robin-of-acme", scope: access.ReadConnections, status: 200,
			holds: map[string]any{"connections.0.end_user": "robin-of-acme", "connections.1": nil},
		},
		{
			name: "list where there are none", method: http.MethodGet, path: connections + "?connector=person", scope: access.ReadConnections, status: 200,
			holds: map[string]any{"connections": []any{}, "next": nil},
		},
		{
			name: "list more than there may be", method: http.MethodGet, path: connections + "?limit=201", status: 400, problem: "invalid", complaints: []string{"limit"},
		},
		{
			name: "show", method: http.MethodGet, path: connections + "/{robot}", scope: access.ReadConnections, status: 200, stranger: 404,
			holds: map[string]any{
				"status": "active", "kind": "oauth2_client_credentials", "version": 1.0, "end_user": "robin-of-acme",
				"renewed_automatically": true, "health.failures": 0.0, "granted_scopes": []any{"read"},
			},
			lacks: []string{canary},
		},
		{
			name: "show what is not there", method: http.MethodGet, path: connections + "/conn_none", scope: access.ReadConnections,
			status: 404, problem: "not-found",
		},
		{
			name: "import a key", method: http.MethodPost, path: connections, scope: access.WriteConnections,
			body:   object{"connector": "keyed", "end_user": "new", "answers": object{"key": "a-key"}},
			status: 201, holds: map[string]any{"status": "active", "connector": "keyed", "method": "key", "unverified": nil},
			lacks: []string{"a-key"}, events: []audit.Kind{audit.ConnectionCreated},
		},
		{
			name: "import a key the provider refuses", method: http.MethodPost, path: connections, scope: access.WriteConnections,
			body:   object{"connector": "keyed", "end_user": "new", "answers": object{"key": "wrong"}},
			status: 422, problem: "provider-refused", code: "credential-rejected", lacks: []string{"wrong"},
		},
		{
			name: "import without an answer", method: http.MethodPost, path: connections, scope: access.WriteConnections,
			body:   object{"connector": "keyed", "end_user": "new"},
			status: 400, problem: "invalid", code: "invalid-answers", complaints: []string{"key"},
		},
		{
			name: "import from a server that there is no app for", method: http.MethodPost, path: connections, scope: access.WriteConnections,
			body:   object{"connector": "typed", "end_user": "mallory", "answers": object{"base_url": "https://evil.example"}, "access_token": "theirs"},
			status: 502, problem: "app-misconfigured", code: "app-missing",
		},
		{
			name: "import for nobody", method: http.MethodPost, path: connections, scope: access.WriteConnections,
			body: object{"connector": "keyed", "answers": object{"key": "a-key"}}, status: 400, problem: "invalid", complaints: []string{"end_user"},
		},
		{
			name: "import what needs a person", method: http.MethodPost, path: connections, scope: access.WriteConnections,
			body: object{"connector": "person", "end_user": "new"}, status: 400, problem: "invalid", complaints: []string{"access_token"},
		},
		{
			name: "import a field that is none", method: http.MethodPost, path: connections,
			body: object{"connector": "keyed", "enduser": "new"}, status: 400, problem: "invalid", complaints: []string{"enduser"},
		},
		{
			name: "import a text for an object", method: http.MethodPost, path: connections, body: `"connector"`,
			status: 400, problem: "invalid", holds: map[string]any{"detail": "the body must be a JSON object"},
		},
		{
			name: "import something after the object", method: http.MethodPost, path: connections, body: `{"connector":"keyed"} {}`,
			status: 400, problem: "invalid",
		},
		{
			name: "import as a form", method: http.MethodPost, path: connections, body: "connector=keyed", kind: "application/x-www-form-urlencoded",
			status: 415, problem: "invalid",
		},
		{
			name: "rename", method: http.MethodPatch, path: connections + "/{robot}", scope: access.WriteConnections, body: object{"name": "Ours"},
			status: 200, stranger: 404, holds: map[string]any{"name": "Ours", "status": "active"}, events: []audit.Kind{audit.ConnectionUpdated},
		},
		{
			name: "switch off", method: http.MethodPatch, path: connections + "/{robot}", scope: access.WriteConnections, body: object{"disabled": true},
			status: 200, stranger: 404, holds: map[string]any{"status": "disabled"}, events: []audit.Kind{audit.ConnectionDisabled},
		},
		{
			name: "switch on", method: http.MethodPatch, path: connections + "/{robot}", scope: access.WriteConnections, body: object{"disabled": false},
			given:  func(h *house) { h.change("robot", func(c *storage.Connection) { c.Status = storage.Disabled }) },
			status: 200, stranger: 404, holds: map[string]any{"status": "active"}, events: []audit.Kind{audit.ConnectionEnabled},
		},
		{
			name: "change nothing", method: http.MethodPatch, path: connections + "/{robot}", body: object{}, status: 400, problem: "invalid",
		},
		{
			name: "delete", method: http.MethodDelete, path: connections + "/{robot}", scope: access.WriteConnections, status: 204, stranger: 404,
			events: []audit.Kind{audit.ConnectionRevoked, audit.CredentialRevokedAt, audit.ConnectionDeleted},
		},
		{
			name: "disconnect", method: http.MethodPost, path: connections + "/{robot}/disconnect", scope: access.WriteConnections, status: 200, stranger: 404,
			holds: map[string]any{"status": "revoked", "revoked_at_provider": true}, events: []audit.Kind{audit.ConnectionRevoked, audit.CredentialRevokedAt},
		},
		{
			name: "disconnect what the provider cannot take back", method: http.MethodPost, path: connections + "/{keyed}/disconnect",
			scope: access.WriteConnections, status: 200, stranger: 404,
			holds: map[string]any{"status": "revoked", "revoked_at_provider": false}, events: []audit.Kind{audit.ConnectionRevoked},
		},
		{
			name: "refresh", method: http.MethodPost, path: connections + "/{robot}/refresh", scope: access.WriteConnections, status: 200, stranger: 404,
			holds: map[string]any{"version": 2.0, "health.failures": 0.0}, events: []audit.Kind{audit.CredentialRefreshed},
		},
		{
			name: "refresh what the provider refuses now", method: http.MethodPost, path: connections + "/{robot}/refresh", scope: access.WriteConnections,
			given:  func(h *house) { h.sim.Set("robot", simulator.Fault{Kind: simulator.FaultStatus, Status: 503}) },
			status: 503, stranger: 404, problem: "provider-unavailable", code: "server_error", retry: true, events: []audit.Kind{audit.CredentialRefreshFail},
		},
		{
			name: "test", method: http.MethodPost, path: connections + "/{keyed}/test", scope: access.WriteConnections, status: 200, stranger: 404,
			holds: map[string]any{"health.last_test_error": nil, "status": "active"}, events: []audit.Kind{audit.ConnectionTested},
		},
		{
			name: "sign", method: http.MethodPost, path: connections + "/{keyed}/sign", scope: access.ReadTokens, body: object{"url": "https://keyed.example/things"},
			status: 200, stranger: 404, holds: map[string]any{"headers.X-Key": canary + "-key"}, events: []audit.Kind{audit.TokenRead},
		},
		{
			name: "sign for another host", method: http.MethodPost, path: connections + "/{keyed}/sign", scope: access.ReadTokens,
			body: object{"url": "https://evil.example/"}, status: 400, stranger: 404, problem: "invalid", complaints: []string{"url"}, lacks: []string{canary},
		},
		{
			name: "events", method: http.MethodGet, path: connections + "/{robot}/events", scope: access.ReadEvents, status: 200, stranger: 404,
			holds: map[string]any{"events.0.kind": "connection.created", "events.1": nil}, lacks: []string{canary},
		},
	}
}

func TestTokenRoute(t *testing.T) { play(t, tokenScenarios()) }

func tokenScenarios() []scenario {
	const token = "/api/v1/connections/{robot}/token"
	ended := func(status storage.Status, reason string) func(h *house) {
		return func(h *house) {
			h.change("robot", func(c *storage.Connection) {
				c.Status, c.StatusReason, c.ExpiresAt, c.RefreshAt = status, reason, time.Now().Add(-time.Minute), time.Time{}
			})
		}
	}
	get := func(s scenario) scenario {
		s.method, s.scope, s.stranger = http.MethodGet, access.ReadTokens, 404
		return s
	}
	return []scenario{
		get(scenario{
			name: "read", path: token, status: 200, events: []audit.Kind{audit.TokenRead},
			holds: map[string]any{
				"connector": "robot", "kind": "oauth2_client_credentials", "version": 1.0, "token_type": "Bearer", "warning": nil,
				"request.base_url": "https://robot.example/api", "request.query": object{},
			},
		}),
		get(scenario{
			name: "read a typed key", path: "/api/v1/connections/{keyed}/token", status: 200, events: []audit.Kind{audit.TokenRead},
			holds: map[string]any{"access_token": canary + "-key", "expires_at": nil, "request.headers": object{"X-Key": canary + "-key"}},
		}),
		get(scenario{
			name: "force", path: token + "?force=true", status: 200, events: []audit.Kind{audit.CredentialRefreshed, audit.TokenRead},
			holds: map[string]any{"version": 2.0},
		}),
		get(scenario{name: "wish for a longer life", path: token + "?min_ttl=10m", status: 200, events: []audit.Kind{audit.TokenRead}, holds: map[string]any{"version": 1.0}}),
		{
			name: "wish for what is no time", method: http.MethodGet, path: token + "?min_ttl=soon", status: 400, problem: "invalid", complaints: []string{"min_ttl"},
		},
		{
			name: "force maybe", method: http.MethodGet, path: token + "?force=maybe", status: 400, problem: "invalid", complaints: []string{"force"},
		},
		get(scenario{name: "of nothing", path: "/api/v1/connections/conn_none/token", status: 404, problem: "not-found"}),
		get(scenario{
			name: "after the end of the grant", path: token, given: ended(storage.NeedsReauth, "invalid_grant"),
			status: 409, problem: "needs-reauth", code: "invalid_grant", fix: "connect session",
		}),
		get(scenario{name: "switched off", path: token, given: ended(storage.Disabled, ""), status: 409, problem: "disabled", fix: "PATCH"}),
		get(scenario{name: "disconnected", path: token, given: ended(storage.Revoked, "disconnected"), status: 410, problem: "revoked"}),
		get(scenario{
			name: "of a spoilt record", path: token, status: 500, problem: "credential-unreadable", fix: "master key",
			given: func(h *house) { h.change("robot", func(c *storage.Connection) { c.Credential = []byte("rubbish") }) },
		}),
		get(scenario{
			name: "while the provider is down", path: token, status: 503, problem: "provider-unavailable", code: "server_error", retry: true, events: []audit.Kind{audit.CredentialRefreshFail},
			given: func(h *house) {
				h.sim.Set("robot", simulator.Fault{Kind: simulator.FaultStatus, Status: 500})
				h.change("robot", func(c *storage.Connection) { c.ExpiresAt = time.Now().Add(-time.Minute) })
			},
		}),
		get(scenario{
			name: "while the app is refused", path: token, status: 502, problem: "app-misconfigured", code: "app-refused", fix: "console", retry: true,
			events: []audit.Kind{audit.AppRefused},
			given: func(h *house) {
				h.sim.Set("robot", simulator.Fault{Kind: simulator.FaultInvalidClient})
				h.change("robot", func(c *storage.Connection) { c.ExpiresAt = time.Now().Add(-time.Minute) })
			},
		}),
	}
}

func TestAKeyInTheAddressIsRefused(t *testing.T) {
	h := newHouse(t)
	key := h.key(operator)
	for _, name := range []string{"api_key", "access_token"} {
		s := scenario{method: http.MethodGet, path: "/api/v1/connections/{robot}/token?" + name + "=" + key}
		if a := h.ask(s, key); a.status != http.StatusUnauthorized || strings.Contains(a.text, canary) {
			t.Errorf("%s in the address: %d %s", name, a.status, a.text)
		}
	}
}

func TestAHeadRequestHandsOutNoToken(t *testing.T) {
	h := newHouse(t)
	s := scenario{method: http.MethodHead, path: "/api/v1/connections/{robot}/token"}
	before := h.events()
	if a := h.ask(s, h.key(operator)); a.status == http.StatusOK {
		t.Errorf("a HEAD is answered %d", a.status)
	}
	if got := emitted(before, h.events(), audit.APIKeyCreated); len(got) > 0 {
		t.Errorf("a HEAD leaves %v", got)
	}
}

// play runs each scenario in a house of its own.
func play(t *testing.T, all []scenario) {
	t.Helper()
	for _, s := range all {
		t.Run(s.name, s.run)
	}
}
