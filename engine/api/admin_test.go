package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
)

const ownDefinition = `
id: own
name: Own
hosts: [own.example]
auth:
  - id: key
    kind: api_key
    fields: {key: {label: Key, type: password}}
    apply: {headers: {X-Key: "${fields.key}"}}
`

// addOwn keeps a version of acme's own connector and, with publish, makes it the current one.
func addOwn(h *house, source string, publish bool) string {
	h.t.Helper()
	v, _, err := h.engine.Connectors.Add(h.t.Context(), operator, "own.yaml", []byte(source), publish)
	h.must(err)
	return v.Version
}

func TestConnectorRoutes(t *testing.T) { play(t, connectorScenarios()) }

func connectorScenarios() []scenario {
	const connectors = "/api/v1/connectors"
	own := func(h *house) { addOwn(h, ownDefinition, true) }
	return []scenario{
		{
			name: "list", method: http.MethodGet, path: connectors, scope: access.ReadConnectors, status: 200,
			holds: map[string]any{"connectors.0.id": "keyed", "connectors.1.id": "person", "connectors.2.id": "robot", "connectors.3.id": "typed", "connectors.4": nil, "connectors.0.own": false},
		},
		{
			name: "show", method: http.MethodGet, path: connectors + "/keyed", scope: access.ReadConnectors, status: 200,
			holds: map[string]any{"name": "Keyed", "methods.0.kind": "api_key", "methods.0.needs_app": false, "methods.0.fields.0.secret": true, "methods.0.fields.0.required": true},
		},
		{
			name: "show what is not there", method: http.MethodGet, path: connectors + "/none", scope: access.ReadConnectors,
			status: 404, problem: "not-found", code: "connector-unknown",
		},
		{
			name: "show a tenant's own", method: http.MethodGet, path: connectors + "/own", scope: access.ReadConnectors, given: own,
			status: 200, stranger: 404, holds: map[string]any{"own": true, "name": "Own"},
		},
		{
			name: "add", method: http.MethodPost, path: connectors, scope: access.WriteConnectors, body: ownDefinition, kind: "application/yaml",
			status: 201, holds: map[string]any{"connector": "own", "current": true, "findings.0.level": "warning"}, events: []audit.Kind{audit.ConnectorPublished},
		},
		{
			name: "add without making it current", method: http.MethodPost, path: connectors + "?publish=false", scope: access.WriteConnectors,
			body: ownDefinition, kind: "application/yaml", status: 201, holds: map[string]any{"current": false},
		},
		{
			name: "check only", method: http.MethodPost, path: connectors + "?dry_run=true", scope: access.WriteConnectors,
			body: ownDefinition, kind: "application/yaml", status: 200, holds: map[string]any{"valid": true},
		},
		{
			name: "add what is wrong", method: http.MethodPost, path: connectors, scope: access.WriteConnectors,
			body: "id: own\nname: Own\nhosts: [own.example]\nauth:\n  - id: key\n    kind: apikey\n", kind: "application/yaml",
			status: 400, problem: "invalid", code: "definition-invalid", holds: map[string]any{"findings.0.line": 6.0},
		},
		{
			name: "add a picture", method: http.MethodPost, path: connectors, body: "GIF89a", kind: "image/gif", status: 415, problem: "invalid",
		},
		{
			name: "definition", method: http.MethodGet, path: connectors + "/own/definition", scope: access.ReadConnectors, given: own, status: 200, stranger: 404,
		},
		{
			name: "versions", method: http.MethodGet, path: connectors + "/own/versions", scope: access.ReadConnectors, status: 200,
			given: func(h *house) {
				addOwn(h, ownDefinition, true)
				time.Sleep(2 * time.Millisecond) // which is newer is told by the millisecond
				addOwn(h, strings.Replace(ownDefinition, "name: Own", "name: Newer", 1), false)
			},
			holds: map[string]any{"versions.0.current": false, "versions.1.current": true, "versions.2": nil},
		},
		{
			name: "publish", method: http.MethodPost, path: connectors + "/own/publish", scope: access.WriteConnectors, status: 200, stranger: 404,
			given: func(h *house) { h.ids["version"] = addOwn(h, ownDefinition, false) }, body: `{"version":"{version}"}`,
			holds: map[string]any{"current": true}, events: []audit.Kind{audit.ConnectorPublished},
		},
		{
			name: "publish what is not there", method: http.MethodPost, path: connectors + "/own/publish", scope: access.WriteConnectors, given: own,
			body: object{"version": "none"}, status: 404, problem: "not-found",
		},
		{
			name: "withdraw", method: http.MethodDelete, path: connectors + "/own", scope: access.WriteConnectors, given: own, status: 204, stranger: 404,
			events: []audit.Kind{audit.ConnectorWithdrawn},
		},
		{
			name: "withdraw what came with Dowel", method: http.MethodDelete, path: connectors + "/keyed", scope: access.WriteConnectors, status: 404, problem: "not-found",
		},
	}
}

func TestAppRoutes(t *testing.T) { play(t, appScenarios()) }

func appScenarios() []scenario {
	const apps = "/api/v1/apps"
	return []scenario{
		{
			name: "list", method: http.MethodGet, path: apps, scope: access.ReadApps, status: 200, lacks: []string{canary},
			holds: map[string]any{"apps.0.client_id": "client-of-acme", "apps.0.has_secret": true, "apps.2": nil},
		},
		{
			name: "list those of a connector", method: http.MethodGet, path: apps + "?connector=robot", scope: access.ReadApps, status: 200,
			holds: map[string]any{"apps.0.connector": "robot", "apps.1": nil},
		},
		{
			name: "list where there are none", method: http.MethodGet, path: apps + "?connector=keyed", scope: access.ReadApps, status: 200,
			holds: map[string]any{"apps": []any{}},
		},
		{
			name: "create", method: http.MethodPost, path: apps, scope: access.WriteApps, status: 201,
			body:  object{"connector": "robot", "client_id": "c", "client_secret": "the-secret", "name": "Second"},
			holds: map[string]any{"name": "Second", "has_secret": true, "client_id": "c"}, lacks: []string{"the-secret"}, events: []audit.Kind{audit.AppCreated},
		},
		{
			name: "create without a client id", method: http.MethodPost, path: apps, scope: access.WriteApps, body: object{"connector": "robot", "client_secret": "s"},
			status: 400, problem: "invalid", complaints: []string{"client_id"},
		},
		{
			name: "create for what needs none", method: http.MethodPost, path: apps, scope: access.WriteApps, body: object{"connector": "keyed", "client_id": "c"},
			status: 400, problem: "invalid", complaints: []string{"method"},
		},
		{
			name: "create for what is not there", method: http.MethodPost, path: apps, scope: access.WriteApps, body: object{"connector": "none", "client_id": "c"},
			status: 400, problem: "invalid", complaints: []string{"connector"},
		},
		{
			name: "create for the server it is registered at", method: http.MethodPost, path: apps, scope: access.WriteApps, status: 201,
			body:  object{"connector": "typed", "issuer": "https://git.acme.example", "client_id": "c", "client_secret": "the-secret"},
			holds: map[string]any{"issuer": "https://git.acme.example"}, lacks: []string{"the-secret"}, events: []audit.Kind{audit.AppCreated},
		},
		{
			name: "create for whatever server", method: http.MethodPost, path: apps, scope: access.WriteApps, status: 201,
			body: object{"connector": "typed", "issuer": "*", "client_id": "c"}, holds: map[string]any{"issuer": "*"}, events: []audit.Kind{audit.AppCreated},
		},
		{
			name: "create for no server", method: http.MethodPost, path: apps, scope: access.WriteApps, body: object{"connector": "typed", "client_id": "c"},
			status: 400, problem: "invalid", complaints: []string{"issuer"},
		},
		{
			name: "create for a server that is none", method: http.MethodPost, path: apps, scope: access.WriteApps,
			body: object{"connector": "typed", "issuer": "git.acme.example", "client_id": "c"}, status: 400, problem: "invalid", complaints: []string{"issuer"},
		},
		{
			name: "create for a server where nobody types one", method: http.MethodPost, path: apps, scope: access.WriteApps,
			body: object{"connector": "robot", "issuer": "*", "client_id": "c"}, status: 400, problem: "invalid", complaints: []string{"issuer"},
		},
		{
			name: "change its server where there is one", method: http.MethodPatch, path: apps + "/{app}", scope: access.WriteApps,
			body: object{"issuer": "https://git.acme.example"}, status: 400, stranger: 404, problem: "invalid", complaints: []string{"issuer"},
		},
		{
			name: "change", method: http.MethodPatch, path: apps + "/{app}", scope: access.WriteApps, body: object{"name": "Renamed", "client_secret": "newer-secret"},
			status: 200, stranger: 404, holds: map[string]any{"name": "Renamed", "client_id": "client-of-acme", "refused_since": nil},
			lacks: []string{"newer-secret"}, events: []audit.Kind{audit.AppUpdated},
		},
		{
			name: "delete one in use", method: http.MethodDelete, path: apps + "/{app}", scope: access.WriteApps, status: 409, stranger: 404, problem: "conflict", code: "app-in-use",
		},
		{
			name: "delete", method: http.MethodDelete, path: apps + "/{unused}", scope: access.WriteApps, status: 204, stranger: 404, events: []audit.Kind{audit.AppDeleted},
		},
	}
}

func TestConnectSessionRoutes(t *testing.T) { play(t, sessionScenarios()) }

func sessionScenarios() []scenario {
	const sessions = "/api/v1/connect-sessions"
	return []scenario{
		{
			name: "create", method: http.MethodPost, path: sessions, scope: access.CreateConnectSession, body: object{"end_user": "new", "connectors": []string{"keyed"}},
			status: 201, events: []audit.Kind{audit.ConnectSessionCreated},
		},
		{
			name: "create for nobody", method: http.MethodPost, path: sessions, scope: access.CreateConnectSession, body: object{},
			status: 400, problem: "invalid", complaints: []string{"end_user"},
		},
		{
			name: "create with a way back that is not allowed", method: http.MethodPost, path: sessions, scope: access.CreateConnectSession,
			body: object{"end_user": "new", "return_url": "https://evil.example/"}, status: 400, problem: "invalid", complaints: []string{"return_url"},
		},
		{
			name: "create for a connector that is none", method: http.MethodPost, path: sessions, body: object{"end_user": "new", "connectors": []string{"none"}},
			status: 400, problem: "invalid", code: "connector-unknown", complaints: []string{"connectors"},
		},
		{
			name: "create to reconnect", method: http.MethodPost, path: sessions, scope: access.CreateConnectSession,
			body: `{"end_user":"kim-of-acme","connection":"{keyed}"}`, status: 201, stranger: 404, events: []audit.Kind{audit.ConnectSessionCreated},
		},
		{
			name: "create to reconnect somebody else's", method: http.MethodPost, path: sessions, scope: access.CreateConnectSession,
			body: `{"end_user":"mallory","connection":"{keyed}"}`, status: 400, stranger: 404, problem: "invalid", complaints: []string{"end_user"},
		},
		{
			name: "show", method: http.MethodGet, path: sessions + "/{session}", scope: access.CreateConnectSession, status: 200, stranger: 404,
			holds: map[string]any{"end_user": "sam-of-acme", "connected": false, "expired": false, "flow": nil},
		},
		{
			name: "start", method: http.MethodPost, path: sessions + "/{session}/start", scope: access.CreateConnectSession,
			body:   object{"connector": "keyed", "answers": object{"key": "a-key"}},
			status: 200, stranger: 404, holds: map[string]any{"connected": true, "flow.status": "done"}, lacks: []string{"a-key"},
			events: []audit.Kind{audit.FlowStarted, audit.ConnectionCreated},
		},
		{
			name: "start with a wrong key", method: http.MethodPost, path: sessions + "/{session}/start", scope: access.CreateConnectSession,
			body:   object{"connector": "keyed", "answers": object{"key": "wrong"}},
			status: 200, stranger: 404, holds: map[string]any{"connected": false, "flow.status": "failed", "flow.failure.code": "invalid-key"},
			events: []audit.Kind{audit.FlowStarted, audit.FlowFailed},
		},
		{
			name: "start without an answer", method: http.MethodPost, path: sessions + "/{session}/start", scope: access.CreateConnectSession, body: object{"connector": "keyed"},
			status: 400, stranger: 404, problem: "invalid", code: "invalid-answers", complaints: []string{"key"},
		},
		{
			name: "answer when nothing was asked", method: http.MethodPost, path: sessions + "/{session}/answer", scope: access.CreateConnectSession,
			body: object{"value": "x"}, status: 409, stranger: 404, problem: "conflict",
		},
	}
}

func TestKeyAndTenantRoutes(t *testing.T) { play(t, tenantScenarios()) }

func tenantScenarios() []scenario {
	return []scenario{
		{
			name: "list keys", method: http.MethodGet, path: "/api/v1/api-keys", scope: access.ReadAPIKeys, status: 200,
			holds: map[string]any{"api_keys.0.name": "worker", "api_keys.0.scopes": []any{"token:read"}},
		},
		{
			name: "create a key", method: http.MethodPost, path: "/api/v1/api-keys", scope: access.WriteAPIKeys, body: object{"name": "new", "scopes": []string{"token:read"}},
			status: 201, holds: map[string]any{"name": "new", "scopes": []any{"token:read"}, "expires_at": nil}, events: []audit.Kind{audit.APIKeyCreated},
		},
		{
			name: "create a key for what there is not", method: http.MethodPost, path: "/api/v1/api-keys", scope: access.WriteAPIKeys,
			body: object{"name": "new", "scopes": []string{"everything"}}, status: 400, problem: "invalid", complaints: []string{"scopes"},
		},
		{
			name: "create a key that has expired", method: http.MethodPost, path: "/api/v1/api-keys", scope: access.WriteAPIKeys,
			body:   object{"name": "new", "scopes": []string{"token:read"}, "expires_at": time.Now().Add(-time.Hour)},
			status: 400, problem: "invalid", complaints: []string{"expires_at"},
		},
		{
			name: "revoke a key", method: http.MethodDelete, path: "/api/v1/api-keys/{key}", scope: access.WriteAPIKeys, status: 204, stranger: 404,
			events: []audit.Kind{audit.APIKeyRevoked},
		},
		{
			name: "events", method: http.MethodGet, path: "/api/v1/events?limit=200", scope: access.ReadEvents, status: 200, lacks: []string{canary, "globex"},
		},
		{
			name: "events of nothing", method: http.MethodGet, path: "/api/v1/events?subject=none", scope: access.ReadEvents, status: 200,
			holds: map[string]any{"events": []any{}, "next": nil},
		},
		{
			name: "show the tenant", method: http.MethodGet, path: "/api/v1/tenant", status: 200, holds: map[string]any{"return_origins": []any{"https://acme.example"}},
		},
		{
			name: "change the tenant", method: http.MethodPatch, path: "/api/v1/tenant", scope: access.WriteApps, body: object{"return_origins": []string{"https://new.example"}},
			status: 200, holds: map[string]any{"return_origins": []any{"https://new.example"}},
		},
		{
			name: "change the tenant to what is no origin", method: http.MethodPatch, path: "/api/v1/tenant", scope: access.WriteApps,
			body: object{"return_origins": []string{"https://new.example/path"}}, status: 400, problem: "invalid", complaints: []string{"return_origins"},
		},
		{name: "what is not there", method: http.MethodGet, path: "/api/v1/none", status: 404, problem: "not-found"},
	}
}

func TestAKeyCannotGiveMoreThanItHas(t *testing.T) {
	h := newHouse(t)
	s := scenario{method: http.MethodPost, path: "/api/v1/api-keys", body: object{"name": "more", "scopes": []string{"token:read"}}}
	if a := h.ask(s, h.key(operator, access.ReadTokens)); a.status != http.StatusForbidden || a.at("code") != "scope-missing" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestHealthAndReadinessNeedNoKey(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := h.ask(scenario{method: http.MethodGet, path: path}, ""); a.status != http.StatusOK || a.at("status") != "ok" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	h.must(h.store.Close())
	if a := h.ask(scenario{method: http.MethodGet, path: "/readyz"}, ""); a.status != http.StatusServiceUnavailable {
		t.Errorf("not ready: %d %s", a.status, a.text)
	}
	if a := h.ask(scenario{method: http.MethodGet, path: "/healthz"}, ""); a.status != http.StatusOK {
		t.Errorf("alive: %d %s", a.status, a.text)
	}
}
