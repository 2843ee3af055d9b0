package simulator

import (
	"net/http"
	"strings"

	"dowel/engine/definition"
)

// A provider whose addresses are discovered has them here, below its issuer; one that is found through a
// resource is an authorization server at a host of its own.
const (
	authorizationServer = "https://auth.simulated.example"
	belowIssuer         = "/sim/"
)

// discoverable are the addresses that a simulated provider publishes, below belowIssuer.
var discoverable = map[string]string{
	"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo", "jwks_uri": "keys",
	"revocation_endpoint": "revoke", "introspection_endpoint": "introspect", "device_authorization_endpoint": "device",
	"registration_endpoint": "register", "pushed_authorization_request_endpoint": "par",
}

// issuerSource is the issuer of a as a template.
func issuerSource(a *definition.Auth) string {
	if a.Discovery.Issuer != nil {
		return strings.TrimSuffix(a.Discovery.Issuer.Source, "/")
	}
	return authorizationServer + "/" + a.ID
}

// located puts the simulated addresses in the place of those that are discovered.
func located(a *definition.Auth, source string) string {
	if a == nil || a.Discovery == nil {
		return source
	}
	for name, path := range discoverable {
		if rest, ok := strings.CutPrefix(source, "${discovered."+name+"}"); ok {
			return issuerSource(a) + belowIssuer + path + rest
		}
	}
	return source
}

// restOfPath stands for whatever follows in a path.
const restOfPath = "the rest of the path"

// The well-known places of metadata: OpenID Connect Discovery 1.0 §4, RFC 8414 §3, RFC 9728 §3.
const (
	openIDConfiguration = "/.well-known/openid-configuration"
	serverMetadata      = "/.well-known/oauth-authorization-server"
	resourceMetadata    = "/.well-known/oauth-protected-resource"
)

// publications adds the addresses where m's provider publishes its metadata.
func (a *atlas) publications(m *definition.Auth) {
	d := m.Discovery
	if d == nil {
		return
	}
	publish := func(source string) {
		a.add(endpoint{role: roleMetadata, auth: m, method: http.MethodGet}, source)
	}
	if d.Resource != nil {
		origin, _ := splitOrigin(d.Resource.Source)
		publish(origin + resourceMetadata + "${" + restOfPath + "}")
	}
	if d.Kind == "oauth" || d.Resource != nil {
		origin, path := splitOrigin(issuerSource(m))
		publish(origin + serverMetadata + path)
		return
	}
	publish(issuerSource(m) + openIDConfiguration)
}

// splitOrigin parts an address template behind its host. Of one that is a formula, the path may be
// anything.
func splitOrigin(source string) (origin, path string) {
	scheme, rest, found := strings.Cut(source, "://")
	if !found {
		return source, "${" + restOfPath + "}"
	}
	host, path, hasPath := strings.Cut(rest, "/")
	if !hasPath {
		return source, ""
	}
	return scheme + "://" + host, "/" + strings.TrimSuffix(path, "/")
}

// metadata answers with the document at the address.
func (c *call) metadata(h hit) *answer {
	c.count(func(s *Stats) { s.Metadata++ })
	if c.failing(FaultMoved) {
		return c.moved(h)
	}
	if rest, ok := strings.CutPrefix(c.path, resourceMetadata); ok {
		return jsonAnswer(http.StatusOK, map[string]any{
			"resource": "https://" + c.host + rest, "authorization_servers": []any{authorizationServer + "/" + h.auth.ID},
			"scopes_supported": []any{"read", "write"}, "bearer_methods_supported": []any{"header"},
		})
	}
	return jsonAnswer(http.StatusOK, c.serverMetadata(h.auth, c.issuerHere()))
}

// issuerHere is the issuer that a request for metadata asks about.
func (c *call) issuerHere() string {
	if rest, ok := strings.CutPrefix(c.path, serverMetadata); ok {
		return "https://" + c.host + rest
	}
	return "https://" + c.host + strings.TrimSuffix(c.path, openIDConfiguration)
}

// serverMetadata is RFC 8414 §2 and OpenID Connect Discovery 1.0 §3.
func (c *call) serverMetadata(a *definition.Auth, issuer string) map[string]any {
	doc := map[string]any{
		"issuer": issuer, "response_types_supported": []any{"code"}, "scopes_supported": []any{"openid", "read", "write"},
		"code_challenge_methods_supported":               []any{"S256"},
		"authorization_response_iss_parameter_supported": true,
		"token_endpoint_auth_methods_supported":          []any{"none", "client_secret_post", "client_secret_basic"},
	}
	for name, path := range discoverable {
		doc[name] = issuer + belowIssuer + path
	}
	if a.Registration == nil {
		delete(doc, "registration_endpoint")
	} else if c.s.options.Document != nil {
		doc["client_id_metadata_document_supported"] = true
	}
	return doc
}

// issuerOf is the issuer of a method that discovers it: told by an address below it, or by the definition.
func (c *call) issuerOf(a *definition.Auth) string {
	switch at := strings.LastIndex(c.path, belowIssuer); {
	case a.Discovery == nil:
		return ""
	case at >= 0:
		return "https://" + c.host + c.path[:at]
	}
	return issuerSource(a)
}

// FaultMoved has the metadata name other addresses than before, in the way that Value names: "host"
// (somebody else's), "issuer" (another's).
const FaultMoved FaultKind = "moved"

func (c *call) moved(h hit) *answer {
	doc := c.serverMetadata(h.auth, c.issuerHere())
	switch c.fault.Value {
	case "issuer":
		doc["issuer"] = "https://evil.example"
	case "host":
		for name := range discoverable {
			doc[name] = "https://evil.example/" + name
		}
	}
	return jsonAnswer(http.StatusOK, doc)
}
