package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/connection"
	"dowel/engine/identity"
)

// act does one thing to the connection of the address and comes back to its page, which says how it
// went.
func (h *handler) act(c *fiber.Ctx, notice string, do func(context.Context, access.Principal, string) (connection.View, error)) error {
	id := c.Params("id")
	if _, err := do(c.UserContext(), principal(c), id); err != nil {
		if err := unlucky(c, err); err != nil {
			return err
		}
		return h.connectionPage(c, fiber.StatusUnprocessableEntity, consoleOf(c))
	}
	return h.afterwards(c, connectionPath(id), notice)
}

func (h *handler) connectionRefresh(c *fiber.Ctx) error {
	return h.act(c, "refreshed", h.Connections.Refresh)
}

func (h *handler) connectionTest(c *fiber.Ctx) error { return h.act(c, "tested", h.Connections.Test) }

func (h *handler) connectionEnable(c *fiber.Ctx) error { return h.toggle(c, "enabled", false) }

func (h *handler) connectionDisable(c *fiber.Ctx) error { return h.toggle(c, "disabled", true) }

func (h *handler) toggle(c *fiber.Ctx, notice string, off bool) error {
	return h.change(c, notice, connection.Change{Disabled: &off})
}

func (h *handler) connectionRename(c *fiber.Ctx) error {
	name, err := formOf(c).one("name")
	if err != nil {
		return err
	}
	return h.change(c, "renamed", connection.Change{Name: &name})
}

func (h *handler) change(c *fiber.Ctx, notice string, ch connection.Change) error {
	return h.act(c, notice, func(ctx context.Context, p access.Principal, id string) (connection.View, error) {
		return h.Connections.Update(ctx, p, id, ch)
	})
}

// connectionReconnect opens a connect session that renews this connection.
func (h *handler) connectionReconnect(c *fiber.Ctx) error {
	v, err := h.Connections.Get(c.UserContext(), principal(c), c.Params("id"))
	if err != nil {
		return err
	}
	return h.connectAs(c, principal(c), identity.SessionInput{EndUser: v.EndUser, Connection: v.ID, Connectors: []string{v.Connector}}, "")
}
