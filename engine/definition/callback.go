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

	noCode bool // the definition says that no code comes back
}

// UnmarshalYAML reads a callback; a code that is null says that none comes back.
func (c *Callback) UnmarshalYAML(n *yaml.Node) error {
	type plain Callback
	if err := n.Decode((*plain)(c)); err != nil {
		return err
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
	return a.Authorize != nil && (a.CodeName() != "code" || a.StateName() != stateParameter || a.Callback.FormPost || len(a.CallbackNames()) > 0)
}

// CallbackNames lists the parameters of the callback that the definition reads besides code and state.
func (a *Auth) CallbackNames() []string {
	out := slices.Clone(a.Callback.Required)
	read := func(e *Expression) {
		if e == nil {
			return
		}
		for _, u := range e.uses {
			if u.root == "callback.query" && !slices.Contains(out, u.name) {
				out = append(out, u.name)
			}
		}
	}
	for _, cs := range []Captures{a.Callback.Fields, a.Callback.Capture} {
		for i := range cs {
			read(&cs[i].Value)
		}
	}
	read(a.Callback.Denied)
	if v := a.Callback.Verify; v != nil {
		if v.HMAC != nil {
			for _, p := range v.HMAC.Over.parts {
				read(p.expr)
			}
		}
		for _, name := range v.params() {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	if a.Token != nil {
		for i := range a.Token.Params {
			for _, p := range a.Token.Params[i].Value.parts {
				read(p.expr)
			}
		}
	}
	if a.Scopes != nil {
		read(a.Scopes.Granted)
	}
	for i := range a.ScopeGroups {
		read(a.ScopeGroups[i].Granted)
	}
	return out
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
	for _, told := range a.Callback.Fields {
		for i := range a.Fields {
			if f := &a.Fields[i]; f.Name == told.Name {
				f.Told, f.Hidden = true, true
			}
		}
	}
}
