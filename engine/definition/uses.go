package definition

import (
	"slices"
	"strings"
)

// AttachesApp reports whether requests with a credential of a carry something of the app, such as its
// client id in a header.
func (c *Connector) AttachesApp(a *Auth) bool {
	api := c.APIFor(a)
	addresses := slices.Clone(c.Hosts)
	if api.BaseURL != nil {
		addresses = append(addresses, *api.BaseURL)
	}
	if slices.ContainsFunc(addresses, func(t Template) bool { return strings.Contains(t.Source, "${app.") }) {
		return true
	}
	lists := []Params{api.Headers, api.Query, a.Apply.Headers, a.Apply.Query, a.Apply.Cookies, a.Apply.Body}
	for _, ps := range lists {
		for i := range ps {
			if strings.Contains(ps[i].Value.Source, "app.") {
				return true
			}
		}
	}
	return a.Apply.Basic != nil && strings.Contains(a.Apply.Basic.Username.Source+a.Apply.Basic.Password.Source, "app.")
}
