package web

import (
	"cmp"
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/ui"
)

// connectStart begins the flow. What is typed is tried at once; otherwise the browser goes to the
// provider: in the window the script has opened, or in this one.
func (h *handler) connectStart(c *fiber.Ctx) error {
	v, f, err := h.trying(c)
	if err != nil {
		return err
	}
	if v.Used {
		return h.already(c, v)
	}
	k, a, err := h.chosen(c.UserContext(), v, f)
	if err != nil {
		return err
	}
	s := started{visit: v, connector: k, method: a}
	if s.answers, err = f.answers(k, a); err != nil {
		return err
	}
	p, err := h.Flows.Start(c.UserContext(), v.Principal, s.request(h.Connections.Intent()))
	var wrong *flow.InvalidAnswers
	if errors.As(err, &wrong) {
		return h.wrong(c, s, messages(wrong.Fields))
	}
	return h.begun(c, s, p, err)
}

// begun goes on after a flow was asked for with answers that are right.
func (h *handler) begun(c *fiber.Ctx, s started, p flow.Progress, err error) error {
	var stopped *flow.Stopped
	switch {
	case errors.As(err, &stopped), fault.KindOf(err) == fault.Misconfigured:
		return h.stopped(c, s, failure(err, ""))
	case err != nil:
		return err
	}
	h.cookies.keepTicket(c, s.Session, s.text)
	if err := h.Identity.NoteFlow(c.UserContext(), s.Ticket, p.Flow); err != nil {
		h.Logger.Warn("note the session's flow", "tenant", p.Tenant, "flow", p.Flow, "err", err)
	}
	h.settle(c.UserContext(), p)
	return h.goOn(c, s, p)
}

// started is a form that began a flow, with what is needed to show it again.
type started struct {
	visit
	connector *definition.Connector
	method    *definition.Auth
	answers   map[string]string
}

// request is the request for the flow.
func (s started) request(intent string) flow.Begin {
	return flow.Begin{
		Intent: intent, Connector: s.connector.ID, Method: s.method.ID, Answers: s.answers, EndUser: s.Principal.EndUser,
		Target: cmp.Or(s.Connection, s.Result), Session: s.Session, Browser: s.browser,
		ReturnURL: s.ReturnURL, OpenerOrigin: s.OpenerOrigin,
	}
}

// goOn shows what comes after the start.
func (h *handler) goOn(c *fiber.Ctx, s started, p flow.Progress) error {
	switch {
	case p.RedirectURL != "":
		return h.leave(c, s, p)
	case p.Status == flow.Failed && p.Failure != nil && p.Failure.Code == "invalid-key":
		if name := s.secretField(); name != "" {
			return h.wrong(c, s, map[string]string{name: h.UI.AtField(*failed(p.Failure), s.connector.Name, s.TenantName)})
		}
		return h.stopped(c, s, failed(p.Failure))
	case wantsJSON(c):
		return h.json(c, fiber.StatusOK, h.progress(c.UserContext(), s.visit, p))
	case p.Status == flow.Failed:
		return h.stopped(c, s, failed(p.Failure))
	}
	return h.redirect(c, s.resultPath(p.Flow))
}

// leave sends the browser to the provider.
func (h *handler) leave(c *fiber.Ctx, s started, p flow.Progress) error {
	u, err := url.Parse(p.RedirectURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return fault.E(fault.Misconfigured, "the provider's address is not one a browser may be sent to", err)
	}
	h.cookies.keepState(c, p.State, s.Session, p.Flow)
	if wantsJSON(c) {
		return h.json(c, fiber.StatusOK, ui.Progress{Flow: p.Flow, Status: "pending", URL: p.RedirectURL})
	}
	return h.page(c, fiber.StatusOK, s.frame(), ui.LeavePage{
		Dialog: s.dialog("dowel_status", "cancelled"), Tile: tile(s.connector), URL: p.RedirectURL,
	})
}

// wrong shows the form again with complaints at its fields.
func (h *handler) wrong(c *fiber.Ctx, s started, errs map[string]string) error {
	if wantsJSON(c) {
		return h.json(c, fiber.StatusOK, ui.Progress{Status: "invalid", Errors: errs})
	}
	return h.formAgain(c, s, typed{answers: s.answers, errors: errs})
}

// stopped shows the form again with what went wrong above it.
func (h *handler) stopped(c *fiber.Ctx, s started, f *ui.Failed) error {
	f.ForAdmin = s.ByOperator
	if wantsJSON(c) {
		return h.json(c, fiber.StatusOK, h.UI.Progress(ui.ResultPage{
			Dialog: s.dialog(), Connector: s.connector.ID, Tile: tile(s.connector), Failed: f,
		}))
	}
	return h.formAgain(c, s, typed{answers: s.answers, failed: f})
}

func (h *handler) formAgain(c *fiber.Ctx, s started, t typed) error {
	offers, err := h.offers(c.UserContext(), s.visit)
	if err != nil {
		return err
	}
	return h.page(c, fiber.StatusUnprocessableEntity, s.frame(), h.connectPage(s.visit, s.connector, s.method.ID, t, len(offers)))
}

// secretField is where a person looks when the provider rejects a key: the first secret they typed.
func (s started) secretField() string {
	for _, fs := range []definition.Fields{s.method.Fields, s.connector.Inputs} {
		for _, f := range fs {
			if f.Secret() && !f.Hidden {
				return f.Name
			}
		}
	}
	return ""
}
