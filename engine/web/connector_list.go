package web

import (
	"context"
	"slices"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/connection"
	"dowel/engine/definition"
	"dowel/ui"
)

// connectorList is the gallery of connectors.
func (h *handler) connectorList(c *fiber.Ctx) error {
	p := ui.ConnectorsPage{Console: noted(c)}
	var err error
	if p.Search, err = searched(c); err != nil {
		return err
	}
	all, err := h.Catalog.All(c.UserContext(), principal(c).Tenant)
	if err != nil {
		return err
	}
	apps, err := h.Connections.Apps(c.UserContext(), principal(c), "")
	if err != nil {
		return err
	}
	tally, err := h.tally(c.UserContext(), principal(c))
	if err != nil {
		return err
	}
	have := appsFor(apps)
	for _, k := range all {
		card := ui.ConnectorCard{
			Entry: entry(k), Description: k.Description, Custom: k.Tenant != "", Deprecated: k.Deprecated != "", NeedsApp: !h.Simulated && have.lacks(k),
		}
		card.Connections = tally[k.ID]
		p.Connectors = append(p.Connectors, card)
	}
	return h.page(c, fiber.StatusOK, frame{}, p)
}

// searched reads from the address what a list of connectors is narrowed by.
func searched(c *fiber.Ctx) (ui.Search, error) {
	var s ui.Search
	var signsIn string
	for name, to := range map[string]*string{"q": &s.Query, "category": &s.Category, "kind": &s.Kind, "signin": &signsIn, "sort": &s.Sort} {
		var err error
		if *to, err = one(c, name); err != nil {
			return s, err
		}
	}
	s.SignsIn = signsIn == "yes"
	return s, nil
}

// entry is a connector in a list.
func entry(k *definition.Connector) ui.Entry {
	return ui.Entry{
		ID: k.ID, Tile: tile(k), Categories: k.Categories, Kinds: kinds(k), SignsIn: k.SignsIn(), Verified: k.Verified.Level,
	}
}

// kinds lists the auth kinds of a connector, each once, in the order of its methods.
func kinds(k *definition.Connector) []string {
	var out []string
	seen := map[definition.AuthKind]bool{}
	for _, a := range k.Auth {
		if !seen[a.Kind] {
			seen[a.Kind] = true
			out = append(out, string(a.Kind))
		}
	}
	return out
}

// appSet holds the apps there are.
type appSet map[appKey]bool

// appKey tells apps apart: by connector and method (empty: all), and whether somebody has said at which server
// one is registered.
type appKey struct {
	connector, method string
	named             bool
}

func appsFor(apps []connection.AppView) appSet {
	out := appSet{}
	for _, a := range apps {
		out[appKey{a.Connector, a.Method, a.Issuer != ""}] = true
	}
	return out
}

// lacks reports whether nothing can be connected before an app is added.
func (s appSet) lacks(k *definition.Connector) bool {
	return !slices.ContainsFunc(k.Auth, func(a *definition.Auth) bool { return !s.lack(k, a) })
}

// lack reports whether a method cannot be used before an app is added.
func (s appSet) lack(k *definition.Connector, a *definition.Auth) bool {
	named := a.AppPlaces().Any()
	return a.NeedsApp() && !s[appKey{k.ID, "", named}] && !s[appKey{k.ID, a.ID, named}]
}

// tally counts the connections of each connector, as far as a page should look.
func (h *handler) tally(ctx context.Context, p access.Principal) (map[string]int, error) {
	out, before := map[string]int{}, ""
	for range 10 {
		vs, err := h.Connections.List(ctx, p, connection.Filter{Before: before, Limit: 200})
		if err != nil {
			return nil, err
		}
		for _, v := range vs {
			before = v.ID
			if v.Status != connection.Revoked {
				out[v.Connector]++
			}
		}
		if len(vs) < 200 {
			break
		}
	}
	return out, nil
}
