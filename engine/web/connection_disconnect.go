package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/ui"
)

// connectionDisconnectAsk asks before a connection is ended.
func (h *handler) connectionDisconnectAsk(c *fiber.Ctx) error {
	p, err := h.disconnectPage(c)
	if err != nil {
		return err
	}
	return h.page(c, fiber.StatusOK, frame{}, p)
}

func (h *handler) disconnectPage(c *fiber.Ctx) (ui.DisconnectPage, error) {
	v, err := h.Connections.Get(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return ui.DisconnectPage{}, err
	}
	p := ui.DisconnectPage{Console: consoleOf(c), Row: h.row(c.UserContext(), v)}
	k, err := h.Catalog.Version(c.UserContext(), principal(c).Tenant, v.Connector, v.ConnectorVersion)
	if err == nil {
		a := k.Method(v.Method)
		p.Revokes, p.RevokeURL = a != nil && a.Revoke != nil, k.Links.Revoke
	}
	return p, nil
}

// connectionDisconnect ends a connection whose name was typed.
func (h *handler) connectionDisconnect(c *fiber.Ctx) error {
	p, err := h.disconnectPage(c)
	if err != nil {
		return err
	}
	confirm, err := formOf(c).one("confirm")
	if err != nil {
		return err
	}
	if strings.TrimSpace(confirm) != strings.TrimSpace(p.Row.Called()) {
		p.Wrong = true
		return h.page(c, fiber.StatusUnprocessableEntity, frame{}, p)
	}
	if _, err := h.Connections.Disconnect(c.UserContext(), principal(c), p.Row.ID); err != nil {
		return err
	}
	return h.afterwards(c, connectionPath(p.Row.ID), "disconnected")
}
