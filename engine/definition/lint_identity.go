package definition

import (
	"cmp"
	"slices"
	"strings"
)

func identityRules() []Rule {
	return []Rule{
		{"subject-collides", LevelWarning, "Whoever chooses the server that says who somebody is cannot make it somebody of another server.", lintSubjectCollides},
	}
}

func lintSubjectCollides(l *linter) {
	told := map[string]bool{}
	l.methods(func(a *Auth, at string) {
		id := l.c.IdentityFor(a)
		if id == nil || id.Subject == nil {
			return
		}
		if a.Identity == nil {
			at = ""
		}
		at += "/identity/subject"
		for _, t := range l.tellers(a, id) {
			typed := l.typedHost(a, t)
			if len(typed) == 0 || told[at] || id.counts(typed) {
				continue
			}
			told[at] = true
			l.report(at, "%s chooses the server that gives this out, and another server may give out the same; say where it counts with issuer: %s", typed[0], typed[0])
		}
	})
}

// tellers are the addresses whose answers id reads the subject from.
func (l *linter) tellers(a *Auth, id *Identity) []*Template {
	var asked []*Request
	var out []*Template
	switch {
	case id.Request != nil:
		asked = append(asked, id.Request)
	case id.From == "test":
		asked = l.c.TestsFor(a)
	case id.From == "token":
		for _, t := range a.Exchanges() {
			out = append(out, &t.URL)
		}
	case a.IDToken != nil:
		out = append(out, a.IDToken.JWKSURL)
	}
	for _, s := range id.Also {
		if strings.Contains(id.Subject.Source, "steps."+s.ID+".") {
			asked = append(asked, s.Request)
		}
	}
	for _, q := range asked {
		if t := &q.URL; strings.HasPrefix(t.Source, "/") {
			out = append(out, l.c.APIFor(a).BaseURL)
		} else {
			out = append(out, t)
		}
	}
	return slices.DeleteFunc(out, func(t *Template) bool { return t == nil })
}

// typedHost names the answers that decide about the whole host of an address: those that come last in it, with
// no domain of the provider behind them.
func (l *linter) typedHost(a *Auth, t *Template) []string {
	h, _ := hostPart(t)
	if strings.Contains(h.tail, ".") {
		return nil
	}
	if _, fixed := l.valuesOf(h); fixed {
		return nil
	}
	var out []string
	for _, p := range t.parts {
		if p.expr == nil {
			if strings.Contains(strings.TrimPrefix(p.text, "https://"), "/") {
				break
			}
			continue
		}
		if d := a.Discovery; d != nil && p.expr.discovered() {
			if from := cmp.Or(d.Issuer, d.Resource); from != nil && from != t {
				return l.typedHost(a, from)
			}
		}
		for _, u := range p.expr.uses {
			if u.root == "inputs" || u.root == "fields" {
				out = append(out, u.root+"."+u.name)
			}
		}
	}
	return out
}

// counts reports whether id tells apart what the named answers choose between: by one of them, or by what a
// verified ID token says of its issuer.
func (id *Identity) counts(typed []string) bool {
	for _, e := range []*Expression{id.Issuer, id.Subject} {
		if e == nil {
			continue
		}
		for _, u := range e.uses {
			proven := u.root == "id_token" || u.root == "response" && id.From == "id_token"
			if proven && e == id.Issuer || slices.Contains(typed, u.root+"."+u.name) {
				return true
			}
		}
	}
	return false
}
