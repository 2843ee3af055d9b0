package web

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
	"dowel/engine/fault"
)

// appSecret replaces an app's secret.
func (h *handler) appSecret(c *fiber.Ctx) error {
	text, err := formOf(c).one("client_secret")
	if err != nil {
		return err
	}
	if text == "" {
		return fault.Field("client_secret", "the client secret is required")
	}
	a, err := h.Connections.UpdateApp(c.UserContext(), principal(c), c.Params("id"), connection.AppInput{ClientSecret: &text})
	if err != nil {
		return err
	}
	return h.afterwards(c, connectorPath(a.Connector), "app-saved")
}
