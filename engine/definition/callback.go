package definition

import (
	"cmp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Callback says how the provider sends the browser back, and what it tells on the way.
type Callback struct {
	Code string `yaml:"code"` // name of the code parameter; empty: "code"
	// State is the name under which the state comes back; empty: that under which it was sent.
	State string `yaml:"state"`
	// From says how the answer comes: FromQuery (default), FromFragment or FromPost.
	From string `yaml:"from"`
	// FormPost says that the provider POSTs the answer (OAuth 2.0 Form Post Response Mode).
	FormPost bool `yaml:"form_post"`
	// Denied is true for an answer that says no in a way of its own; an error parameter always does.
	Denied *Expression `yaml:"denied"`
	// Required are parameters without which the answer is of no use.
	Required []string `yaml:"required"`
	// Fields are fields of the method that the callback answers instead of the person.
	Fields  Captures `yaml:"fields"`
	Capture Captures `yaml:"capture"`
	// Verify says how the provider signs the answer; nil: it does not.
	Verify *Verify `yaml:"verify"`
	// Confirm are requests that show that the answer is true; the first that does not succeed refuses it.
	Confirm []*Confirmation `yaml:"confirm"`
	// Launch says how people come who have begun at the provider; nil: they do not.
	Launch *Launch `yaml:"provider_initiated"`

	noCode bool // the definition says that no code comes back
}

// How a provider answers.
const (
	FromQuery    = "query"    // in the address that the browser comes back to
	FromFragment = "fragment" // in the fragment of it, which only a page can read
	FromPost     = "post"     // its server posts what the browser must not see, and then the browser comes back
)

// UnmarshalYAML reads a callback; a code that is null says that none comes back.
func (c *Callback) UnmarshalYAML(n *yaml.Node) error {
	type plain Callback
	if err := n.Decode((*plain)(c)); err != nil {
		return err
	}
	c.Confirm = dropNil(c.Confirm)
	if c.Launch != nil && c.Launch.none {
		c.Launch = nil
	}
	return members(n, func(name string, v *yaml.Node) error {
		c.noCode = c.noCode || name == "code" && v.ShortTag() == "!!null"
		return nil
	})
}

// CodeName is the name of the parameter that brings the code; empty if none comes back.
func (a *Auth) CodeName() string {
	if a.Kind != AuthorizationCode || a.Callback.noCode {
		return ""
	}
	return cmp.Or(a.Callback.Code, "code")
}

// stateParameter is the state parameter of RFC 6749 §4.1.1.
const stateParameter = "state"

// StateName is the name of the parameter that brings the state back.
func (a *Auth) StateName() string {
	sent := ""
	if a.Authorize != nil {
		sent = a.Authorize.Names[stateParameter]
	}
	return cmp.Or(a.Callback.State, sent, stateParameter)
}

// ReadsCallback reports whether the definition says more about the callback than RFC 6749 §4.1.2 does.
func (a *Auth) ReadsCallback() bool {
	return a.Authorize != nil && (a.CodeName() != "code" || a.StateName() != stateParameter || a.Callback.From != "" || a.Callback.FormPost || len(a.CallbackNames()) > 0)
}

// CallbackNames lists the parameters that the browser brings and the definition reads, besides code and
// state.
func (a *Auth) CallbackNames() []string {
	out := a.told("callback.query")
	posted := a.PostedNames()
	for _, name := range a.Callback.Required {
		if !slices.Contains(posted, name) {
			out = addNew(out, name)
		}
	}
	if v := a.Callback.Verify; v != nil {
		out = addNew(out, v.Params()...)
	}
	return out
}

// PostedNames lists what the provider's server posts and the definition reads, besides the state.
func (a *Auth) PostedNames() []string { return a.told("callback.posted") }

// told lists the names of root that formulas about the callback read.
func (a *Auth) told(root string) []string {
	var out []string
	a.eachTold(func(e *Expression) { out = addNew(out, e.namesOf(root)...) })
	return out
}

// namesOf lists what e reads of root.
func (e *Expression) namesOf(root string) []string {
	if e == nil {
		return nil
	}
	var out []string
	for _, u := range e.uses {
		if u.root == root {
			out = append(out, u.name)
		}
	}
	return out
}

// Reads reports whether e reads a name of root, such as shop of callback.query.
func (e *Expression) Reads(root, name string) bool { return slices.Contains(e.namesOf(root), name) }

// addNew adds the names that are not there yet.
func addNew(to []string, names ...string) []string {
	for _, name := range names {
		if !slices.Contains(to, name) {
			to = append(to, name)
		}
	}
	return to
}

// eachTold calls f for every formula that may read the callback.
func (a *Auth) eachTold(f func(*Expression)) {
	read := func(e *Expression) {
		if e != nil {
			f(e)
		}
	}
	texts := func(t *Template) {
		for _, p := range t.parts {
			read(p.expr)
		}
	}
	for _, cs := range []Captures{a.Callback.Fields, a.Callback.Capture} {
		for i := range cs {
			read(&cs[i].Value)
		}
	}
	read(a.Callback.Denied)
	if v := a.Callback.Verify; v != nil && v.HMAC != nil {
		texts(&v.HMAC.Over)
	}
	for _, c := range a.Callback.Confirm {
		c.Request.EachFormula(f)
	}
	if a.Token != nil {
		for i := range a.Token.Params {
			texts(&a.Token.Params[i].Value)
		}
	}
	if a.Scopes != nil {
		read(a.Scopes.Granted)
	}
	for i := range a.ScopeGroups {
		read(a.ScopeGroups[i].Granted)
	}
}

// InRedirectURI is where the state is sent to a provider that brings back no parameter of ours: in the
// address that the browser is sent back to.
const InRedirectURI = "redirect_uri"

// callback compiles how a answers, and takes the fields that it answers off the form.
func (k *compiler) callback(a *Auth) {
	k.decision(a.Callback.Denied, inCallback)
	k.captures(a.Callback.Fields, inCallback)
	k.captures(a.Callback.Capture, inCallback)
	k.verify(a.Callback.Verify)
	k.confirm(a)
	k.launch(a.Callback.Launch)
	for _, told := range a.Callback.Fields {
		for i := range a.Fields {
			if f := &a.Fields[i]; f.Name == told.Name {
				f.Told, f.Hidden = true, true
			}
		}
	}
}
