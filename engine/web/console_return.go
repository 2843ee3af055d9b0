package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/identity"
)

// connectAs opens a connect session for an operator and sends the operator's browser to it; it comes
// back to the console. Method, if there is one, is the one chosen first.
func (h *handler) connectAs(c *fiber.Ctx, p access.Principal, in identity.SessionInput, method string) error {
	in.ReturnURL = h.PublicURL + "/console/return?connector=" + url.QueryEscape(in.Connectors[0])
	t, err := h.Identity.CreateConnectSession(c.UserContext(), p, in)
	if err != nil {
		return err
	}
	to := "/connect/" + url.PathEscape(t.Ticket)
	if method != "" {
		to += "?method=" + url.QueryEscape(method)
	}
	return h.redirect(c, to)
}

// consoleReturn is where an operator comes back to from connecting.
func (h *handler) consoleReturn(c *fiber.Ctx) error {
	if id, err := one(c, "connection"); err == nil && isConnection(id) {
		return h.redirect(c, connectionPath(id))
	}
	id, err := one(c, "connector")
	if err != nil || id == "" {
		return h.redirect(c, "/console")
	}
	return h.redirect(c, connectorPath(id))
}
