package web

import (
	"errors"
	"mime"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/flow"
)

// maxPosted bounds what a provider's server or a browser posts to the callback, in bytes.
const maxPosted = 64 << 10

// callbackPosted takes what is posted to the callback: by a provider's server, which hands over what the
// browser must not see and wants to hear no more than that it has arrived, or by a browser that brings
// the answer in a form.
func (h *handler) callbackPosted(c *fiber.Ctx) error {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil {
		return fiber.ErrUnsupportedMediaType
	}
	if len(c.Body()) > maxPosted {
		return fiber.ErrRequestEntityTooLarge
	}
	if kind == fiber.MIMEMultipartForm {
		return h.formPosted(c)
	}
	if kind != fiber.MIMEApplicationForm && kind != fiber.MIMEApplicationJSON {
		return fiber.ErrUnsupportedMediaType
	}
	err = h.Flows.Deliver(c.UserContext(), flow.Posted{MediaType: kind, Body: c.Body()})
	switch {
	case err == nil:
		h.discreet(c)
		return c.SendStatus(fiber.StatusOK)
	case kind == fiber.MIMEApplicationForm && (errors.Is(err, flow.ErrNotAwaited) || fault.KindOf(err) == fault.Gone):
		return h.formPosted(c)
	case fault.KindOf(err) == fault.Gone:
		if limit := h.misses.note(c.IP()); limit != nil {
			return limit
		}
	}
	return err
}

// formPosted takes an answer that a browser has posted (OAuth 2.0 Form Post Response Mode). It sends no
// SameSite=Lax cookie with a POST from another site, so it is asked to come again with GET.
func (h *handler) formPosted(c *fiber.Ctx) error {
	f, err := posted(c)
	if err != nil {
		return err
	}
	f.values.Set(postedMark, "1")
	return h.redirect(c, "/callback?"+f.values.Encode())
}

// postedMark is added to the parameters of an answer that came by POST; only connectors that ask for
// that mode may be answered so.
const postedMark = "dowel_posted"
