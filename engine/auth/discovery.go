package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// Discover finds the addresses of r's provider where the definition says it publishes them. What it
// returns is pinned by the flow that begins with it and kept with the connection, as Request.Discovered.
// A definition that discovers nothing gives nil, and nothing is asked.
//
// It fails with Invalid, naming the field, if what a person typed leads nowhere, and with Unavailable if
// the provider cannot be asked.
func Discover(ctx context.Context, r Request) (map[string]string, error) {
	d := r.Auth.Discovery
	switch {
	case d == nil:
		return nil, nil
	case d.Resource != nil:
		return r.discoverResource(ctx, d)
	}
	issuer, err := d.Issuer.FillURL(r.callEnv(nil))
	if err != nil {
		return nil, r.leadsNowhere(d.Issuer, err)
	}
	out, err := r.discoverIssuer(ctx, issuer, metadataAddresses(issuer, d.Kind))
	if err != nil {
		return nil, r.leadsNowhere(d.Issuer, err)
	}
	return out, nil
}

// The well-known places of metadata (RFC 8615).
const (
	wellKnownOpenID   = "/.well-known/openid-configuration"
	wellKnownOAuth    = "/.well-known/oauth-authorization-server"
	wellKnownResource = "/.well-known/oauth-protected-resource"
)

// metadataAddresses are the places where an issuer's metadata may be, in the order in which they are
// tried. OpenID Connect Discovery 1.0 §4 puts its name behind the issuer's path, RFC 8414 §3.1 before it;
// servers that moved from one to the other have theirs in either place (RFC 8414 §5).
func metadataAddresses(issuer *url.URL, kind string) []*url.URL {
	behind := withPath(issuer, strings.TrimSuffix(strings.TrimSuffix(issuer.Path, "/"), wellKnownOpenID)+wellKnownOpenID)
	if kind != "oauth" {
		return []*url.URL{behind}
	}
	path := strings.TrimSuffix(issuer.Path, "/")
	out := []*url.URL{withPath(issuer, wellKnownOAuth+path), withPath(issuer, wellKnownOpenID+path)}
	if path != "" {
		out = append(out, behind)
	}
	return out
}

func withPath(u *url.URL, path string) *url.URL {
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}
}

// discoverIssuer reads the metadata of an authorization server from the first of the places that has it.
func (r Request) discoverIssuer(ctx context.Context, issuer *url.URL, places []*url.URL) (map[string]string, error) {
	r.Discovered = merge(r.Discovered, map[string]string{"hosts": joinHosts(r.Discovered["hosts"], issuer.Host)})
	var missing error
	for _, at := range places {
		body, err := r.published(ctx, at, documentAge)
		if notThere(err) {
			missing = err
			continue
		}
		if err != nil {
			return nil, err
		}
		return r.readMetadata(issuer, body)
	}
	return nil, missing
}

// The addresses that metadata may name: RFC 8414 §2, OpenID Connect Discovery 1.0 §3, RFC 8628 §4,
// RFC 9126 §5.
var endpointNames = []string{
	"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint",
	"device_authorization_endpoint", "registration_endpoint", "pushed_authorization_request_endpoint",
}

// What else is kept of metadata. Formulas have no names for it.
const (
	tellsIssuer  = "authorization_response_iss_parameter_supported"
	takesMethods = "token_endpoint_auth_methods_supported"
	takesClients = "client_id_metadata_document_supported"
)

// readMetadata reads a metadata document. It must be about the issuer that was asked for (RFC 8414 §3.3,
// OpenID Connect Discovery 1.0 §4.3), or one server could speak for another.
func (r Request) readMetadata(issuer *url.URL, body []byte) (map[string]string, error) {
	v, err := decodeJSON(body)
	doc, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, r.unpublished(errors.New("the metadata is not a JSON object"))
	}
	said, _ := doc["issuer"].(string)
	asked := strings.TrimSuffix(issuer.String(), wellKnownOpenID)
	if said != asked && said != asked+"/" && asked != said+"/" && !r.Auth.Discovery.Answers(said) {
		return nil, r.unpublished(&otherIssuerError{said: clean(said, 200), asked: asked})
	}
	out := maps.Clone(r.Discovered)
	out["issuer"] = said
	for _, name := range endpointNames {
		text, _ := doc[name].(string)
		u, err := url.Parse(text)
		if text == "" || err != nil || len(text) > 2000 || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			if text != "" && r.Auth.Discovers(name) {
				return nil, r.unpublished(fmt.Errorf("its %s is not an address that can be used", name))
			}
			continue
		}
		out[name] = text
		out["hosts"] = joinHosts(out["hosts"], u.Host)
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint", "jwks_uri"} {
		if out[name] == "" && r.Auth.Discovers(name) {
			return nil, r.unpublished(fmt.Errorf("it has no %s", name))
		}
	}
	return out, r.readAbilities(doc, out)
}

// readAbilities reads what the server says it can, as far as it matters here.
func (r Request) readAbilities(doc map[string]any, out map[string]string) error {
	if methods, told := doc["code_challenge_methods_supported"].([]any); told && r.Auth.PKCE.Mode == "required" && !slices.Contains(methods, any("S256")) {
		// RFC 9700 §2.1.1: a client that relies on PKCE must know that the server does it.
		return r.unpublished(errors.New("it does not take S256 challenges, which the definition requires"))
	}
	for _, name := range []string{tellsIssuer, takesClients} {
		if doc[name] == true {
			out[name] = "true"
		}
	}
	if methods := scopeList(doc[takesMethods], ""); len(methods) > 0 {
		out[takesMethods] = strings.Join(methods, " ")
	}
	if out["scopes"] == "" && r.Auth.Discovery.Resource != nil {
		out["scopes"] = joinScopes(doc["scopes_supported"])
	}
	return nil
}

// joinScopes writes a list of scopes as RFC 6749 §3.3 does.
func joinScopes(v any) string {
	list := scopeList(v, " ")
	return strings.Join(list[:min(len(list), 100)], " ")
}

// joinHosts adds a host to a list of them, once.
func joinHosts(list, host string) string {
	host = strings.ToLower(host)
	if all := strings.Fields(list); !slices.Contains(all, host) {
		return strings.Join(append(all, host), " ")
	}
	return list
}

// otherIssuerError is a document about another issuer.
type otherIssuerError struct{ said, asked string }

func (e *otherIssuerError) Error() string {
	return fmt.Sprintf("the metadata is of %q, and %q was asked for", e.said, e.asked)
}

// leadsNowhere blames an address that is none, or where nothing is published, on the field that it was
// typed into, if there is one. A provider that cannot be asked just now is not blamed on anybody.
func (r Request) leadsNowhere(t *definition.Template, err error) error {
	var other *otherIssuerError
	kind := fault.KindOf(err)
	if kind != fault.Forbidden && kind != fault.None && kind != fault.Internal && !notThere(err) && !errors.As(err, &other) && !errors.Is(err, errNotDescribed) {
		return err
	}
	asked := r.Connector.Asked(r.Auth, t)
	if len(asked) == 0 {
		return err
	}
	why := "leads to nothing that " + r.Connector.Name + " can be connected with"
	if kind == fault.Forbidden {
		why = "is an address that may not be used"
	}
	return fault.Field(asked[0].Field.Name, asked[0].Field.Label+" "+why)
}

// errNotDescribed says that nothing is published about a resource.
var errNotDescribed = errors.New("nothing is published about it")

// rediscoverWait bounds the question whether addresses have moved: there is an answer to fall back on.
const rediscoverWait = 5 * time.Second

// rediscovered are the addresses of r's provider as they are published now, if they can be had and lie at
// hosts that the connection has trusted from the beginning; otherwise those that it was made with. A
// document that changes after a connection was made can thus not have its refresh token sent elsewhere:
// for that the person connects again.
func (r Request) rediscovered(ctx context.Context) map[string]string {
	if r.Auth.Discovery == nil || len(r.Discovered) == 0 {
		return r.Discovered
	}
	ctx, cancel := context.WithTimeout(ctx, rediscoverWait)
	defer cancel()
	fresh := r
	fresh.Discovered = nil
	now, err := Discover(ctx, fresh)
	if err != nil || now["issuer"] != r.Discovered["issuer"] {
		return r.Discovered
	}
	known := strings.Fields(r.Discovered["hosts"])
	for _, host := range strings.Fields(now["hosts"]) {
		if !slices.Contains(known, host) {
			r.Outlet.Documents.movedAway(r.Connector.ID, host)
			return r.Discovered
		}
	}
	return now
}

// unpublishedRequest reports whether q cannot be made because the provider did not publish where to.
func (r Request) unpublishedRequest(q *definition.Request) bool {
	return r.Auth.Discovery != nil && q.Unpublished(r.Discovered)
}
