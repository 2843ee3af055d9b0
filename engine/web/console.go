package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/access"
	"dowel/engine/fault"
	"dowel/engine/identity"
	"dowel/ui"
)

type (
	sessionKey struct{}
	consoleKey struct{}
	formKey    struct{}
)

// operator lets an operator's session in. What changes something has to carry the session's token.
func (h *handler) operator(c *fiber.Ctx) error {
	s, err := h.Identity.Operator(c.UserContext(), h.cookies.get(c, consoleCookie))
	if err != nil {
		return err
	}
	page, err := h.consoleFor(c.UserContext(), s)
	if err != nil {
		return err
	}
	c.Locals(sessionKey{}, s)
	c.Locals(consoleKey{}, page)
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead:
		return c.Next()
	}
	f, err := posted(c)
	if err != nil {
		return err
	}
	token, err := f.one("csrf")
	if err != nil {
		return err
	}
	if !s.SameCSRF(token) {
		return badCSRF()
	}
	c.Locals(formKey{}, f)
	return c.Next()
}

func (h *handler) consoleFor(ctx context.Context, s identity.Console) (ui.Console, error) {
	name, err := h.Identity.TenantName(ctx, s.Principal.Tenant)
	if fault.KindOf(err) == fault.NotFound {
		name, err = s.Principal.Tenant, nil
	}
	return ui.Console{Tenant: name, Operator: s.Principal.ID, CSRF: s.CSRF}, err
}

func principal(c *fiber.Ctx) access.Principal {
	s, _ := c.Locals(sessionKey{}).(identity.Console)
	return s.Principal
}

// consoleOf is what all pages of the console share.
func consoleOf(c *fiber.Ctx) ui.Console {
	p, _ := c.Locals(consoleKey{}).(ui.Console)
	return p
}

func formOf(c *fiber.Ctx) form {
	f, _ := c.Locals(formKey{}).(form)
	return f
}

// notices are what may be said once above a page; a code from an address is shown only if it is one
// of them.
var notices = []string{
	"refreshed", "tested", "disabled", "enabled", "renamed", "disconnected", "reconnected", "app-saved", "app-deleted", "key-revoked",
}
