package web

import "github.com/gofiber/fiber/v2"

// connectSave keeps a typed credential although the provider could not be asked whether it works.
func (h *handler) connectSave(c *fiber.Ctx) error {
	v, f, err := h.answering(c)
	if err != nil {
		return err
	}
	id, err := f.one("flow")
	if err != nil {
		return err
	}
	p, err := h.Flows.Answer(c.UserContext(), v.Principal, id, v.browser, "save")
	if err != nil {
		return err
	}
	h.settle(c.UserContext(), p)
	return h.redirect(c, v.resultPath(id))
}
