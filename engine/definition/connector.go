// Package definition loads, checks, compiles, versions and serves connector definitions.
//
// A definition is data: a YAML or JSON file, checked once against the schema and the rules, and
// compiled into an immutable Connector. Formulas live here too: a Template is a text with ${…} in it,
// an Expression is one bare formula; both are compiled when the definition is loaded, against an
// environment that holds exactly the names their place may use, so that an unknown name, or a secret
// in a URL that a browser sees, is a finding and not a surprise.
//
// What a definition says is done by auth (the requests) and flow (their order); nothing here calls
// a provider.
package definition

import (
	"slices"
	"strings"
)

// Connector is one compiled definition. It is immutable and safe for concurrent use.
type Connector struct {
	ID          string   `yaml:"id"`
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Color       string   `yaml:"color"`
	Categories  []string `yaml:"categories"`
	Links       Links    `yaml:"links"`
	Verified    Verified `yaml:"verified"`
	// Deprecated, when not empty, says why nobody should connect with this any more.
	Deprecated string   `yaml:"deprecated"`
	Replaces   []string `yaml:"replaces"`
	// Extends is the id of the definition that says what this one does not say itself. When the file has
	// been read, that is part of this one, and so of its version.
	Extends string `yaml:"extends"`
	// Environments are the provider's worlds; the choice of one is the first of Inputs.
	Environments Environments `yaml:"environments"`
	// Inputs are asked before connecting, whatever the method; in this order.
	Inputs Fields `yaml:"inputs"`
	// Hosts lists where credentials and client secrets of this connector may be sent: exact hosts or
	// "*." and a suffix; a template may name a host the end user gave.
	Hosts []Template `yaml:"hosts"`
	// Auth lists the methods; the first is the default.
	Auth []*Auth `yaml:"auth"`
	API  API     `yaml:"api"`
	// Test is a cheap call that shows whether a credential works, or several to choose from.
	Test     Tests     `yaml:"test"`
	Identity *Identity `yaml:"identity"`
	// Choose asks the person, after connecting, which of several things at the provider is meant.
	Choose []*Choice `yaml:"choose"`
	// ErrorHelp turns the provider's error codes into words for people.
	ErrorHelp []ErrorHelp `yaml:"error_help"`

	// Tenant is whose connector this is; empty for those that came with the process.
	Tenant string `yaml:"-"`
	// Version is derived from the content of the source: the same text has the same version.
	Version string `yaml:"-"`
	// Source is the text this was read from, with what it extends put in; File its name in findings.
	Source []byte `yaml:"-"`
	File   string `yaml:"-"`
	// Written is the file as its author wrote it: Source, without what it extends.
	Written []byte `yaml:"-"`
}

// Links are addresses for people. They are never fetched by the server.
type Links struct {
	Docs      string `yaml:"docs"`   // the provider's documentation of its authentication
	Apps      string `yaml:"apps"`   // where an operator registers an app at the provider
	Revoke    string `yaml:"revoke"` // where an end user takes access away
	StatusURL string `yaml:"status"` // the provider's status page
	Website   string `yaml:"website"`
}

// Verified says how far a definition has been checked.
type Verified struct {
	Level   string `yaml:"level"`   // simulated, corroborated, documented, live
	Sources int    `yaml:"sources"` // how many independent sources agree
	Date    string `yaml:"date"`
	Note    string `yaml:"note"`
}

// API is what calls with the credential have in common.
type API struct {
	BaseURL *Template `yaml:"base_url"`
	Headers Params    `yaml:"headers"`
	Query   Params    `yaml:"query"`
}

// Identity says who the end user is at the provider.
type Identity struct {
	// From says which answer the expressions read: "test" (the answer to the test), "token" (the
	// answer of the token endpoint), "id_token" (the claims of the verified ID token) or empty for
	// Request.
	From    string   `yaml:"from"`
	Request *Request `yaml:"request"`
	// Also are further requests; their answers are steps.<id>.body.
	Also []*IdentityStep `yaml:"also"`
	// Issuer says where Subject counts; nil: everywhere at the provider.
	Issuer        *Expression `yaml:"issuer"`
	Subject       *Expression `yaml:"subject"`
	Email         *Expression `yaml:"email"`
	EmailVerified *Expression `yaml:"email_verified"`
	Name          *Expression `yaml:"name"`
	Username      *Expression `yaml:"username"`
	Avatar        *Expression `yaml:"avatar"`
	// Picture, when Avatar tells no address, is answered with the picture itself.
	Picture *Request `yaml:"picture"`
	// RejectWhen is true for an account that must not be accepted.
	RejectWhen *Expression `yaml:"reject_when"`

	none bool // the definition says that nothing tells
}

// IdentityStep is a further request about the end user; its answer is steps.<id>.
type IdentityStep struct {
	ID      string   `yaml:"id"`
	Request *Request `yaml:"request"`
	// Optional says that status 401, 403 or 404 only means that nothing more is told.
	Optional bool `yaml:"optional"`
}

// Choice is one question asked after connecting, with options the provider lists.
type Choice struct {
	ID      string      `yaml:"id"`
	Label   string      `yaml:"label"`
	Help    string      `yaml:"help"`
	Request *Request    `yaml:"request"`
	Options *Expression `yaml:"options"` // a list, from response
	Value   *Expression `yaml:"value"`   // of one option
	Name    *Expression `yaml:"name"`    // of one option, for people
	// Capture keeps values of the chosen option.
	Capture Captures `yaml:"capture"`
}

// ErrorHelp says in plain words what a provider's error means and how to mend it.
type ErrorHelp struct {
	Code  string `yaml:"code"`  // compared with the provider's error code
	Match string `yaml:"match"` // a part of the provider's description
	Cause string `yaml:"cause"`
	Fix   string `yaml:"fix"`
}

// Method returns the auth method with the given id, or the default one for an empty id; nil if
// there is none.
func (c *Connector) Method(id string) *Auth {
	for _, a := range c.Auth {
		if a.ID == id || id == "" {
			return a
		}
	}
	return nil
}

// APIFor returns what calls with a credential of a have in common: the method's own, over the
// connector's.
func (c *Connector) APIFor(a *Auth) *API {
	if a.API == nil {
		return &c.API
	}
	return &a.api
}

// over lays a method's own over what the connector's calls have in common.
func (p API) over(own *API) API {
	if own.BaseURL != nil {
		p.BaseURL = own.BaseURL
	}
	p.Headers, p.Query = p.Headers.over(own.Headers), p.Query.over(own.Query)
	return p
}

// over returns ps with own instead of those of the same names.
func (ps Params) over(own Params) Params {
	kept := slices.DeleteFunc(slices.Clone(ps), func(p Param) bool {
		return slices.ContainsFunc(own, func(o Param) bool { return strings.EqualFold(o.Name, p.Name) })
	})
	return append(kept, own...)
}

// IdentityFor returns the identity block that applies to a: its own, or the connector's; nil if
// there is none.
func (c *Connector) IdentityFor(a *Auth) *Identity {
	if a.Identity != nil || a.noIdentity {
		return a.Identity
	}
	return c.Identity
}

// SignsIn reports whether some method can say who the person is: its identity names a subject.
func (c *Connector) SignsIn() bool {
	return slices.ContainsFunc(c.Auth, func(a *Auth) bool {
		id := c.IdentityFor(a)
		return id != nil && id.Subject != nil
	})
}

// settle takes out what stands for nothing: empty items of lists, and what the definition says there
// is none of.
func (c *Connector) settle() {
	c.Inputs = slices.Concat(c.Environments.question(), c.Inputs)
	c.Auth = dropNil(c.Auth)
	c.Choose = dropNil(c.Choose)
	c.Identity, _ = c.Identity.settle()
	for _, a := range c.Auth {
		a.Login, a.Choose = dropNil(a.Login), dropNil(a.Choose)
		if a.Token != nil {
			a.Token.Then = dropNil(a.Token.Then)
		}
		a.Revoke, _ = given(a.Revoke)
		a.Identity, a.noIdentity = a.Identity.settle()
	}
}

func (id *Identity) settle() (_ *Identity, none bool) {
	if id == nil || id.none {
		return nil, id != nil
	}
	id.Also = dropNil(id.Also)
	return id, false
}

func given(r *Request) (_ *Request, none bool) {
	if r == nil || r.none {
		return nil, r != nil
	}
	return r, false
}

func dropNil[T any](list []*T) []*T {
	return slices.DeleteFunc(list, func(p *T) bool { return p == nil })
}

// ChoicesFor returns the questions that follow connecting with a.
func (c *Connector) ChoicesFor(a *Auth) []*Choice {
	if a.Choose != nil {
		return a.Choose
	}
	return c.Choose
}

// CapturedNames lists the values that formulas of a may read as captured.<name>.
func (c *Connector) CapturedNames(a *Auth) []string {
	k := compiler{c: c}
	return k.namesOf(a).captured
}

// PublicOnly reports whether the hosts of c lie in public networks only, whatever the operator allows:
// the definition is a tenant's, or people name some of its hosts and no field says that its address may
// be a private one.
func (c *Connector) PublicOnly(a *Auth) bool {
	if c.Tenant != "" {
		return true
	}
	for _, fs := range []Fields{c.Inputs, a.Fields} {
		if slices.ContainsFunc(fs, func(f Field) bool { return f.Private }) {
			return false
		}
	}
	return slices.ContainsFunc(c.Hosts, func(h Template) bool { return !h.Literal() })
}
