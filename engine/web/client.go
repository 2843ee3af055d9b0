package web

import "github.com/gofiber/fiber/v2"

// clientDocument tells providers about us; it holds nothing that is secret, and anybody may read it.
func (h *handler) clientDocument(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.JSON(h.Flows.ClientDocument())
}
