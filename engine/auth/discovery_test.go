package auth_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

const byIssuer = `
id: acme
name: Acme
inputs: {issuer: {label: Issuer, type: url, example: "https://id.example.com"}}
hosts: ["${inputs.issuer}", "${discovered.hosts}"]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    discovery: {issuer: "${inputs.issuer}"}
    authorize: {}
    pkce: required
    token: {client_auth: body}
    revoke: none
test: none
identity: none
`

// metadata is what an issuer publishes, with changes; nil takes a member away.
func metadata(issuer string, changes ...any) string {
	doc := map[string]any{
		"issuer": issuer, "authorization_endpoint": "https://login.example.com/authorize", "token_endpoint": "https://login.example.com/token",
		"code_challenge_methods_supported": []string{"plain", "S256"},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if doc[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(doc, changes[i].(string))
		}
	}
	return segmentless(doc)
}

func TestAddressesAreReadFromTheIssuersDocument(t *testing.T) {
	const at = "https://id.example.com/.well-known/openid-configuration"
	for _, tt := range []struct {
		name, issuer, at, doc string
		want                  string // the authorization endpoint
		kind                  fault.Kind
		field                 string
	}{
		{"as it should be", "https://id.example.com", at, metadata("https://id.example.com"), "https://login.example.com/authorize", fault.None, ""},
		{"with a path", "https://id.example.com/realms/a", "https://id.example.com/realms/a/.well-known/openid-configuration", metadata("https://id.example.com/realms/a"), "https://login.example.com/authorize", fault.None, ""},
		{"an issuer with a slash at its end", "https://id.example.com", at, metadata("https://id.example.com/"), "https://login.example.com/authorize", fault.None, ""},
		{"the document's own address", "https://id.example.com/.well-known/openid-configuration", at, metadata("https://id.example.com"), "https://login.example.com/authorize", fault.None, ""},
		{"of another issuer", "https://id.example.com", at, metadata("https://evil.example.com"), "", fault.Invalid, "issuer"},
		{"of another issuer of the same host", "https://id.example.com", at, metadata("https://id.example.com/other"), "", fault.Invalid, "issuer"},
		{"of nobody", "https://id.example.com", at, metadata("https://id.example.com", "issuer", nil), "", fault.Invalid, "issuer"},
		{"not there", "https://id.example.com", at, "404 <html>", "", fault.Invalid, "issuer"},
		{"not shown", "https://id.example.com", at, "401 {}", "", fault.Invalid, "issuer"},
		{"broken", "https://id.example.com", at, "<html>", "", fault.Unavailable, ""},
		{"a list", "https://id.example.com", at, "[]", "", fault.Unavailable, ""},
		{"saying one thing twice", "https://id.example.com", at, `{"issuer":"https://id.example.com","issuer":"https://id.example.com"}`, "", fault.Unavailable, ""},
		{"not just now", "https://id.example.com", at, "503 {}", "", fault.Unavailable, ""},
		{"without a token endpoint", "https://id.example.com", at, metadata("https://id.example.com", "token_endpoint", nil), "", fault.Unavailable, ""},
		{"without an authorization endpoint", "https://id.example.com", at, metadata("https://id.example.com", "authorization_endpoint", nil), "", fault.Unavailable, ""},
		{"a token endpoint without TLS", "https://id.example.com", at, metadata("https://id.example.com", "token_endpoint", "http://login.example.com/token"), "", fault.Unavailable, ""},
		{"an authorization endpoint that is a script", "https://id.example.com", at, metadata("https://id.example.com", "authorization_endpoint", "javascript:alert(1)"), "", fault.Unavailable, ""},
		{"an endpoint with a password", "https://id.example.com", at, metadata("https://id.example.com", "token_endpoint", "https://a:b@login.example.com/token"), "", fault.Unavailable, ""},
		{"an endpoint that is a number", "https://id.example.com", at, metadata("https://id.example.com", "token_endpoint", 7), "", fault.Unavailable, ""},
		{"a server that only takes plain challenges", "https://id.example.com", at, metadata("https://id.example.com", "code_challenge_methods_supported", []string{"plain"}), "", fault.Unavailable, ""},
		{"a server that does not say which it takes", "https://id.example.com", at, metadata("https://id.example.com", "code_challenge_methods_supported", nil), "https://login.example.com/authorize", fault.None, ""},
		{"this machine", "https://127.0.0.1", "", "", "", fault.Invalid, "issuer"},
		{"this machine by name", "https://localhost", "", "", "", fault.Invalid, "issuer"},
		{"the cloud's own addresses", "https://169.254.169.254", "", "", "", fault.Invalid, "issuer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, p := connect(t, byIssuer, map[string]string{"GET " + tt.at: tt.doc})
			r.Inputs["issuer"] = tt.issuer
			found, err := auth.Discover(t.Context(), r)
			if f := fault.As(err); fault.KindOf(err) != tt.kind || f != nil && f.Field != tt.field {
				t.Fatalf("Discover: %v, want kind %s and field %q", err, tt.kind, tt.field)
			}
			if tt.at == "" && len(p.requests()) > 0 {
				t.Error("something was asked")
			}
			if err != nil {
				return
			}
			if found["authorization_endpoint"] != tt.want {
				t.Errorf("found %v", found)
			}
			r.Discovered = found
			step, _, err := methodOf(t, r).Begin(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if u := step.(auth.Redirect).URL; !strings.HasSuffix(u.Path, "/login.example.com/authorize") || u.Query().Get("client_id") != "client" {
				t.Errorf("the browser is sent to %s", u)
			}
		})
	}
}

func TestAnIssuerThatIsDescribedForAllTenants(t *testing.T) {
	source := strings.Replace(byIssuer, `{issuer: "${inputs.issuer}"}`, `{issuer: "${inputs.issuer}", issuer_pattern: "https://id\\.example\\.com/(\\{tenantid\\}|[0-9a-f-]{36})/v2\\.0"}`, 1)
	for said, good := range map[string]bool{
		"https://id.example.com/{tenantid}/v2.0":                           true,
		"https://id.example.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": true,
		"https://id.example.com/common/v2.0":                               true, // the one that was asked for
		"https://id.example.com/evil/v2.0":                                 false,
		"https://evil.example.com/{tenantid}/v2.0":                         false,
	} {
		r, _ := connect(t, source, map[string]string{"GET https://id.example.com/common/v2.0/.well-known/openid-configuration": metadata(said)})
		r.Inputs["issuer"] = "https://id.example.com/common/v2.0"
		if _, err := auth.Discover(t.Context(), r); (err == nil) != good {
			t.Errorf("%s: %v", said, err)
		}
	}
}

// What is discovered is only trusted where the definition says so.
func TestDiscoveredHostsAreTrustedOnlyWhereTheDefinitionSaysSo(t *testing.T) {
	source := strings.Replace(byIssuer, `, "${discovered.hosts}"]`, "]", 1)
	r, p := connect(t, source, map[string]string{"GET https://id.example.com/.well-known/openid-configuration": metadata("https://id.example.com")})
	r.Inputs["issuer"] = "https://id.example.com"
	found, err := auth.Discover(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	r.Discovered = found
	if _, _, err := methodOf(t, r).Begin(t.Context(), r); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("Begin: %v, want forbidden", err)
	}
	p.requests()
	r.Discovered["authorization_endpoint"] = "https://id.example.com/authorize" // as if only the token endpoint were elsewhere
	if _, err := complete(t, r); fault.KindOf(err) != fault.Forbidden || len(p.requests()) != 0 {
		t.Errorf("the code is sent to a host that is not declared: %v", err)
	}
}

func TestARequestIsPushedWhereTheDocumentSays(t *testing.T) {
	const push = "https://login.example.com/as/par"
	source := strings.Replace(byIssuer, "authorize: {}", "authorize: {par: {}}", 1)
	for _, published := range []any{push, nil, "http://login.example.com/as/par"} {
		r, p := connect(t, source, map[string]string{
			"GET https://id.example.com/.well-known/openid-configuration": metadata("https://id.example.com", "pushed_authorization_request_endpoint", published),
			"POST " + push: `201 {"request_uri":"urn:pushed","expires_in":60}`,
		})
		r.Inputs["issuer"] = "https://id.example.com"
		found, err := auth.Discover(t.Context(), r)
		if published != push {
			if fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%v published: %v", published, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		p.requests()
		r.Discovered = found
		step, _, err := methodOf(t, r).Begin(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if asked := p.requests(); len(asked) != 1 || !strings.HasPrefix(asked[0], "POST "+push+" ") {
			t.Errorf("asked %v", asked)
		}
		if q := step.(auth.Redirect).URL.Query(); q.Get("request_uri") != "urn:pushed" {
			t.Errorf("the browser takes %v", q)
		}
	}
}

func TestWhereTheDocumentOfRFC8414IsLookedFor(t *testing.T) {
	source := strings.Replace(byIssuer, `{issuer: "${inputs.issuer}"}`, `{issuer: "${inputs.issuer}", kind: oauth}`, 1)
	places := []string{
		"GET https://id.example.com/.well-known/oauth-authorization-server/a/b",
		"GET https://id.example.com/.well-known/openid-configuration/a/b",
		"GET https://id.example.com/a/b/.well-known/openid-configuration",
	}
	for i, at := range places {
		r, p := connect(t, source, map[string]string{at: metadata("https://id.example.com/a/b")})
		r.Inputs["issuer"] = "https://id.example.com/a/b"
		if _, err := auth.Discover(t.Context(), r); err != nil {
			t.Errorf("%s: %v", at, err)
		}
		if diff := cmp.Diff(places[:i+1], p.requests()); diff != "" {
			t.Errorf("it is looked for (-want +got):\n%s", diff)
		}
	}
}

func TestAServerThatSaysItNamesItselfHasTo(t *testing.T) {
	for promised, good := range map[string]bool{"": true, "true": false} {
		r, _ := connect(t, byIssuer, map[string]string{"POST https://login.example.com/token": `{"access_token":"CANARY-a"}`})
		r.Inputs["issuer"] = "https://id.example.com"
		r.Discovered = map[string]string{
			"issuer": "https://id.example.com", "hosts": "id.example.com login.example.com", "authorization_endpoint": "https://login.example.com/authorize",
			"token_endpoint": "https://login.example.com/token", "authorization_response_iss_parameter_supported": promised,
		}
		if _, err := complete(t, r); (err == nil) != good {
			t.Errorf("promised %q: %v", promised, err)
		}
		m := methodOf(t, r)
		_, pending, err := m.Begin(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for iss, good := range map[string]bool{"https://id.example.com": true, "https://login.example.com": false, "https://id.example.com/": false} {
			_, err := m.Complete(t.Context(), r, pending, auth.Answer{Query: map[string][]string{"code": {"c"}, "iss": {iss}}})
			if (err == nil) != good {
				t.Errorf("iss %s: %v", iss, err)
			}
		}
	}
}

const byResource = `
id: acme
name: Acme
inputs: {url: {label: Server, type: url, example: "https://api.example.com/v1"}}
hosts: ["${inputs.url}", "${discovered.hosts}"]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    discovery: {resource: "${inputs.url}"}
    authorize: {params: {resource: "${discovered.resource}"}}
    scopes: {default: ["${discovered.scopes}"]}
    token: {client_auth: none}
    revoke: none
test: none
identity: none
`

func TestAResourceSaysWhichServerItTrusts(t *testing.T) {
	about := func(resource string, servers ...any) string {
		return object("resource", resource, "authorization_servers", servers, "scopes_supported", []string{"a", "b"})
	}
	const (
		inPath  = "GET https://api.example.com/.well-known/oauth-protected-resource/v1"
		atRoot  = "GET https://api.example.com/.well-known/oauth-protected-resource"
		itself  = "GET https://api.example.com/v1"
		server  = "GET https://as.example.com/.well-known/oauth-authorization-server"
		origin  = "GET https://api.example.com/.well-known/oauth-authorization-server"
		issuer  = "https://as.example.com"
		wanted  = "https://api.example.com/v1"
		another = "GET https://api.example.com/about"
	)
	for _, tt := range []struct {
		name      string
		answers   map[string]string
		challenge string
		resource  string
		kind      fault.Kind
	}{
		{"at its well-known place", map[string]string{inPath: about(wanted, issuer), server: metadata(issuer)}, "", wanted, fault.None},
		{"at that of its host", map[string]string{atRoot: about("https://api.example.com", issuer), server: metadata(issuer)}, "", "https://api.example.com", fault.None},
		{"in its refusal", map[string]string{itself: "401 {}", another: about(wanted, issuer), server: metadata(issuer)}, `Bearer error="invalid_token", resource_metadata="https://api.example.com/about"`, wanted, fault.None},
		{"not at all", map[string]string{itself: "401 {}", origin: metadata("https://api.example.com")}, "Bearer", wanted, fault.None},
		{"the first server that is an address", map[string]string{inPath: about(wanted, 7, "http://as.example.com", "https://as.example.com#x", issuer), server: metadata(issuer)}, "", wanted, fault.None},
		{"of another host", map[string]string{inPath: about("https://evil.example.com/v1", issuer), server: metadata(issuer)}, "", "", fault.Invalid},
		{"of another path", map[string]string{inPath: about("https://api.example.com/v2", issuer), server: metadata(issuer)}, "", "", fault.Invalid},
		{"of a path that only begins alike", map[string]string{inPath: about("https://api.example.com/v", issuer), server: metadata(issuer)}, "", "", fault.Invalid},
		{"without a server", map[string]string{inPath: about(wanted), server: metadata(issuer)}, "", "", fault.Invalid},
		{"a server on this machine", map[string]string{inPath: about(wanted, "https://127.0.0.1:8443")}, "", "", fault.Invalid},
		{"a server in the network of the house", map[string]string{inPath: about(wanted, "https://10.0.0.1")}, "", "", fault.Invalid},
		{"a server whose document is another's", map[string]string{inPath: about(wanted, issuer), server: metadata("https://evil.example.com")}, "", "", fault.Invalid},
		{"metadata at another host", map[string]string{itself: "401 {}"}, `Bearer resource_metadata="https://evil.example.com/about"`, "", fault.Unavailable},
		{"nothing", map[string]string{itself: "404 {}"}, "", "", fault.Invalid},
		{"down", map[string]string{inPath: "503 {}"}, "", "", fault.Unavailable},
		{"down, as it is called", map[string]string{itself: "500 {}"}, "", "", fault.Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, p := connect(t, byResource, tt.answers)
			p.header["Www-Authenticate"] = []string{tt.challenge}
			r.Inputs["url"] = wanted
			found, err := auth.Discover(t.Context(), r)
			if fault.KindOf(err) != tt.kind {
				t.Fatalf("Discover: %v, want kind %s", err, tt.kind)
			}
			if slices.ContainsFunc(p.requests(), func(line string) bool {
				return strings.Contains(line, "evil") || strings.Contains(line, "127.0.0.1") || strings.Contains(line, "10.0.0.1")
			}) {
				t.Error("somebody was asked who must not be")
			}
			if err != nil {
				return
			}
			r.Discovered = found
			step, pending, err := methodOf(t, r).Begin(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			query := step.(auth.Redirect).URL.Query()
			if query.Get("resource") != tt.resource || query.Get("scope") != found["scopes"] || found["scopes"] != "" && !slices.Equal(pending.Requested, []string{"a", "b"}) {
				t.Errorf("the browser is sent with %v, scopes %v", query, pending.Requested)
			}
		})
	}
}

// A refresh token goes where it went before, unless the document names another place at the hosts that
// the connection has known from the beginning.
func TestARefreshFollowsADocumentOnlyWithinItsHosts(t *testing.T) {
	moved := func(changes ...any) string { return metadata("https://id.example.com", changes...) }
	for _, tt := range []struct {
		name, doc, asked string
		warned           bool
	}{
		{"nothing has moved", moved(), "https://login.example.com/token", false},
		{"within the host", moved("token_endpoint", "https://login.example.com/v2/token"), "https://login.example.com/v2/token", false},
		{"to the other host", moved("token_endpoint", "https://id.example.com/token"), "https://id.example.com/token", false},
		{"to a new host", moved("token_endpoint", "https://evil.example.com/token"), "https://login.example.com/token", true},
		{"to another issuer", metadata("https://evil.example.com"), "https://login.example.com/token", false},
		{"away", "404 {}", "https://login.example.com/token", false},
		{"out of reach", "503 {}", "https://login.example.com/token", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			r, p := connect(t, byIssuer, map[string]string{"GET https://id.example.com/.well-known/openid-configuration": moved()})
			r.Outlet.Documents = &auth.Documents{Logger: slog.New(slog.NewTextHandler(&log, nil))}
			r.Inputs["issuer"] = "https://id.example.com"
			var err error
			if r.Discovered, err = auth.Discover(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			p.answers["GET https://id.example.com/.well-known/openid-configuration"] = tt.doc
			for _, host := range []string{"https://login.example.com/token", "https://login.example.com/v2/token", "https://id.example.com/token"} {
				p.answers["POST "+host] = `{"access_token":"CANARY-a","refresh_token":"CANARY-r"}`
			}
			done, err := complete(t, r)
			if err != nil {
				t.Fatal(err)
			}
			for _, age := range []time.Duration{0, 2 * time.Hour} {
				auth.Age(r.Outlet.Documents, age)
				p.requests()
				if _, err := methodOf(t, r).(auth.Refresher).Refresh(t.Context(), r, done.Credential); err != nil {
					t.Fatal(err)
				}
				asked := p.requests()
				where := strings.Fields(asked[len(asked)-1])[1]
				if want := tt.asked; age == 0 && where != "https://login.example.com/token" || age > 0 && where != want {
					t.Errorf("after %v the refresh token is sent to %s", age, where)
				}
			}
			if warned := strings.Contains(log.String(), "moved to another host"); warned != tt.warned {
				t.Errorf("log %q", &log)
			}
		})
	}
}

// A server that answers with a redirect is not followed: it could lead anywhere.
func TestARedirectToADocumentIsNotFollowed(t *testing.T) {
	r, p := connect(t, byIssuer, map[string]string{"GET https://id.example.com/.well-known/openid-configuration": "302 "})
	p.header = http.Header{"Location": {"https://evil.example.com/.well-known/openid-configuration"}}
	r.Inputs["issuer"] = "https://id.example.com"
	if _, err := auth.Discover(t.Context(), r); fault.KindOf(err) != fault.Unavailable || len(p.requests()) != 1 {
		t.Errorf("Discover: %v", err)
	}
}

// What a provider has not published is not asked for.
func TestWhatIsNotPublishedIsNotAsked(t *testing.T) {
	r, p := connect(t, shipped(t, "oidc"), map[string]string{"POST https://id.example.com/revoke": "{}", "GET https://id.example.com/me": "{}"})
	c := auth.Credential{AccessToken: secret.New("CANARY-a")}
	m := auth.AuthorizationCode()
	for range 2 { // the definition is as it was
		r.Discovered = map[string]string{"hosts": "id.example.com"}
		if _, err := auth.Test(t.Context(), m, r, c); !errors.Is(err, auth.ErrNoTest) {
			t.Errorf("Test: %v", err)
		}
		if err := m.(auth.Revoker).Revoke(t.Context(), r, c); !errors.Is(err, auth.ErrNoRevoke) {
			t.Errorf("Revoke: %v", err)
		}
		if got := p.requests(); len(got) != 0 {
			t.Errorf("asked %q", got)
		}
		r.Discovered = map[string]string{
			"hosts": "id.example.com", "userinfo_endpoint": "https://id.example.com/me", "revocation_endpoint": "https://id.example.com/revoke",
		}
		if _, err := auth.Test(t.Context(), m, r, c); err != nil {
			t.Error(err)
		}
		if err := m.(auth.Revoker).Revoke(t.Context(), r, c); err != nil {
			t.Error(err)
		}
		if got := p.requests(); len(got) != 2 {
			t.Errorf("asked %q", got)
		}
	}
}
