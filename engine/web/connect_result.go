package web

import (
	"cmp"
	"context"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/flow"
	"dowel/ui"
)

// connectResult shows where a flow stands: its end, its open question, or that it is waited for. It
// is where a callback moves on to, so that no code and no state stays in the address.
func (h *handler) connectResult(c *fiber.Ctx) error {
	v, p, err := h.underWay(c)
	if err != nil {
		return err
	}
	switch {
	case p.Ask != nil:
		return h.ask(c, v, p)
	case p.Status == flow.Done || p.Status == flow.Failed:
		return h.page(c, fiber.StatusOK, v.resultFrame(), h.resultPage(c.UserContext(), v, p))
	}
	return h.page(c, fiber.StatusOK, v.frame(), h.waitPage(c.UserContext(), v, p))
}

// waitPage says what to do elsewhere, or that the window opened before is waited for.
func (h *handler) waitPage(ctx context.Context, v visit, p flow.Progress) ui.WaitPage {
	out := ui.WaitPage{
		Dialog: v.dialog("dowel_status", "cancelled"), Connector: p.Connector, Tile: h.tileOf(ctx, p.Tenant, p.Connector), Flow: p.Flow,
	}
	out.Handing = p.Handing
	if w := p.Wait; w != nil {
		out.URL, out.Code, out.CompleteURL, out.ExpiresAt = w.URL, w.Code, w.CompleteURL, w.ExpiresAt
		out.QR = qrOf(cmp.Or(w.CompleteURL, w.URL))
	}
	return out
}

// ask puts the open question of a flow.
func (h *handler) ask(c *fiber.Ctx, v visit, p flow.Progress) error {
	d, t := v.dialog("dowel_status", "cancelled"), h.tileOf(c.UserContext(), p.Tenant, p.Connector)
	switch p.Ask.Kind {
	case "unverified":
		return h.page(c, fiber.StatusOK, v.resultFrame(), h.unverifiedPage(c.UserContext(), v, p))
	case "account":
		out := ui.WrongAccountPage{Dialog: d, Tile: t, Flow: p.Flow, SignedInAs: p.Ask.Got}
		if old, err := h.Connections.Mine(c.UserContext(), v.Principal, cmp.Or(v.Connection, v.Result)); err == nil {
			out.BelongsTo = cmp.Or(account(old), old.Name)
		}
		return h.page(c, fiber.StatusOK, v.frame(), out)
	}
	out := ui.ChoicePage{Dialog: d, Tile: t, Flow: p.Flow, Question: p.Ask.Label, Help: p.Ask.Help}
	for _, o := range p.Ask.Options {
		out.Choices = append(out.Choices, ui.Choice{Value: o.Value, Label: cmp.Or(o.Name, o.Value)})
	}
	return h.page(c, fiber.StatusOK, v.frame(), out)
}
