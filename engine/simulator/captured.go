package simulator

import (
	"strings"

	"dowel/engine/definition"
)

// capturedValue invents a value for something the definition captures: an address or a host name of
// this provider where the definition goes on to use it as one, a plain word otherwise.
func (c *call) capturedValue(name string) string {
	formula := "${captured." + name + "}"
	for _, source := range c.templates() {
		switch {
		case strings.HasPrefix(source, formula):
			return "https://" + c.someHost()
		case strings.HasPrefix(source, "https://"+formula) && !strings.HasPrefix(source, "https://"+formula+"."):
			return c.someHost()
		}
	}
	return "sim-" + strings.ReplaceAll(name, "_", "-")
}

// templates are the addresses in which the definition can use a captured value.
func (c *call) templates() []string {
	var out []string
	if c.connector.API.BaseURL != nil {
		out = append(out, c.connector.API.BaseURL.Source)
	}
	for _, a := range c.connector.Auth {
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

// someHost is a host the definition lists, preferably one below a wildcard.
func (c *call) someHost() string {
	host := ""
	for _, h := range c.connector.Hosts {
		if rest, wild := strings.CutPrefix(h.Source, "*."); wild {
			return "simulated." + rest
		}
		if host == "" && h.Literal() {
			host = h.Source
		}
	}
	return host
}

// identity puts an account where the identity block reads it.
func (d document) identity(id *definition.Identity, a Account) {
	user, _, _ := strings.Cut(a.Email, "@")
	d.decide(id.RejectWhen, false)
	d.place(id.Subject, a.ID)
	d.place(id.Email, a.Email)
	d.decide(id.EmailVerified, true)
	d.place(id.Name, a.Name)
	d.place(id.Username, user)
}
