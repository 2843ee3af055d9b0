package web

import (
	"bytes"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/ui"
)

// page sends p as HTML.
func (h *handler) page(c *fiber.Ctx, status int, f frame, p ui.Page) error {
	var b bytes.Buffer
	if err := h.UI.Render(&b, p); err != nil {
		return err
	}
	h.protect(c, f)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(b.Bytes())
}

// json sends v to a script of ours.
func (h *handler) json(c *fiber.Ctx, status int, v any) error {
	h.protect(c, frame{})
	return c.Status(status).JSON(v)
}

// redirect moves on to an address of ours with a GET.
func (h *handler) redirect(c *fiber.Ctx, to string) error {
	h.protect(c, frame{opener: opened})
	return c.Redirect(to, fiber.StatusSeeOther)
}

// wantsJSON reports whether a script asks, and not the browser for a page.
func wantsJSON(c *fiber.Ctx) bool {
	accept := c.Get(fiber.HeaderAccept)
	return strings.Contains(accept, fiber.MIMEApplicationJSON) && !strings.Contains(accept, fiber.MIMETextHTML)
}
