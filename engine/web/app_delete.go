package web

import (
	"github.com/gofiber/fiber/v2"

	"dowel/ui"
)

// appDelete removes an app that nothing uses any more.
func (h *handler) appDelete(c *fiber.Ctx) error {
	app, err := h.appOf(c)
	if err != nil {
		return err
	}
	if err := h.Connections.DeleteApp(c.UserContext(), principal(c), app.ID); err != nil {
		if err := unlucky(c, err); err != nil {
			return err
		}
		return h.connectorPage(c, fiber.StatusConflict, app.Connector, func(p *ui.ConnectorPage) { p.Console = consoleOf(c) })
	}
	return h.afterwards(c, connectorPath(app.Connector), "app-deleted")
}
