package web

import (
	"errors"
	"io/fs"
	"mime"
	"path"

	"github.com/gofiber/fiber/v2"
)

// static serves a file whose name holds a hash of its content: it may be kept for ever.
func (h *handler) static(c *fiber.Ctx) error {
	name := c.Params("name")
	content, err := fs.ReadFile(h.UI.Static(), name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return fiber.ErrNotFound
	}
	if err != nil {
		return err
	}
	h.strict(c)
	// Nothing a static file contains, such as an SVG, is to run as a page of its own.
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, contentType(path.Ext(name)))
	return c.Send(content)
}

// contentType does not leave the usual kinds to the tables of the machine.
func contentType(ext string) string {
	switch ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return fiber.MIMEOctetStream
}
