package web

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/engine/fault"
	"dowel/ui"
)

// appDelete removes an app that nothing uses any more.
func (h *handler) appDelete(c *fiber.Ctx) error {
	id := c.Params("id")
	apps, err := h.Connections.Apps(c.UserContext(), principal(c), "")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(apps, func(a connection.AppView) bool { return a.ID == id })
	if i < 0 {
		return fault.E(fault.NotFound, "there is no such app", nil)
	}
	if err := h.Connections.DeleteApp(c.UserContext(), principal(c), id); err != nil {
		if err := unlucky(c, err); err != nil {
			return err
		}
		return h.connectorPage(c, fiber.StatusConflict, apps[i].Connector, func(p *ui.ConnectorPage) { p.Console = consoleOf(c) })
	}
	return h.afterwards(c, connectorPath(apps[i].Connector), "app-deleted")
}
