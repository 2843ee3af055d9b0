package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/ui"
)

// perPage is the length of the console's lists.
const perPage = 50

// connectionList is the table of connections, newest first.
func (h *handler) connectionList(c *fiber.Ctx) error {
	p := ui.ConnectionsPage{Console: noted(c)}
	var err error
	var before string
	for name, to := range map[string]*string{"status": &p.Status, "connector": &p.Connector, "before": &before} {
		if *to, err = one(c, name); err != nil {
			return err
		}
	}
	list, err := h.Connections.List(c.UserContext(), principal(c), connection.Filter{
		Connector: p.Connector, Status: connection.Status(p.Status), Before: before, Limit: perPage,
	})
	if err != nil {
		return err
	}
	p.Rows = h.rows(c.UserContext(), list)
	if len(list) == perPage {
		p.NextURL = next("/console/connections", list[len(list)-1].ID, "status", p.Status, "connector", p.Connector)
	}
	all, err := h.Catalog.All(c.UserContext(), principal(c).Tenant)
	if err != nil {
		return err
	}
	for _, k := range all {
		p.Connectors = append(p.Connectors, ui.Option{Value: k.ID, Label: k.Name})
	}
	return h.page(c, fiber.StatusOK, frame{}, p)
}

// next is the address of the page after before, with the filters that are set.
func next(path, before string, filters ...string) string {
	q := url.Values{"before": {before}}
	for i := 0; i+1 < len(filters); i += 2 {
		if filters[i+1] != "" {
			q.Set(filters[i], filters[i+1])
		}
	}
	return path + "?" + q.Encode()
}
