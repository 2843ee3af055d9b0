package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/ui"
)

// connectStatus tells the page that waits where a flow stands.
func (h *handler) connectStatus(c *fiber.Ctx) error {
	v, p, err := h.underWay(c)
	if err != nil {
		return err
	}
	return h.json(c, fiber.StatusOK, h.progress(c.UserContext(), v, p))
}

// underWay finds the flow that an address of a visit names. A flow of another session does not exist
// for it.
func (h *handler) underWay(c *fiber.Ctx) (visit, flow.Progress, error) {
	v, err := h.review(c)
	if err != nil {
		return visit{}, flow.Progress{}, err
	}
	id, err := one(c, "flow")
	if err != nil {
		return visit{}, flow.Progress{}, err
	}
	p, err := h.Flows.Poll(c.UserContext(), v.Principal, id, v.browser)
	if err != nil {
		return visit{}, flow.Progress{}, err
	}
	if p.Session != v.Session {
		return visit{}, flow.Progress{}, fault.E(fault.NotFound, "there is no such flow", nil)
	}
	if !v.Used {
		h.settle(c.UserContext(), p) // the callback may not have come so far
	}
	return v, p, nil
}

// progress says where a flow stands to the script of a page.
func (h *handler) progress(ctx context.Context, v visit, p flow.Progress) ui.Progress {
	switch {
	case p.Ask != nil && p.Ask.Kind == "unverified":
		out := h.UI.Progress(h.unverifiedPage(ctx, v, p))
		out.FormURL = v.resultPath(p.Flow)
		return out
	case p.Ask != nil:
		return ui.Progress{Flow: p.Flow, Status: "choice", FormURL: v.resultPath(p.Flow)}
	case p.Status == flow.Done || p.Status == flow.Failed:
		return h.UI.Progress(h.resultPage(ctx, v, p))
	}
	out := ui.Progress{Flow: p.Flow, Status: "pending"}
	if p.Working {
		out.Stage = "finishing"
	}
	if p.Wait != nil {
		out.FormURL = v.resultPath(p.Flow)
	}
	return out
}

// unverifiedPage offers to keep a credential that the provider could not be asked about.
func (h *handler) unverifiedPage(ctx context.Context, v visit, p flow.Progress) ui.ResultPage {
	f := failed(p.Ask.Why)
	f.Code, f.Flow = "test-timeout", p.Flow
	return ui.ResultPage{
		Dialog: v.dialog("dowel_status", "failed", "dowel_code", f.Code), Connector: p.Connector, Tile: h.tileOf(ctx, p.Tenant, p.Connector), Failed: f,
	}
}
