package definition

import (
	"regexp"
	"slices"
	"strings"
)

// Discovery says where an authorization server publishes its addresses. What a method does not say
// itself is read from there, as discovered.<name>.
type Discovery struct {
	// Issuer is the authorization server (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).
	Issuer *Template `yaml:"issuer"`
	// Kind is oidc (the usual one) or oauth: which of the two documents there is.
	Kind string `yaml:"kind"`
	// IssuerPattern is what the document may call the issuer instead, for a provider that describes
	// many with one document.
	IssuerPattern string `yaml:"issuer_pattern"`
	// Resource is an API that says which authorization server it trusts (RFC 9728).
	Resource *Template `yaml:"resource"`

	pattern *regexp.Regexp
}

// Answers reports whether a document may say that it is of the issuer.
func (d *Discovery) Answers(said string) bool { return d.pattern != nil && d.pattern.MatchString(said) }

// What formulas read as discovered.<name>: addresses by the names that RFC 8414 §2 and its relatives give
// them, and what is said about them.
var discoveredNames = []string{
	"issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint",
	"introspection_endpoint", "device_authorization_endpoint", "registration_endpoint", "pushed_authorization_request_endpoint",
	"resource", "scopes", "hosts",
}

// DiscoveredHosts is the entry of hosts that stands for the hosts of all that was discovered.
const DiscoveredHosts = "${discovered.hosts}"

// discovery compiles a's discovery and has what a does not say read from it.
func (k *compiler) discovery(a *Auth) {
	d := a.Discovery
	if d == nil {
		return
	}
	k.optional(d.Issuer, inIssuer)
	k.optional(d.Resource, inIssuer)
	if d.IssuerPattern != "" {
		re, err := regexp.Compile(`^(?:` + d.IssuerPattern + `)$`)
		if err != nil {
			k.complain(Position{}, "pattern-syntax", "issuer_pattern is not an RE2 expression: "+err.Error())
		}
		d.pattern = re
	}
	found := func(t *Template, name string) {
		if t.IsZero() {
			*t = Template{Source: "${discovered." + name + "}"}
		}
	}
	wanted := func(t **Template, name string) {
		if *t == nil {
			*t = &Template{Source: "${discovered." + name + "}"}
		}
	}
	wanted(&a.Issuer, "issuer")
	if a.Authorize != nil {
		found(&a.Authorize.URL, "authorization_endpoint")
		if q := a.Authorize.PAR; q != nil {
			found(&q.URL, "pushed_authorization_request_endpoint")
		}
	}
	if a.Token != nil {
		found(&a.Token.URL, "token_endpoint")
	}
	if a.Device != nil {
		found(&a.Device.URL, "device_authorization_endpoint")
	}
	if a.IDToken != nil {
		wanted(&a.IDToken.Issuer, "issuer")
		if !a.IDToken.Symmetric() {
			wanted(&a.IDToken.JWKSURL, "jwks_uri")
		}
	}
}

// Discovers reports whether a reads the address of the given name from a document.
func (a *Auth) Discovers(name string) bool {
	reads := func(t *Template) bool { return t != nil && strings.Contains(t.Source, "discovered."+name) }
	push := func(q *Authorize) bool { return q.PAR != nil && reads(&q.PAR.URL) }
	return a.Authorize != nil && (reads(&a.Authorize.URL) || push(a.Authorize)) || a.Device != nil && reads(&a.Device.URL) ||
		slices.ContainsFunc(a.Exchanges(), func(t *TokenRequest) bool { return reads(&t.URL) }) ||
		a.IDToken != nil && reads(a.IDToken.JWKSURL)
}

// Unpublished reports whether q goes to an address that the provider was to publish, and did not.
func (q *Request) Unpublished(discovered map[string]string) bool {
	name, reads := strings.CutPrefix(q.URL.Source, "${discovered.")
	name, alone := strings.CutSuffix(name, "}")
	return reads && alone && slices.Contains(discoveredNames, name) && discovered[name] == ""
}
