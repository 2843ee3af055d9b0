package definition

import "strings"

// AttachesApp reports whether requests with a credential of a carry something of the app, such as its
// client id in a header.
func (c *Connector) AttachesApp(a *Auth) bool {
	api := c.APIFor(a)
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
