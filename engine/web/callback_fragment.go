package web

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
	"dowel/engine/flow"
	"dowel/ui"
)

// fragmentScope is what the token of the page that reads a fragment is for.
const fragmentScope = "callback"

// fragmentPage shows the page that posts to us what only it can read: the fragment of its address.
func (h *handler) fragmentPage(c *fiber.Ctx) error {
	browser := h.cookies.ensureBrowser(c)
	return h.page(c, fiber.StatusOK, frame{opener: opened}, ui.FragmentPage{
		Dialog: ui.Dialog{CSRF: csrfToken(browser, fragmentScope)},
	})
}

// callbackFragment takes the answer that our page has read out of its address. It counts like one that
// the browser brings in the query, with the same state and the same cookie.
func (h *handler) callbackFragment(c *fiber.Ctx) error {
	if len(c.Body()) > maxPosted {
		return fiber.ErrRequestEntityTooLarge
	}
	f, err := posted(c)
	if err != nil {
		return err
	}
	in, err := f.all("csrf", "query", "fragment")
	if err != nil {
		return err
	}
	if err := checkCSRF(in[0], h.cookies.browser(c), fragmentScope); err != nil {
		return err
	}
	query, err := url.ParseQuery(in[1])
	if err != nil {
		return fault.E(fault.Invalid, "the answer cannot be read", err)
	}
	told, err := url.ParseQuery(parametersOf(in[2]))
	if err != nil {
		return fault.E(fault.Invalid, "the answer cannot be read", err)
	}
	for name, values := range told {
		// What stands in both is there twice, and refused like everything that is.
		query[name] = append(query[name], values...)
	}
	return h.arrived(c, query, flow.ByFragment)
}

// parametersOf cuts off what some providers put before the parameters in a fragment: a path of their own.
func parametersOf(fragment string) string {
	before, after, found := strings.Cut(fragment, "?")
	if found && !strings.Contains(before, "=") {
		return after
	}
	return strings.TrimLeft(fragment, "/")
}
