package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/connection"
)

// token hands out a live credential.
func (h *handler) token(c *fiber.Ctx) error {
	var w connection.Wish
	if len(c.Context().QueryArgs().QueryString()) > 0 {
		var err error
		if w.MinTTL, err = duration(c, "min_ttl", 24*time.Hour); err != nil {
			return err
		}
		if w.Force, err = boolean(c, "force"); err != nil {
			return err
		}
	}
	live, err := h.Connections.Token(c.UserContext(), principal(c), c.Params("id"), w)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(live.JSON)
}
