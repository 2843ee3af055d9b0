package web

import (
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// openerPolicy is the Cross-Origin-Opener-Policy of a page.
type openerPolicy string

const (
	// alone cuts every tie to other windows: the console.
	alone openerPolicy = "same-origin"
	// opens keeps the tie to the windows the page opens itself: the Connect page in a tab.
	opens openerPolicy = "same-origin-allow-popups"
	// opened keeps the tie to the window that opened it, which may be of another origin: pages that
	// tell their opener the result. Any other value would cut it.
	opened openerPolicy = "unsafe-none"
)

// frame is what may be around a page and beside it.
type frame struct {
	opener openerPolicy
	// ancestors are the origins that may frame the page; none: nobody.
	ancestors []string
}

var plainOrigin = regexp.MustCompile(`^https?://[A-Za-z0-9.\[\]:-]+$`)

// protect sets the headers of every page. The policy allows our own files and nothing else.
func (h *handler) protect(c *fiber.Ctx, f frame) {
	ancestors := make([]string, 0, len(f.ancestors))
	for _, o := range f.ancestors {
		if plainOrigin.MatchString(o) {
			ancestors = append(ancestors, o)
		}
	}
	list := strings.Join(ancestors, " ")
	if list == "" {
		list = "'none'"
		c.Set(fiber.HeaderXFrameOptions, "DENY")
	}
	if f.opener == "" {
		f.opener = alone
	}
	c.Set("Cross-Origin-Opener-Policy", string(f.opener))
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
		"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "+list)
	h.discreet(c)
}

// discreet sets the headers of every answer that is not a static file.
func (h *handler) discreet(c *fiber.Ctx) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderPermissionsPolicy, "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()")
	h.strict(c)
}

// strict sets the headers of every answer.
func (h *handler) strict(c *fiber.Ctx) {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	if h.cookies.secure {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}
