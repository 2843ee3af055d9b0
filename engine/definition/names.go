package definition

import (
	"fmt"
	"slices"
	"strings"
)

// names are what the formulas of one auth method can refer to by name.
type names struct {
	inputs, fields   Fields
	app              Fields // what is registered beside the client id and secret
	captured         []string
	tokens, sessions []string // credential.tokens.<name>, credential.<name>
	steps            []string
	proven           bool     // an ID token is verified, and has claims
	discovers        bool     // addresses are discovered
	traded           []string // fields that are not kept once there is a token
}

// ofCredential are the names that every credential has.
var ofCredential = []string{"access_token", "token_secret", "refresh_token", "token_type", "id_token", "scopes", "tokens"}

// ofRequest are the names that every request has while it is signed. Its moment is written in four ways:
// a request has one moment and one nonce.
var ofRequest = []string{
	"method", "url", "host", "path", "query", "params", "headers", "body", "body_sha256", "size",
	"timestamp", "timestamp_ms", "date", "time", "nonce",
}

// check refuses a name that the definition does not make.
func (n names) check(u use, p place) *formulaFault {
	switch u.root {
	case "environment":
		return known(u, n.environment())
	case "values":
		return known(u, n.valued())
	case "inputs":
		return n.checkField(u, n.inputs, p)
	case "fields":
		return n.checkField(u, n.fields, p)
	case "app":
		return n.checkApp(u, p)
	case "captured":
		return known(u, n.captured)
	case "steps":
		return known(u, n.steps)
	case "credential":
		return known(u, slices.Concat(ofCredential, n.sessions))
	case "request":
		return known(u, ofRequest)
	case "discovered":
		if n.discovers {
			return known(u, discoveredNames)
		}
		return &formulaFault{rule: "unknown-name", message: "nothing is discovered here; say under discovery where the provider publishes its addresses", offset: u.offset}
	case "id_token":
		if !n.proven {
			return &formulaFault{rule: "unknown-name", message: "no ID token is verified here, so nothing is known of its claims; say how under id_token", offset: u.offset}
		}
	case "credential.tokens":
		return known(u, n.tokens)
	}
	if field, ok := strings.CutPrefix(u.root, "values."); ok {
		f, _ := slices.Concat(n.inputs, n.fields).Named(field)
		return known(u, f.valueNames())
	}
	return nil
}

// environment are the names that environments stand for.
func (n names) environment() []string {
	f, _ := n.inputs.Named(EnvironmentInput)
	return f.valueNames()
}

// valued are the fields whose options stand for something.
func (n names) valued() []string {
	var out []string
	for _, f := range slices.Concat(n.inputs, n.fields) {
		if len(f.valueNames()) > 0 {
			out = append(out, f.Name)
		}
	}
	return out
}

// ofApp are the names that every app has.
var ofApp = []string{"client_id", "client_secret"}

func (n names) checkApp(u use, p place) *formulaFault {
	if _, own := n.app.Named(u.name); own && !slices.Contains(ofApp, u.name) {
		return n.checkField(u, n.app, p)
	}
	all := slices.Clone(ofApp)
	for _, f := range n.app {
		all = append(all, f.Name)
	}
	return known(u, all)
}

func (n names) checkField(u use, fs Fields, p place) *formulaFault {
	f, ok := fs.Named(u.name)
	if !ok {
		var all []string
		for _, f := range fs {
			all = append(all, f.Name)
		}
		return known(u, all)
	}
	if u.root == "fields" && p.credential && slices.Contains(n.traded, u.name) {
		return &formulaFault{rule: "unknown-name", message: u.name + " is not kept once it is traded for a token (RFC 6749 §4.3.1); it is with refresh: {grant: password}", offset: u.offset}
	}
	if f.Secret() && p.fields != allFields {
		return &formulaFault{rule: "secret-in-the-open", message: u.name + " is secret and would be seen by the browser or stored in the open", offset: u.offset}
	}
	return nil
}

func known(u use, all []string) *formulaFault {
	if u.name == "" || slices.Contains(all, u.name) {
		return nil
	}
	f := &formulaFault{rule: "unknown-name", offset: u.offset}
	if len(all) == 0 {
		f.message = fmt.Sprintf("%s has no %q, and no other names either", u.root, cut(u.name))
		return f
	}
	f.message = fmt.Sprintf("%s has no %q; %s", u.root, cut(u.name), suggest(u.name, all))
	if meant := nearest(u.name, all); meant != "" {
		f.given, f.meant = u.root+"."+u.name, u.root+"."+meant
	}
	return f
}

// namesOf collects what the formulas of a, or of the connector as a whole (nil), may refer to. What
// belongs to a method as a whole (captured values, session values) is known to the connector's own
// formulas if any method has it.
func (k *compiler) namesOf(a *Auth) names {
	n := names{inputs: k.c.Inputs}
	methods := k.c.Auth
	if a != nil {
		n.fields, methods = a.Fields, []*Auth{a}
	}
	for _, m := range methods {
		if a == nil {
			n.fields = append(n.fields, m.Fields...) // in hosts: those of other methods are empty
		}
		n.app = append(n.app, m.AppFields...)
		n.proven = n.proven || m.proves()
		n.discovers = n.discovers || m.Discovery != nil
		n.captured = append(n.captured, m.captured()...)
		n.tokens = append(n.tokens, m.tokenNames()...)
		n.sessions = append(n.sessions, m.sessionNames()...)
		for _, s := range m.Login {
			n.steps = append(n.steps, s.ID)
		}
		for _, c := range m.Callback.Confirm {
			n.steps = append(n.steps, c.ID)
		}
		for _, ch := range k.c.ChoicesFor(m) {
			n.captured = append(n.captured, ch.Capture.names()...)
		}
		if id := k.c.IdentityFor(m); id != nil {
			for _, s := range id.Also {
				n.steps = append(n.steps, s.ID)
			}
		}
		n.captured = append(n.captured, k.c.TestsFor(m).captured()...)
		if m.Introspect != nil && m.Introspect.Request != nil {
			n.captured = append(n.captured, m.Introspect.Request.Capture.names()...)
		}
	}
	return n
}

func (cs Captures) names() []string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Name)
	}
	return out
}

func (a *Auth) captured() []string {
	out := a.Callback.Capture.names()
	for _, c := range a.Callback.Confirm {
		if c.Request != nil {
			out = append(out, c.Request.Capture.names()...)
		}
	}
	for _, t := range a.Exchanges() {
		out = append(out, t.Answer.Capture.names()...)
	}
	if a.Refresh != nil && a.Refresh.Answer != nil {
		out = append(out, a.Refresh.Answer.Capture.names()...)
	}
	for _, s := range a.Login {
		if s.Request != nil {
			out = append(out, s.Request.Capture.names()...)
		}
	}
	return out
}

func (a *Auth) tokenNames() []string {
	var out []string
	for _, t := range a.Exchanges() {
		out = append(out, t.Answer.Tokens.names()...)
	}
	return out
}

func (a *Auth) sessionNames() []string {
	var out []string
	for _, s := range a.Login {
		out = append(out, s.Credential.names()...)
	}
	return out
}
