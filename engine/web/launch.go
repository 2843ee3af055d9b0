package web

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/ui"
)

// launchPath is where a provider sends people who have begun there, in front of a connector's id.
func launchPath(tenant string) string { return "/connect/launch/" + url.PathEscape(tenant) + "/" }

// launchScope is what the token of the page that asks is for.
func launchScope(c *fiber.Ctx) string { return launchPath(c.Params("tenant")) + c.Params("connector") }

// launchShow asks somebody whom a provider has sent whether they want to connect. It makes nothing: who
// has been lured here may go away again.
func (h *handler) launchShow(c *fiber.Ctx) error {
	if err := h.tries.note(c.IP()); err != nil {
		return err
	}
	query := string(c.Request().URI().QueryString())
	l, err := h.launched(c.UserContext(), c, query)
	if err != nil {
		return err
	}
	name, err := h.Identity.TenantName(c.UserContext(), c.Params("tenant"))
	if err != nil {
		return err
	}
	browser := h.cookies.ensureBrowser(c)
	return h.page(c, fiber.StatusOK, frame{}, ui.LaunchPage{
		Dialog: ui.Dialog{Tenant: ui.Tile{Name: name}, CSRF: csrfToken(browser, launchScope(c))}, Tile: tile(l.Connector),
		Path: launchPath(c.Params("tenant")) + l.Connector.ID, Subject: l.Subject, Query: query,
	})
}

// launchConfirm begins what the person has confirmed, as if they had come from the tenant's own pages.
// What the provider says is checked once more: the page only brings it along.
func (h *handler) launchConfirm(c *fiber.Ctx) error {
	if err := h.tries.note(c.IP()); err != nil {
		return err
	}
	f, err := posted(c)
	if err != nil {
		return err
	}
	in, err := f.all("csrf", "query")
	if err != nil {
		return err
	}
	browser := h.cookies.browser(c)
	if err := checkCSRF(in[0], browser, launchScope(c)); err != nil {
		return err
	}
	l, err := h.launched(c.UserContext(), c, in[1])
	if err != nil {
		return err
	}
	endUser := l.Connector.ID + ":" + l.Subject
	if l.Subject == "" {
		endUser = l.Connector.ID + ":" + rand.Text()
	}
	text, ticket, err := h.Identity.OpenLaunch(c.UserContext(), c.Params("tenant"), l.Connector.ID, endUser, browser)
	if err != nil {
		return err
	}
	h.cookies.keepTicket(c, ticket.Session, text)
	return h.begin(c, started{
		visit: visit{Ticket: ticket, text: text, browser: browser}, connector: l.Connector, method: l.Method, answers: l.Answers,
	})
}

// begin starts the flow if nothing more has to be asked; otherwise it shows the form, filled in.
func (h *handler) begin(c *fiber.Ctx, s started) error {
	c.Locals(visitKey{}, s.visit)
	p, err := h.Flows.Start(c.UserContext(), s.Principal, s.request(h.Connections.Intent()))
	var wrong *flow.InvalidAnswers
	if errors.As(err, &wrong) {
		asked := typed{answers: s.answers, errors: map[string]string{}}
		for name, message := range messages(wrong.Fields) {
			if s.answers[name] != "" {
				asked.errors[name] = message // what nobody has answered yet is not wrong
			}
		}
		return h.page(c, fiber.StatusOK, s.frame(), h.connectPage(s.visit, s.connector, s.method.ID, asked, 1))
	}
	return h.begun(c, s, p, err)
}

// launched checks a launch. Who cannot be one of ours, and what cannot have been made by a provider, is
// answered alike.
func (h *handler) launched(ctx context.Context, c *fiber.Ctx, query string) (flow.Launched, error) {
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > maxPosted {
		values = url.Values{}
	}
	l, err := h.Flows.Launch(ctx, c.Params("tenant"), c.Params("connector"), values)
	if fault.KindOf(err) == fault.Refused {
		if limit := h.misses.note(c.IP()); limit != nil {
			return flow.Launched{}, limit
		}
	}
	return l, err
}
