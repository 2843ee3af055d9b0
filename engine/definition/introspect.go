package definition

// Introspection asks the provider about a token (RFC 7662): the request, and where its answer says
// whether the token is good, until when and for what.
type Introspection struct {
	Request *Request    `yaml:"request"`
	Active  *Expression `yaml:"active"`  // default: response.body.active
	Expires *Lifetime   `yaml:"expires"` // default: at response.body.exp, a NumericDate
	Scopes  *Expression `yaml:"scopes"`  // default: response.body.scope
}

// introspection compiles in and fills in what RFC 7662 says: a POST with the token in a form, from the
// client (§2.1), and the members of the answer (§2.2).
func (k *compiler) introspection(in *Introspection) {
	if in == nil || in.Request == nil {
		return
	}
	if r := in.Request; r.Method == "POST" && len(r.bodies())+len(r.Query) == 0 {
		r.Form = Params{
			{Name: "token", Value: Template{Source: "${credential.access_token}"}},
			{Name: "token_type_hint", Value: Template{Source: "access_token"}},
		}
	}
	k.request(in.Request, inRevoke, "client")
	p := inRevoke.answering()
	if in.Active == nil {
		in.Active = &Expression{Source: "response.body.active"}
	}
	if in.Expires == nil {
		in.Expires = &Lifetime{At: &Expression{Source: "response.body.exp"}, Unit: "epoch"}
	}
	if in.Scopes == nil {
		in.Scopes = &Expression{Source: "response.body.scope"}
	}
	k.decision(in.Active, p)
	k.lifetime(in.Expires, p)
	k.value(in.Scopes, p)
}

// Testable reports whether there is a call that shows whether a credential of a works: a test, or an
// introspection in its place.
func (c *Connector) Testable(a *Auth) bool { return len(c.TestsFor(a)) > 0 || a.Introspect != nil }
