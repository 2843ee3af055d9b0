package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dowel/engine/fault"
)

// cookies are the ones we set: all HttpOnly and SameSite=Lax, with the __Host- prefix where there is
// https, so that no neighbour in the domain can set them. Lax and not Strict, because the provider
// sends the browser back from another site.
type cookies struct{ secure bool }

// The cookies by name. One ticket cookie per connect session: two may be under way in one browser.
const (
	browserCookie = "dowel"
	consoleCookie = "dowel_console"
	ticketCookie  = "dowel_ticket_"
	stateCookie   = "dowel_state_"
)

// ticketLife is how long the browser remembers which page a callback belongs to: longer than a
// ticket and a flow together.
const ticketLife = 30 * time.Minute

func (k cookies) name(plain string) string {
	if k.secure {
		return "__Host-" + plain
	}
	return plain
}

func (k cookies) set(c *fiber.Ctx, name, value string, life time.Duration) {
	c.Cookie(&fiber.Cookie{
		Name: k.name(name), Value: value, Path: "/", MaxAge: int(life.Seconds()), Secure: k.secure, HTTPOnly: true,
		SameSite: fiber.CookieSameSiteLaxMode, SessionOnly: life == 0,
	})
}

func (k cookies) clear(c *fiber.Ctx, name string) {
	c.Cookie(&fiber.Cookie{
		Name: k.name(name), Path: "/", Expires: time.Unix(1, 0), Secure: k.secure, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

func (k cookies) get(c *fiber.Ctx, name string) string { return c.Cookies(k.name(name)) }

var secretForm = regexp.MustCompile(`^[A-Z2-7]{52}$`)

// browser returns what flows and tickets are bound to, or nothing for a browser that has none.
func (k cookies) browser(c *fiber.Ctx) string {
	if v := k.get(c, browserCookie); secretForm.MatchString(v) {
		return v
	}
	return ""
}

// ensureBrowser is browser for a first visit: 256 random bits, for as long as the browser runs.
func (k cookies) ensureBrowser(c *fiber.Ctx) string {
	v := k.browser(c)
	if v == "" {
		v = rand.Text() + rand.Text()
		k.set(c, browserCookie, v, 0)
	}
	return v
}

// keepTicket lets a callback find back to the page it belongs to. The record holds only the ticket's
// hash, so the browser keeps the text.
func (k cookies) keepTicket(c *fiber.Ctx, session, ticket string) {
	k.set(c, ticketCookie+strings.TrimPrefix(session, "cs_"), ticket, ticketLife)
}

func (k cookies) ticket(c *fiber.Ctx, session string) string {
	if v := k.get(c, ticketCookie+strings.TrimPrefix(session, "cs_")); secretForm.MatchString(v) {
		return v
	}
	return ""
}

// keepState lets a callback that comes twice find back to the flow of the first: its state counts no
// more, and the record is found by it no more. The cookie's name holds a part of the state's hash.
func (k cookies) keepState(c *fiber.Ctx, state, session, flow string) {
	if state != "" {
		k.set(c, stateCookie+stateMark(state), session+"."+flow, ticketLife)
	}
}

// state returns the session and the flow that this browser left with a state, or nothing.
func (k cookies) state(c *fiber.Ctx, state string) (session, flow string) {
	session, flow, _ = strings.Cut(k.get(c, stateCookie+stateMark(state)), ".")
	return session, flow
}

func stateMark(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:8])
}

// csrfToken is for forms of a browser that has no session: only who can read its HttpOnly cookie can
// make it, and it tells nobody the cookie.
func csrfToken(browser, scope string) string {
	sum := sha256.Sum256([]byte("dowel csrf\x00" + browser + "\x00" + scope))
	return hex.EncodeToString(sum[:])
}

func checkCSRF(token, browser, scope string) error {
	if browser == "" || subtle.ConstantTimeCompare([]byte(token), []byte(csrfToken(browser, scope))) != 1 {
		return badCSRF()
	}
	return nil
}

func badCSRF() error {
	return fault.E(fault.Forbidden, "this form is not from this page, or the page was open for too long", nil).WithCode("csrf")
}
