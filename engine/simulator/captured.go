package simulator

import (
	"regexp"
	"strings"

	"dowel/engine/definition"
)

// capturedValue invents a value for something the definition captures: an address or a host name of
// this provider where the definition goes on to use it as one, a plain word otherwise.
func (c *call) capturedValue(name string) string {
	// Perhaps with something to fall back on: ${captured.name ?? "…"}.
	formula := regexp.MustCompile(`^(https://)?\$\{captured\.` + regexp.QuoteMeta(name) + `( \?\?[^}]*)?\}(\.?)`)
	for _, source := range c.templates() {
		m := formula.FindStringSubmatch(source)
		switch {
		case m == nil:
		case m[1] == "":
			return "https://" + c.someHost()
		case m[3] == "":
			return c.someHost()
		}
	}
	return wordPrefix + strings.ReplaceAll(name, "_", "-")
}

// wordPrefix begins the words that capturedValue invents.
const wordPrefix = "sim-"

// templates are the addresses in which the definition can use a captured value.
func (c *call) templates() []string {
	var out []string
	for _, a := range c.connector.Auth {
		if base := c.connector.APIFor(a).BaseURL; base != nil {
			out = append(out, base.Source)
		}
		if a.Token != nil {
			out = append(out, a.Token.URL.Source)
		}
		for _, r := range append([]*definition.Request{a.Revoke}, c.connector.TestsFor(a)...) {
			if r != nil {
				out = append(out, r.URL.Source)
			}
		}
		if id := c.connector.IdentityFor(a); id != nil && id.Request != nil {
			out = append(out, id.Request.URL.Source)
		}
	}
	return out
}

// someHost is a host the definition lists, preferably one below a wildcard, or one that is known from the
// address that was called.
func (c *call) someHost() string {
	host := ""
	for _, h := range c.connector.Hosts {
		if rest, wild := strings.CutPrefix(h.Source, "*."); wild {
			return "simulated." + rest
		}
		if known, ok := c.filled(h.Source); ok && host == "" {
			host = known
		}
	}
	return host
}

// filled puts what the address of the request says into a template; false if it does not say everything.
func (c *call) filled(source string) (string, bool) { return c.chosen.slots.fill(source) }

// fill puts values into a template; false if one is not known.
func (s slots) fill(source string) (string, bool) {
	var b strings.Builder
	for _, p := range pieces(source) {
		if !p.isFormula {
			b.WriteString(p.text)
			continue
		}
		v, ok := s[p.formula]
		if !ok {
			return "", false
		}
		b.WriteString(v)
	}
	return b.String(), true
}

// identity puts an account where the identity block reads it.
func (d document) identity(id *definition.Identity, a Account) {
	user, _, _ := strings.Cut(a.Email, "@")
	d.decide(id.RejectWhen, false)
	if n := parse(id.Issuer); n != nil {
		for _, told := range leaves(n) {
			d.put(told, "sim-issuer", nil)
		}
	}
	d.place(id.Subject, a.ID)
	d.place(id.Email, a.Email)
	d.decide(id.EmailVerified, true)
	d.place(id.Name, a.Name)
	d.place(id.Username, user)
}
