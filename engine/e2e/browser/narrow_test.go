package browser

import (
	"testing"
)

// wantFits fails the test when a page is wider than the window, or when something to press is too
// small for a finger: 24 by 24 at least (WCAG 2.2, 2.5.8); links within a text may be as high as it.
func (w *window) wantFits(name string) {
	w.t.Helper()
	if !w.until("document.readyState === 'complete'") {
		w.fail("%s does not load", name)
	}
	if wide := evaluate[int](w, "document.documentElement.scrollWidth"); wide > 320 {
		culprits := evaluate[[]string](w, `[...document.body.querySelectorAll("*")]
  .filter((e) => e.getBoundingClientRect().right > 320.5).slice(0, 5)
  .map((e) => e.tagName.toLowerCase() + "." + e.className + " " + (e.innerText ?? "").slice(0, 40))`)
		w.t.Errorf("%s is %d wide at 320: %q", name, wide, culprits)
	}
	if small := evaluate[[]string](w, `[...document.querySelectorAll("button, a.button, summary, input:not([type=hidden]), select, .nav a")]
  .filter((e) => e.checkVisibility() && !["radio", "checkbox"].includes(e.type))
  .filter((e) => { const b = e.getBoundingClientRect(); return b.width < 24 || b.height < 24; })
  .map((e) => e.outerHTML.slice(0, 80))`); len(small) > 0 {
		w.t.Errorf("%s has something too small to press: %q", name, small)
	}
}

func TestConnectPagesFit320Pixels(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.wide(320, 640)
	w.before(`window.open = () => null;`)
	w.open(h.session(map[string]any{"end_user": "a-long-name-without-a-place-to-break@department.example.com"}))
	w.wantFits("picker")
	for _, k := range []string{"zendesk", "google", "stripe", "datadog", "acme-login", "microsoft", "shopify", "twilio"} {
		w.open(h.session(map[string]any{"end_user": "a-long-name-without-a-place-to-break@department.example.com", "connectors": []string{k}}))
		w.wantFits(k)
	}
	w.press("Connect") // twilio, with nothing answered
	w.see("Please look at these answers")
	w.wantFits("complaints")

	w.open(h.link("xero"))
	w.press("Connect")
	w.see("blocked")
	w.wantFits("blocked")
	w.press("Use this tab instead")
	w.see("Simulated Xero")
	w.wantFits("consent")
	w.press("Allow")
	w.see("Which of your")
	w.wantFits("choice")
	w.press("Ana's organisation 1")
	w.press("Continue")
	w.see("Connected as")
	w.wantFits("success")

	connectAs(w, h.session(map[string]any{"end_user": "user-1", "connection": h.wantConnections(1)[0].ID}), "Ben Example")
	w.press("Ben's organisation 1")
	w.press("Continue")
	w.see("That is a different account")
	w.wantFits("wrong account")

	w.open(h.link("google"))
	w.press("Connect")
	w.press("Use this tab instead")
	w.press("Deny")
	w.see("You chose not")
	w.wantFits("denial")
	w.open(h.URL + "/callback?state=unknown&code=x")
	w.see("no longer open")
	w.wantFits("callback")
}

func TestTheWaitingPanelsFit320Pixels(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.wide(320, 640)
	w.open(h.link("google"))
	popup := w.opened(func() { w.press("Connect") })
	w.see("Finish in the window we opened")
	w.wantFits("waiting")
	popup.press("Deny")
	w.see("You chose not")
	w.wantFits("failed panel")
	popup = w.opened(func() { w.press("Try again"); w.press("Connect") })
	popup.press("Allow")
	w.see("Connected as")
	w.wantFits("done panel")
}

func TestConsolePagesFit320Pixels(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.wide(320, 640)
	w.open(h.URL + "/console")
	w.wantFits("login")
	w.open(h.ConsoleURL)
	w.wantFits("login link")
	w.press("Open the console")
	w.see("Make your first connection")
	w.wantFits("first home")
	id := h.Connect(t, "google", "", "a-long-name-without-a-place-to-break@department.example.com", nil)
	h.Connect(t, "stripe", "", "user-1", map[string]string{"secret_key": "sk_test_1"})
	for _, page := range []string{
		"/console", "/console/connectors", "/console/connectors?q=nothing-like-it", "/console/connectors/zendesk", "/console/connectors/acme-login",
		"/console/connectors?category=crm&kind=oauth&signin=yes&sort=used", "/console/connectors/google/requests", "/console/connectors/microsoft/requests",
		"/console/connectors/slack/definition", "/console/connectors/slack/definition#L26",
		"/console/connections", "/console/connections?status=revoked", "/console/connections/" + id, "/console/connections/" + id + "/disconnect",
		"/console/keys", "/console/events", "/console/events?kind=token.read", "/console/nowhere",
	} {
		w.open(h.URL + page)
		w.wantFits(page)
	}
	w.open(h.URL + "/console/keys")
	w.fill("Name", "worker")
	w.press("Create key")
	w.see("Your new key")
	w.wantFits("new key")
}
