package web

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/identity"
	"dowel/ui"
)

// connectorConnect opens a connect session for the operator's own browser; a method named is chosen
// on its page.
func (h *handler) connectorConnect(c *fiber.Ctx) error {
	k, err := h.Catalog.Current(c.UserContext(), principal(c).Tenant, c.Params("id"))
	if err != nil {
		return err
	}
	in, err := formOf(c).all("end_user", "method")
	if err != nil {
		return err
	}
	user, method := in[0], in[1]
	if method != "" && k.Method(method) == nil {
		return fault.Field("method", k.Name+" has no method "+method)
	}
	err = h.connectAs(c, principal(c), identity.SessionInput{EndUser: user, Connectors: []string{k.ID}}, method)
	if fault.KindOf(err) == fault.Invalid {
		return h.connectorPage(c, fiber.StatusUnprocessableEntity, k.ID, func(p *ui.ConnectorPage) {
			p.EndUser, p.ConnectFailed = user, sentence(fault.Public(err))
		})
	}
	return err
}
