package web

import (
	"context"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/engine/identity"
	"dowel/ui"
)

// visit is a request to the Connect page by the browser its ticket is bound to.
type visit struct {
	identity.Ticket
	text    string // of the ticket
	browser string
}

type visitKey struct{}

// open begins a visit with a ticket that still counts. With bind, a first browser becomes the
// ticket's.
func (h *handler) open(c *fiber.Ctx, bind bool) (visit, error) {
	browser := h.cookies.browser(c)
	if bind {
		browser = h.cookies.ensureBrowser(c)
	}
	return h.visit(c, browser, h.Identity.OpenTicket)
}

// review begins a visit with a ticket that counts or has counted.
func (h *handler) review(c *fiber.Ctx) (visit, error) {
	return h.visit(c, h.cookies.browser(c), h.Identity.ReviewTicket)
}

func (h *handler) visit(c *fiber.Ctx, browser string, look func(context.Context, string, string) (identity.Ticket, error)) (visit, error) {
	text := c.Params("ticket")
	t, err := look(c.UserContext(), text, browser)
	if err != nil {
		if fault.KindOf(err) == fault.Gone {
			if limit := h.misses.note(c.IP()); limit != nil {
				return visit{}, limit
			}
		}
		return visit{}, err
	}
	v := visit{Ticket: t, text: text, browser: browser}
	c.Locals(visitKey{}, v)
	return v, nil
}

// submitted reads the form that came with a visit and checks where it is from.
func (h *handler) submitted(c *fiber.Ctx, v visit) (form, error) {
	f, err := posted(c)
	if err != nil {
		return form{}, err
	}
	token, err := f.one("csrf")
	if err != nil {
		return form{}, err
	}
	return f, checkCSRF(token, v.browser, v.text)
}

// dialog is what the pages of a visit share; back says how a return to the host application ends.
func (v visit) dialog(back ...string) ui.Dialog {
	return ui.Dialog{
		Tenant: ui.Tile{Name: v.TenantName}, Ticket: v.text, CSRF: csrfToken(v.browser, v.text),
		OpenerOrigin: v.OpenerOrigin, ReturnURL: returnTo(v.ReturnURL, back...),
	}
}

// frame is what may be around the pages of a visit. A page that is opened by another origin as a
// popup must not cut that tie, or it could not tell the result.
func (v visit) frame() frame {
	f := frame{opener: opens, ancestors: v.FrameOrigins}
	if v.OpenerOrigin != "" {
		f.opener = opened
	}
	return f
}

// resultFrame is frame for a page that tells its opener how it ended.
func (v visit) resultFrame() frame { return frame{opener: opened, ancestors: v.FrameOrigins} }

// returnTo adds pairs of names and values to the host application's address, which was held against
// the tenant's list when the session was made. Its own parameters stay.
func returnTo(address string, pairs ...string) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	q := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// resultPath is the clean address that says where a flow stands.
func (v visit) resultPath(flow string) string { return resultPath(v.text, flow) }

func resultPath(ticket, flow string) string {
	return "/connect/" + url.PathEscape(ticket) + "/result?flow=" + url.QueryEscape(flow)
}

// settle notes on the ticket that its connection is made. It may be called again for the same flow.
func (h *handler) settle(ctx context.Context, p flow.Progress) {
	if p.Status != flow.Done || p.Session == "" {
		return
	}
	var t identity.Ticket
	t.Principal.Tenant, t.Session = p.Tenant, p.Session
	if err := h.Identity.UseTicket(ctx, t, p.Result); err != nil {
		// The connection is there; the session only does not know it yet.
		h.Logger.Warn("note used ticket", "tenant", p.Tenant, "session", p.Session, "err", err)
	}
}

// one returns a query parameter that may come once.
func one(c *fiber.Ctx, name string) (string, error) {
	v, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return "", fault.E(fault.Invalid, "the address cannot be read", err)
	}
	return form{v}.one(name)
}
