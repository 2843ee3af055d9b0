package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"
)

// connectChoose takes the answer to the open question of a flow.
func (h *handler) connectChoose(c *fiber.Ctx) error {
	v, f, err := h.answering(c)
	if err != nil {
		return err
	}
	in, err := f.all("flow", "choice")
	if err != nil {
		return err
	}
	choice := in[1]
	if choice == "keep_both" {
		choice = "new"
	}
	p, err := h.Flows.Answer(c.UserContext(), v.Principal, in[0], v.browser, choice)
	if err != nil {
		return err
	}
	h.settle(c.UserContext(), p)
	if choice == "retry" && p.Failure != nil && p.Failure.Code == "wrong-account" {
		return h.redirect(c, "/connect/"+v.text+"?connector="+url.QueryEscape(p.Connector))
	}
	return h.redirect(c, v.resultPath(in[0]))
}

// answering is a visit that goes on with a flow begun before.
func (h *handler) answering(c *fiber.Ctx) (visit, form, error) {
	v, err := h.review(c)
	if err != nil {
		return visit{}, form{}, err
	}
	f, err := h.submitted(c, v)
	return v, f, err
}
