package web

import (
	"cmp"
	"errors"
	"log/slog"
	"math"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/ui"
)

var statuses = map[fault.Kind]int{
	fault.Invalid: 400, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409,
	fault.Gone: 410, fault.NeedsReauth: 409, fault.Revoked: 410, fault.Disabled: 409, fault.Unavailable: 502,
	fault.Timeout: 504, fault.RateLimited: 429, fault.Misconfigured: 502, fault.Refused: 422, fault.Corrupt: 500,
	fault.StoreDown: 503,
}

func statusOf(err error) int {
	var fe *fiber.Error
	if errors.As(err, &fe) && fault.As(err) == nil {
		return fe.Code
	}
	return cmp.Or(statuses[fault.KindOf(err)], fiber.StatusInternalServerError)
}

// ErrorHandler draws the page of every failure of the door: the Connect dialog's for people who
// connect, the console's for operators.
func ErrorHandler(log *slog.Logger, u *ui.UI) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		h, ok := c.Locals(handlerKey{}).(*handler)
		if !ok {
			h = &handler{Deps: Deps{UI: u, Logger: log}}
		}
		status, reference := statusOf(err), ""
		if status >= 500 {
			reference = newReference()
			// The route and not the address: an address may hold a ticket, a state or a code.
			log.Error("page failed", "reference", reference, "method", c.Method(), "route", c.Route().Path, "kind", fault.KindOf(err).String(), "err", err)
		}
		if e := fault.As(err); e != nil && e.RetryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
		}
		switch path := c.Path(); {
		case path == "/console" || strings.HasPrefix(path, "/console/"):
			return h.consoleFailure(c, status, reference, err)
		case path == "/callback" || strings.HasPrefix(path, "/callback/") || strings.HasPrefix(path, "/connect/"):
			return h.connectFailure(c, status, reference, err)
		}
		return h.page(c, status, frame{}, ui.ErrorPage{Code: pageCode(status), Reference: reference})
	}
}

// connectFailure ends a visit, or what could not become one.
func (h *handler) connectFailure(c *fiber.Ctx, status int, reference string, err error) error {
	p, f := ui.ResultPage{Failed: failure(err, reference)}, frame{opener: opened}
	if v, ok := c.Locals(visitKey{}).(visit); ok {
		p.Dialog, f = v.dialog("dowel_status", "failed", "dowel_code", p.Failed.Code), v.resultFrame()
	}
	switch {
	case wantsJSON(c) && status >= 500 && c.Method() == fiber.MethodGet:
		// A page that waits asks again: the flow goes on although we could not say so just now.
		h.protect(c, frame{})
		return c.SendStatus(status)
	case wantsJSON(c):
		return h.json(c, status, h.UI.Progress(p))
	}
	return h.page(c, status, f, p)
}

// consoleFailure draws a page of the console, or of the way in for who is not.
func (h *handler) consoleFailure(c *fiber.Ctx, status int, reference string, err error) error {
	e := fault.As(err)
	if e != nil && e.Kind == fault.Unauthenticated {
		p := ui.LoginPage{}
		if h.cookies.get(c, consoleCookie) != "" {
			p.Problem = "session-expired"
		}
		return h.page(c, status, frame{}, p)
	}
	if e != nil && e.Code == "link-used" {
		return h.page(c, status, frame{}, ui.LoginPage{Problem: e.Code})
	}
	p := ui.ErrorPage{Console: consoleOf(c), Code: pageCode(status), Reference: reference}
	if e != nil && e.Kind != fault.Internal {
		p.Words = sentence(e.Public)
	}
	return h.page(c, status, frame{}, p)
}

// pageCode is the name of the text for a status.
func pageCode(status int) string {
	switch {
	case status == fiber.StatusNotFound, status == fiber.StatusMethodNotAllowed, status == fiber.StatusGone:
		return "not-found"
	case status == fiber.StatusForbidden:
		return "forbidden"
	case status < 500:
		return "bad-request"
	}
	return "server-error"
}
