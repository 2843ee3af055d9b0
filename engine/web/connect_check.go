package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
)

// connectCheck says which fields of a form are wrong, by the rules that count when it is sent.
func (h *handler) connectCheck(c *fiber.Ctx) error {
	v, f, err := h.trying(c)
	if err != nil {
		return err
	}
	k, a, err := h.chosen(c.UserContext(), v, f)
	if err != nil {
		return err
	}
	answers, err := f.answers(k, a)
	if err != nil {
		return err
	}
	_, _, bad := flow.Split(k, a, answers)
	return h.json(c, fiber.StatusOK, messages(bad))
}

// trying is a visit that asks for work: it is counted.
func (h *handler) trying(c *fiber.Ctx) (visit, form, error) {
	if err := h.tries.note(c.IP()); err != nil {
		return visit{}, form{}, err
	}
	v, err := h.open(c, false)
	if err != nil {
		return visit{}, form{}, err
	}
	f, err := h.submitted(c, v)
	return v, f, err
}

// chosen is the connector and the method that a form names.
func (h *handler) chosen(ctx context.Context, v visit, f form) (*definition.Connector, *definition.Auth, error) {
	names, err := f.all("connector", "method")
	if err != nil {
		return nil, nil, err
	}
	k, err := h.allowed(ctx, v, names[0])
	if err != nil {
		return nil, nil, err
	}
	a := k.Method(names[1])
	if a == nil {
		return nil, nil, fault.E(fault.Invalid, "the connector has no such method", nil)
	}
	return k, a, nil
}

// messages puts complaints beside their fields.
func messages(bad []*fault.Error) map[string]string {
	out := make(map[string]string, len(bad))
	for _, e := range bad {
		if _, ok := out[e.Field]; !ok {
			out[e.Field] = e.Public
		}
	}
	return out
}
