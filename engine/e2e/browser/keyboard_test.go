package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// focusRing reports whether one sees where the focus is: something is drawn around the element, or
// around the box it is in.
const focusRing = `(() => {
  for (let e = document.activeElement, n = 0; e && e !== document.body && n < 3; e = e.parentElement, n++) {
    const s = getComputedStyle(e);
    if (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none") return true;
  }
  return false;
})()`

// showsFocus waits a moment for the ring: it may be drawn a frame later, or the page be drawing itself
// anew.
func (w *window) showsFocus() bool {
	w.t.Helper()
	for range 20 {
		if evaluate[bool](w, focusRing) {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// tabTo presses Tab until what has the focus is called so.
func (w *window) tabTo(what string) {
	w.t.Helper()
	var passed []string
	for range 40 {
		w.keys(kb.Tab)
		f := w.focused()
		if !strings.HasPrefix(f, "body") && !w.showsFocus() {
			w.fail("nobody sees that %q has the focus", f)
		}
		if strings.Contains(f, what) {
			return
		}
		if slices.Contains(passed, f) && strings.HasPrefix(f, "body") {
			break
		}
		passed = append(passed, f)
	}
	w.fail("Tab does not lead to %q, but past %q", what, passed)
}

func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.session(map[string]any{"end_user": "user-1"}))
	w.see("What do you want to connect?")
	w.tabTo("Search")
	w.typeText("zendesk")
	w.see(fmt.Sprintf("of %d", h.offered()))
	w.keys(kb.ArrowDown)
	if f := w.focused(); !strings.HasPrefix(f, "a ") || !strings.Contains(f, "Zendesk") {
		t.Fatalf("the arrow leads to %q", f)
	}
	w.keys(kb.Enter)
	w.see("Zendesk subdomain")
	w.tabTo("Zendesk sign-in")
	w.keys(kb.ArrowDown)
	w.tabTo("Zendesk subdomain")
	w.typeText("acme")
	w.tabTo("Your e-mail")
	w.typeText("ana@example.com")
	w.tabTo("API token")
	w.typeText("tok-1")
	w.tabTo("Connect")
	w.keys(" ")
	w.see("Connected as")
	if f := w.focused(); !strings.HasPrefix(f, "h2 Connected as") {
		t.Errorf("the focus is at %q, want it at the news", f)
	}
	h.wantConnections(1)
}

func TestKeyboardOnlyThroughAWindow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("google"))
	w.see("wants to connect")
	w.tabTo("Connect")
	popup := w.opened(func() { w.keys(kb.Enter) })
	popup.see("Simulated Google")
	if f := w.focused(); f != "h2 Finish in the window we opened" {
		t.Errorf("while waiting the focus is at %q", f)
	}
	w.keys(kb.Escape)
	w.see("wants to connect")
	if f := w.focused(); !strings.HasPrefix(f, "h1 Development wants") {
		t.Errorf("after Escape the focus is at %q", f)
	}
	w.tabTo("Connect")
	popup = w.opened(func() { w.keys(kb.Enter) })
	popup.see("Simulated Google")
	popup.tabTo("Ana Example")
	popup.tabTo("Allow")
	popup.keys(kb.Enter)
	w.see("Connected as ana@example.com")
	h.wantConnections(1)
}

func TestKeyboardOnlyInTheConsole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Connect(t, "google", "", "user-1", nil)
	w := h.visitor()
	w.open(h.ConsoleURL)
	w.tabTo("Open the console")
	w.keys(kb.Enter)
	w.see("What happened")
	w.tabTo("Skip to the content")
	w.keys(kb.Enter)
	w.tabTo("New connection")
	w.open(h.URL + "/console/connections")
	w.tabTo("ana@example.com")
	w.keys(kb.Enter)
	w.see("Timeline")
	w.tabTo("Refresh now")
	w.keys(kb.Enter)
	w.see("The token has been refreshed")
}
