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

// connectorList is the grid of connectors.
func (h *handler) connectorList(c *fiber.Ctx) error {
	p := ui.ConnectorsPage{Console: noted(c)}
	var err error
	for name, to := range map[string]*string{"q": &p.Query, "category": &p.Category, "kind": &p.Kind} {
		if *to, err = one(c, name); err != nil {
			return err
		}
	}
	all := h.Catalog.All()
	apps, err := h.Connections.Apps(c.UserContext(), principal(c), "")
	if err != nil {
		return err
	}
	tally, err := h.tally(c.UserContext(), principal(c))
	if err != nil {
		return err
	}
	p.Total = len(all)
	for _, k := range all {
		card := ui.ConnectorCard{
			ID: k.ID, Tile: tile(k), Description: k.Description, Kinds: kinds(k), Connections: tally[k.ID],
			Deprecated: k.Deprecated != "", NeedsApp: needsApp(k, apps),
		}
		if len(k.Categories) > 0 {
			card.Category = k.Categories[0]
		}
		p.Categories = append(p.Categories, card.Category)
		p.Kinds = append(p.Kinds, card.Kinds...)
		if matches(p.Query, k.Name, k.ID, k.Description) && (p.Category == "" || p.Category == card.Category) &&
			(p.Kind == "" || slices.Contains(card.Kinds, p.Kind)) {
			p.Connectors = append(p.Connectors, card)
		}
	}
	p.Categories, p.Kinds = distinct(p.Categories), distinct(p.Kinds)
	return h.page(c, fiber.StatusOK, frame{}, p)
}

func kinds(k *definition.Connector) []string {
	var out []string
	for _, a := range k.Auth {
		out = append(out, string(a.Kind))
	}
	return distinct(out)
}

// distinct sorts and leaves out what is empty or there before.
func distinct(words []string) []string {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	slices.Sort(words)
	return slices.Compact(words)
}

// needsApp reports whether nothing can be connected before an app is added.
func needsApp(k *definition.Connector, apps []connection.AppView) bool {
	return !slices.ContainsFunc(k.Auth, func(a *definition.Auth) bool {
		return !a.Kind.NeedsApp() || slices.ContainsFunc(apps, func(p connection.AppView) bool {
			return p.Connector == k.ID && (p.Method == "" || p.Method == a.ID)
		})
	})
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
