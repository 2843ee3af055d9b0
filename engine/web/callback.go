package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/ui"
)

// callback takes the provider's answer and moves on to the clean address of the flow's page.
func (h *handler) callback(c *fiber.Ctx) error {
	query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		query = url.Values{} // an answer that cannot be read is answered like one that is not known
	}
	if len(c.Request().URI().QueryString()) == 0 {
		return h.fragmentPage(c) // if there is an answer at all, it is where only a page can read it
	}
	by, err := h.Flows.Expected(c.UserContext(), query)
	switch {
	case err != nil:
		return err
	case by == flow.ByFragment:
		return h.fragmentPage(c)
	}
	if query.Has(postedMark) {
		by = flow.ByFormPost
		query.Del(postedMark)
	}
	return h.arrived(c, query, by)
}

// arrived goes on with a browser that has come back, and answers it with its next page.
func (h *handler) arrived(c *fiber.Ctx, query url.Values, by flow.Way) error {
	p, err := h.Flows.Callback(c.UserContext(), flow.Arrival{Query: query, By: by, Browser: h.cookies.browser(c)})
	if err != nil {
		kind := fault.KindOf(err)
		if to := h.before(c, query); to != "" && kind == fault.Gone {
			return h.redirect(c, to)
		}
		if kind == fault.Gone || kind == fault.Forbidden {
			if limit := h.misses.note(c.IP()); limit != nil {
				return limit
			}
		}
		if kind == fault.Forbidden {
			// The flow is somebody else's: this browser learns nothing about it, and is sent nowhere.
			return h.page(c, fiber.StatusForbidden, frame{}, ui.ResultPage{Failed: failure(err, "")})
		}
		return err
	}
	h.settle(c.UserContext(), p)
	if ticket := h.cookies.ticket(c, p.Session); ticket != "" {
		return h.redirect(c, resultPath(ticket, p.Flow))
	}
	// The browser has forgotten the ticket but not what binds the flow: it is told the end here.
	out := ui.ResultPage{Connector: p.Connector, Tile: h.tileOf(c.UserContext(), p.Tenant, p.Connector), Flow: p.Flow, Connection: p.Result, ConnectedAs: p.Label}
	out.OpenerOrigin = p.OpenerOrigin
	if p.Status != flow.Done {
		out.Failed = failed(p.Failure)
	}
	return h.page(c, fiber.StatusOK, frame{opener: opened}, out)
}

// before is where the first callback with this state has led this browser, or empty: people press
// twice, and go back. The page there shows only what the browser may see of the flow.
func (h *handler) before(c *fiber.Ctx, query url.Values) string {
	session, id := h.cookies.state(c, flow.TheState(query))
	if ticket := h.cookies.ticket(c, session); ticket != "" && id != "" {
		return resultPath(ticket, id)
	}
	return ""
}
