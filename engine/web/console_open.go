package web

import (
	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/ui"
)

// signedOut is the notice of the page that a session ends at.
const signedOut = "signed-out"

// consoleOpen shows the button that trades a link for a session. The link itself trades nothing, so
// that a preview of it cannot spend it.
func (h *handler) consoleOpen(c *fiber.Ctx) error {
	link, err := one(c, "link")
	if err != nil {
		return err
	}
	problem, err := one(c, "notice")
	if err != nil {
		return err
	}
	p := ui.LoginPage{}
	if problem == signedOut {
		p.Problem = problem
	}
	if link != "" {
		p.Token, p.CSRF = link, csrfToken(h.cookies.ensureBrowser(c), "console")
	}
	return h.page(c, fiber.StatusOK, frame{}, p)
}

// consoleLogin trades a link for a session, whose cookie is always a new one.
func (h *handler) consoleLogin(c *fiber.Ctx) error {
	f, err := posted(c)
	if err != nil {
		return err
	}
	in, err := f.all("csrf", "token")
	if err != nil {
		return err
	}
	if err := checkCSRF(in[0], h.cookies.browser(c), "console"); err != nil {
		return err
	}
	s, err := h.Identity.OpenConsole(c.UserContext(), in[1])
	if err != nil {
		if fault.KindOf(err) == fault.Gone {
			if limit := h.misses.note(c.IP()); limit != nil {
				return limit
			}
		}
		return err
	}
	if old := h.cookies.get(c, consoleCookie); old != "" {
		if err := h.Identity.CloseConsole(c.UserContext(), old); err != nil && fault.KindOf(err) != fault.NotFound {
			h.Logger.Warn("close the session before", "err", err)
		}
	}
	h.cookies.set(c, consoleCookie, s.Cookie, 0)
	return h.redirect(c, "/console")
}

// consoleLogout ends the session here and in the store.
func (h *handler) consoleLogout(c *fiber.Ctx) error {
	if err := h.Identity.CloseConsole(c.UserContext(), h.cookies.get(c, consoleCookie)); err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	h.cookies.clear(c, consoleCookie)
	return h.afterwards(c, "/console/open", signedOut)
}
