package api

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
)

// connectionSign answers what a program adds to a request that it makes itself.
func (h *handler) connectionSign(c *fiber.Ctx) error {
	var in connection.SignRequest
	if err := body(c, &in); err != nil {
		return err
	}
	out, err := h.Connections.Sign(c.UserContext(), principal(c), c.Params("id"), in)
	if err != nil {
		return err
	}
	return c.JSON(out)
}
