package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// errorAt is the text below a field.
func (w *window) errorAt(label string) string {
	w.t.Helper()
	return evaluate[string](w, field+"("+quote(label)+").closest('[data-field]').querySelector('.error').innerText")
}

// seeErrorAt waits for a text below a field.
func (w *window) seeErrorAt(label, text string) {
	w.t.Helper()
	if !w.until(field + "(" + quote(label) + ").closest('[data-field]').querySelector('.error').innerText.includes(" + quote(text) + ")") {
		w.fail("%s says %q, want %q", label, w.errorAt(label), text)
	}
}

func TestTheFormHelpsAsOneGoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("zendesk"))

	w.fill("Zendesk subdomain", "acme corp")
	w.keys(kb.Tab)
	w.seeErrorAt("Zendesk subdomain", "Zendesk subdomain")
	w.fill("Zendesk subdomain", "https://acme.zendesk.com/agent/dashboard?x=1")
	w.keys(kb.Tab)
	if !w.until(field + `("Zendesk subdomain").value === "acme"`) {
		w.fail("a pasted address is not trimmed to the part that is asked for")
	}
	w.seeErrorAt("Zendesk subdomain", "")
	if !w.until(field + `("Zendesk subdomain").getAttribute("aria-invalid") === null`) {
		w.fail("the complaint stays although the answer is good now")
	}

	w.press("API token")
	w.press("Connect")
	w.see("Please look at these answers")
	if f := w.focused(); !strings.Contains(f, "Please look at these answers") {
		t.Errorf("the focus is at %q, want it at the summary", f)
	}
	if got := evaluate[[]string](w, `[...document.querySelectorAll("#summary li")].map((e) => e.innerText)`); len(got) != 2 || !strings.Contains(got[0], "e-mail") {
		t.Errorf("the summary lists %q, want what is wrong in the order of the form", got)
	}
	w.press("API token is required")
	if f := w.focused(); f != "input API token" {
		t.Errorf("the summary leads to %q, want the field", f)
	}
	w.typeText("tok-1")
	w.press("Show API token")
	if kind := evaluate[string](w, field+`("API token").type`); kind != "text" {
		t.Errorf("the token is shown as %s", kind)
	}
	w.press("Zendesk sign-in")
	w.press("API token")
	if v := evaluate[string](w, field+`("API token").value`); v != "tok-1" {
		t.Errorf("going to the other way to connect and back loses what was typed: %q", v)
	}
}

// A press takes a person a tenth of a second, time enough for the complaint about the field that it
// leaves to arrive and to move the button away.
func TestALatePointerStillPresses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("zendesk"))
	w.fill("Zendesk subdomain", "acme corp")
	x, y := w.point(find+`("Connect")`, "Connect")
	w.do("press slowly", chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.Sleep(400*time.Millisecond),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	w.see("Please look at these answers")
}

func TestARejectedKeyIsShownAtItsField(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("stripe"))
	w.fill("Secret or restricted key", "pk_live_1")
	w.press("Connect")
	w.see("Please look at these answers")
	w.seeErrorAt("Secret or restricted key", "Secret or restricted key")
	h.simulator.Fault(t, "stripe", []map[string]any{{"on": "api", "kind": "status", "status": 401}})
	w.fill("Secret or restricted key", "sk_test_wrong")
	w.press("Connect")
	w.seeErrorAt("Secret or restricted key", "Stripe rejected this key")
	h.wantConnections(0)
	h.simulator.Heal(t, "stripe")
	w.fill("Secret or restricted key", "sk_test_right")
	w.press("Connect")
	w.see("Connected as")
	h.wantConnections(1)
}

func TestAProviderThatIsDownLetsOneSaveUnchecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.simulator.Fault(t, "stripe", []map[string]any{{"on": "api", "kind": "status", "status": 503}})
	w := h.visitor()
	w.open(h.link("stripe"))
	w.fill("Secret or restricted key", "sk_test_1")
	w.press("Connect")
	w.press("See what you can do")
	w.press("Save without checking")
	w.see("Stripe is connected", "saved as unverified")
	h.wantConnections(1)
}

func TestTheServerCannotBeReached(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("google"))
	w.do("cut the line", script(`window.fetch = () => Promise.reject(new TypeError("offline"))`))
	w.press("Connect")
	w.see("We cannot be reached", "What you typed is still there")
	w.press("Try again")
	w.see("wants to connect to Google")
}
