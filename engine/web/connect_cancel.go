package web

import "github.com/gofiber/fiber/v2"

// connectCancel ends a flow at the person's wish.
func (h *handler) connectCancel(c *fiber.Ctx) error {
	v, f, err := h.answering(c)
	if err != nil {
		return err
	}
	id, err := f.one("flow")
	if err != nil {
		return err
	}
	if err := h.Flows.Cancel(c.UserContext(), v.Principal, id, v.browser); err != nil {
		return err
	}
	if !wantsJSON(c) {
		return h.redirect(c, v.resultPath(id))
	}
	p, err := h.Flows.Poll(c.UserContext(), v.Principal, id, v.browser)
	if err != nil {
		return err
	}
	return h.json(c, fiber.StatusOK, h.progress(c.UserContext(), v, p))
}
