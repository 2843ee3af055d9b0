package web

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/definition"
	"dowel/ui"
)

// connectorDefinition shows a definition as its builder wrote it, and what the linter says.
func (h *handler) connectorDefinition(c *fiber.Ctx) error {
	k, err := h.Catalog.Current(c.UserContext(), principal(c).Tenant, c.Params("id"))
	if err != nil {
		return err
	}
	p := ui.ConnectorDefinitionPage{
		ConnectorHead: connectorHead(c, k), File: k.File, Source: string(k.Source), Rules: len(definition.Rules()),
	}
	if k.Extends != "" {
		p.Extends, p.Written = k.Extends, string(k.Written)
	}
	for _, f := range lint(k) {
		p.Complaints = append(p.Complaints, ui.Finding{Line: f.Line, Col: f.Col, Level: string(f.Level), Rule: f.Rule, Message: sentence(f.Message)})
	}
	return h.page(c, fiber.StatusOK, frame{}, p)
}
