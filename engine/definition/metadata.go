package definition

import (
	"net/url"
	"slices"
	"strings"
)

// FromMetadata writes a definition from what an authorization server publishes about itself: OpenID
// Provider Metadata (OpenID Connect Discovery 1.0 §3) or Authorization Server Metadata (RFC 8414 §2). The
// issuer must be the one that was asked for (RFC 8414 §3.3), or the metadata is of somebody else and
// nothing is written; empty means that nobody was asked and the metadata speaks for itself.
func FromMetadata(file string, source []byte, issuer string, given Import) ([]byte, []Finding) {
	m := &metadata{importer: newImporter(file, source, given)}
	if m.d.root == nil || HasErrors(m.d.findings) {
		return nil, m.d.findings
	}
	m.o = m.object(rootItem(m.d.root))
	if !m.o.isMapping() {
		m.note(m.o.item, importValue, "metadata is an object")
		return nil, m.d.findings
	}
	said, at := m.o.text("issuer")
	switch {
	case said == "":
		m.note(at, importMissing, "metadata names its issuer (RFC 8414 §2)")
		return nil, m.d.findings
	case issuer != "" && said != issuer:
		m.note(at, importValue, "this is the metadata of %q, and %q was asked for; they must be the same, to the letter (RFC 8414 §3.3)", cut(said), cut(issuer))
		return nil, m.d.findings
	}
	m.describe(said, at)
	m.code(said)
	m.client()
	m.person()
	return m.finish(), m.d.findings
}

// metadata reads the metadata of an authorization server.
type metadata struct {
	*importer
	o *object
}

// describe names the connector after its issuer.
func (m *metadata) describe(issuer string, at item) {
	m.secure(at, issuer)
	if u, err := url.Parse(issuer); err == nil {
		m.name = u.Hostname()
	}
	links := newDraft()
	if docs, at := m.o.text("service_documentation"); m.link(at, docs) {
		links.text("docs", docs)
	}
	m.about.mapping("links", links)
}

// endpoint takes an address and lets it be sent to.
func (m *metadata) endpoint(name string) (string, item) {
	address, at := m.o.text(name)
	if address != "" && m.secure(at, address) {
		m.host(address)
	}
	return address, at
}

// list takes a list of texts; missing reports that it is not there.
func (m *metadata) list(name string) (out []string, missing bool) {
	i, ok := m.o.take(name)
	for _, entry := range i.items() {
		if s, ok := entry.scalar(); ok {
			out = append(out, s)
		}
	}
	return out, !ok
}

// offers reports whether a list names a value; a list that is missing has the usual ones.
func (m *metadata) offers(list, value string, usual ...string) bool {
	values, missing := m.list(list)
	if missing {
		values = usual
	}
	return slices.Contains(values, value)
}

// code writes the authorization code method.
func (m *metadata) code(issuer string) {
	authorize, at := m.endpoint("authorization_endpoint")
	if authorize == "" {
		if m.offers("grant_types_supported", "client_credentials") {
			return
		}
		m.note(at, importMissing, "without it nobody can be sent to allow access")
	}
	out, request := newDraft(), newDraft()
	out.text("id", "oauth")
	out.text("kind", string(AuthorizationCode))
	out.text("issuer", issuer)
	request.put("url", textNode(authorize))
	out.mapping("authorize", request)
	scopes := m.scopes()
	out.mapping("scopes", scopes)
	m.pkce(out)
	out.mapping("token", m.token())
	if m.offers("grant_types_supported", "refresh_token") || scopes.has("required") {
		refresh := newDraft()
		refresh.text("grant", "refresh_token")
		out.mapping("refresh", refresh)
	}
	m.revocation(out)
	m.methods = append(m.methods, out)
}

// scopes asks for who the person is and for a refresh token, as far as the server knows such scopes.
func (m *metadata) scopes() *draft {
	out := newDraft()
	known, missing := m.list("scopes_supported")
	var ask []string
	for _, s := range []string{"openid", "profile", "email"} {
		if slices.Contains(known, s) {
			ask = append(ask, s)
		}
	}
	if _, oidc := m.o.take("userinfo_endpoint"); missing && oidc {
		ask = []string{"openid"} // every OpenID provider knows this one
	}
	out.texts("default", ask)
	if slices.Contains(known, "offline_access") {
		out.texts("required", []string{"offline_access"}) // OpenID Connect Core §11
	}
	if len(known) > 0 && out.empty() {
		i, _ := m.o.take("scopes_supported")
		m.note(i, importDropped, "none of these scopes is asked for; write those that are needed under scopes.default: %s", cut(strings.Join(known, " ")))
	}
	return out
}

func (m *metadata) pkce(out *draft) {
	methods, missing := m.list("code_challenge_methods_supported")
	switch {
	case missing:
		// It does not say; a challenge that it does not know is ignored (RFC 6749 §3.1).
	case slices.Contains(methods, "S256"):
		out.text("pkce", "required")
	case slices.Contains(methods, "plain"):
		pkce := newDraft()
		pkce.text("mode", "required")
		pkce.text("method", "plain")
		out.mapping("pkce", pkce)
	}
}

// token writes the token request.
func (m *metadata) token() *draft {
	out := newDraft()
	address, at := m.endpoint("token_endpoint")
	if address == "" {
		m.note(at, importMissing, "without it no token can be had")
	}
	out.put("url", textNode(address))
	out.text("client_auth", string(m.clientAuth("token_endpoint_auth_methods_supported")))
	return out
}

// clientAuth chooses a way for the client to authenticate; RFC 8414 §2 has the usual one.
func (m *metadata) clientAuth(list string) ClientAuth {
	values, missing := m.list(list)
	for _, way := range []struct {
		name string
		ours ClientAuth
	}{{"client_secret_basic", ClientAuthHeader}, {"client_secret_post", ClientAuthBody}, {"none", ClientAuthNone}} {
		if missing || slices.Contains(values, way.name) {
			return way.ours
		}
	}
	i, _ := m.o.take(list)
	m.note(i, importValue, "none of these can be said here: %s", cut(strings.Join(values, " ")))
	return ClientAuthHeader
}

// revocation writes RFC 7009.
func (m *metadata) revocation(out *draft) {
	address, _ := m.endpoint("revocation_endpoint")
	if address == "" {
		return
	}
	list := "revocation_endpoint_auth_methods_supported"
	if _, missing := m.list(list); missing {
		list = "token_endpoint_auth_methods_supported"
	}
	request, form := newDraft(), newDraft()
	request.text("post", address)
	request.text("auth", "client")
	request.text("client_auth", string(m.clientAuth(list)))
	form.text("token", "${credential.refresh_token != '' ? credential.refresh_token : credential.access_token}")
	request.mapping("form", form)
	out.mapping("revoke", request)
}

// client writes the method of an app that acts for itself.
func (m *metadata) client() {
	if !m.offers("grant_types_supported", "client_credentials") {
		return
	}
	out := newDraft()
	out.text("id", "app")
	out.text("kind", string(ClientCredentials))
	out.text("label", "App without a person")
	out.mapping("token", m.token())
	out.text("test", "none")
	out.text("identity", "none")
	m.methods = append(m.methods, out)
}

// person reads who connected from the userinfo endpoint (OpenID Connect Core §5.3).
func (m *metadata) person() {
	address, _ := m.endpoint("userinfo_endpoint")
	if address == "" || !slices.ContainsFunc(m.methods, func(d *draft) bool { return d.has("authorize") }) {
		return
	}
	m.test = newDraft()
	m.test.text("get", address)
	m.identity = newDraft()
	m.identity.text("from", "test")
	m.identity.text("subject", "response.body.sub")
	claims, missing := m.list("claims_supported")
	for _, c := range []struct{ ours, claim string }{
		{"email", "email"}, {"email_verified", "email_verified"}, {"name", "name"}, {"username", "preferred_username"}, {"avatar", "picture"},
	} {
		if missing || slices.Contains(claims, c.claim) {
			m.identity.text(c.ours, "response.body."+c.claim)
		}
	}
}

// WellKnown returns where the metadata of an issuer is published: for OpenID Connect Discovery 1.0 §4.1 the
// well-known path is appended to the issuer, for RFC 8414 §3.1 it stands before the issuer's path. An
// address that is a well-known one already is returned as it is, with the issuer it belongs to.
func WellKnown(address string, oidc bool) (published, issuer string, err error) {
	const forOIDC, forOAuth = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
	u, err := url.Parse(address)
	if err != nil {
		return "", "", err
	}
	if before, found := strings.CutSuffix(u.Path, forOIDC); found {
		return address, u.Scheme + "://" + u.Host + before, nil
	}
	if after, found := strings.CutPrefix(u.Path, forOAuth); found {
		return address, u.Scheme + "://" + u.Host + after, nil
	}
	path := forOAuth + strings.TrimSuffix(u.EscapedPath(), "/")
	if oidc {
		path = strings.TrimSuffix(u.EscapedPath(), "/") + forOIDC
	}
	return u.Scheme + "://" + u.Host + path, address, nil
}
