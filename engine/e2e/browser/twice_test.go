package browser

import (
	"testing"

	"dowel/engine/e2e"

	"github.com/chromedp/chromedp"
)

func TestDoubleClick(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.before(noteOpens)
	w.open(h.link("google"))
	popup := w.opened(func() { w.pressTwice("Connect") })
	popup.see("Simulated Google")
	if opens := evaluate[[]string](w, "window.opens"); len(opens) != 1 {
		t.Errorf("a double click opened %d windows", len(opens))
	}
	popup.pressTwice("Allow")
	w.see("Connected as ana@example.com")
	h.wantConnections(1)

	typed := h.visitor()
	typed.open(h.link("stripe"))
	typed.fill("Secret or restricted key", "sk_test_1")
	typed.pressTwice("Connect")
	typed.see("Connected as")
	h.wantConnections(2)
}

func TestDoubleClickWithoutScript(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.withoutScript()
	w.open(h.link("stripe"))
	w.fill("Secret or restricted key", "sk_test_1")
	w.pressTwice("Connect")
	w.see("Connected as")
	h.wantConnections(1)
}

func TestReloadAndTheWayBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.before(`window.open = () => null;`)
	link := h.link("google")
	w.open(link)
	w.press("Connect")
	w.press("Use this tab instead")
	w.see("Simulated Google")
	w.press("Allow")
	w.see("Connected as ana@example.com")
	w.do("reload", chromedp.Reload())
	w.see("Connected as ana@example.com")
	w.back()
	w.see("Simulated Google")
	w.back()
	w.see("Connected as ana@example.com")
	w.open(link)
	w.see("Connected as ana@example.com")
	h.wantConnections(1)
}

func TestBackToTheFormAndConnectAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.before(`window.open = () => null;`)
	w.open(h.link("google"))
	w.press("Connect")
	w.press("Use this tab instead")
	w.see("Simulated Google")
	w.back()
	w.see("wants to connect to Google")
	w.press("Connect")
	w.press("Use this tab instead")
	w.see("Simulated Google")
	w.press("Allow")
	w.see("Connected as ana@example.com")
	h.wantConnections(1)
}

func TestCallbackTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("google"))
	popup := w.opened(func() { w.press("Connect") })
	popup.see("Simulated Google")
	callback := e2e.NewBrowser(t).Consent(popup.address(), e2e.Ana, "allow")
	popup.open(callback)
	w.see("Connected as ana@example.com")
	again := h.tab(w)
	again.open(callback)
	again.see("Connected as ana@example.com")
	h.wantConnections(1)
	if tokens := h.exchanges("google"); tokens != 1 {
		t.Errorf("the code was traded %d times", tokens)
	}
}

func TestACallbackInAnotherBrowserIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("google"))
	popup := w.opened(func() { w.press("Connect") })
	popup.see("Simulated Google")
	callback := e2e.NewBrowser(t).Consent(popup.address(), e2e.Ben, "allow")

	other := h.visitor()
	other.open(callback)
	other.see("another browser")
	h.wantConnections(0)
	if tokens := h.exchanges("google"); tokens != 0 {
		t.Errorf("the code was traded %d times for a browser that did not begin", tokens)
	}
	// Whoever began has lost nothing by it.
	popup.press("Allow")
	w.see("Connected as ana@example.com")
	h.wantConnections(1)
}

func TestALinkBelongsToTheFirstBrowserThatOpensIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w, other := h.visitor(), h.visitor()
	link := h.link("google")
	w.open(link)
	w.see("wants to connect")
	other.open(link)
	other.see("began in another browser")
	h.wantConnections(0)
}
