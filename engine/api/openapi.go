package api

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"
)

// description describes the routes of this door as OpenAPI 3.1. Its tests hold it against the routes, the
// types and what is really answered.
//
//go:embed openapi.yaml
var description []byte

func (h *handler) describe(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/yaml; charset=utf-8") // RFC 9512
	c.Set("X-Content-Type-Options", "nosniff")
	return c.Send(description)
}
