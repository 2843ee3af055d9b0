package web

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/identity"
	"dowel/ui"
)

// connectorConnect opens a connect session for the operator's own browser.
func (h *handler) connectorConnect(c *fiber.Ctx) error {
	k, err := h.Catalog.Current(c.Params("id"))
	if err != nil {
		return err
	}
	user, err := formOf(c).one("end_user")
	if err != nil {
		return err
	}
	err = h.connectAs(c, principal(c), identity.SessionInput{EndUser: user, Connectors: []string{k.ID}})
	if fault.KindOf(err) == fault.Invalid {
		return h.connectorPage(c, fiber.StatusUnprocessableEntity, k.ID, func(p *ui.ConnectorPage) {
			p.EndUser, p.ConnectFailed = user, sentence(fault.Public(err))
		})
	}
	return err
}
