package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// noteOpens keeps in which event each window was opened: only within a person's own event no browser
// blocks it.
const noteOpens = `window.opens = [];
const open = window.open;
window.open = (...a) => { window.opens.push(window.event?.type ?? "later"); return open.apply(window, a); };`

func TestConnectInAWindow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.before(noteOpens)
	w.open(h.link("google"))
	w.see("wants to connect to Google", "user-1")
	popup := w.opened(func() { w.press("Connect") })
	if opens := evaluate[[]string](w, "window.opens"); !slices.Equal(opens, []string{"submit"}) {
		t.Errorf("windows were opened during %v, want one during submit", opens)
	}
	w.see("Finish in the window we opened")
	popup.see("Simulated Google", "Ana")
	h.wantConnections(0)
	popup.press("Allow")
	w.see("Connected as ana@example.com")
	if f := w.focused(); f != "h2 Connected as ana@example.com" {
		t.Errorf("the focus is at %q, want it at the news", f)
	}
	popup.closed()
	if c := h.wantConnections(1)[0]; c.Status != "active" || c.Identity.Email != "ana@example.com" {
		t.Errorf("connection %+v", c)
	}
}

// hostPage is a page of an application that opens the Connect page and keeps what it is told.
const hostPage = `<!doctype html><meta charset="utf-8"><title>Host</title><button>Connect an account</button><script>
window.told = [];
addEventListener("message", (e) => told.push({ origin: e.origin, data: e.data }));
document.querySelector("button").onclick = () => window.open(location.hash.slice(1), "_blank", "popup,width=480,height=720");
</script>`

// newHost serves an application's page on an origin of its own.
func newHost(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, hostPage)
	}))
	t.Cleanup(s.Close)
	return s
}

// told is a message a host page got.
type told struct {
	Origin string         `json:"origin"`
	Data   map[string]any `json:"data"`
}

// connectFrom opens the Connect page from a host page and goes through consent.
func connectFrom(h *house, host *httptest.Server, link string) (opener, dialog *window) {
	w := h.visitor()
	w.person.tap.allow(host.URL)
	w.open(host.URL + "/#" + link)
	dialog = w.opened(func() { w.press("Connect an account") })
	popup := dialog.opened(func() { dialog.press("Connect") })
	popup.press("Allow")
	return w, dialog
}

func TestTheOpenerIsToldAndNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	host, stranger := newHost(t), newHost(t)
	h.allow(host.URL)
	in := map[string]any{"end_user": "user-1", "connectors": []string{"google"}, "opener_origin": host.URL}

	w, dialog := connectFrom(h, host, h.session(in))
	dialog.closed()
	got := evaluate[[]told](w, "told")
	id := h.wantConnections(1)[0].ID
	want := map[string]any{"type": "dowel:connected", "connection": id, "status": "active"}
	if len(got) != 1 || got[0].Origin != h.URL || fmt.Sprint(got[0].Data) != fmt.Sprint(want) {
		t.Errorf("the host was told %+v, want %v from %s", got, want, h.URL)
	}

	w, dialog = connectFrom(h, stranger, h.session(in))
	dialog.see("Connected as ana@example.com")
	time.Sleep(time.Second) // for what must not come
	if got := evaluate[[]told](w, "told"); len(got) != 0 {
		t.Errorf("a stranger was told %+v", got)
	}
	in["opener_origin"] = stranger.URL
	if status, b := h.Do(http.MethodPost, "/api/v1/connect-sessions", in); status != http.StatusBadRequest {
		t.Errorf("a session for an opener that is not on the list: %d %s", status, b)
	}
}

func TestTheOpenerIsToldOfADenial(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	host := newHost(t)
	h.allow(host.URL)
	w := h.visitor()
	w.person.tap.allow(host.URL)
	w.open(host.URL + "/#" + h.session(map[string]any{"end_user": "user-1", "connectors": []string{"google"}, "opener_origin": host.URL}))
	dialog := w.opened(func() { w.press("Connect an account") })
	popup := dialog.opened(func() { dialog.press("Connect") })
	popup.press("Deny")
	dialog.see("You chose not to allow access", "Reference")
	popup.closed()
	if !w.until("told.length === 1") {
		w.fail("the host is told nothing")
	}
	if got := evaluate[[]told](w, "told"); got[0].Data["type"] != "dowel:failed" || got[0].Data["code"] != "denied" {
		t.Errorf("the host was told %+v", got)
	}
	popup = dialog.opened(func() { dialog.press("Try again"); dialog.press("Connect") })
	popup.press("Allow")
	dialog.closed()
	h.wantConnections(1)
}

func TestAWindowThatTheBrowserBlocks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("google"))
	// Without a press there is no leave to open a window: this is the browser's own blocker.
	w.do("submit without a press", script(`document.getElementById("connect").requestSubmit()`))
	w.see("Your browser blocked the window", "Use this tab instead")
	if f := w.focused(); f != "h2 Your browser blocked the window" {
		t.Errorf("the focus is at %q", f)
	}
	popup := w.opened(func() { w.press("Open the window now") })
	popup.see("Simulated Google")
	popup.press("Allow")
	w.see("Connected as ana@example.com")
	h.wantConnections(1)
}

func TestAWindowThatNeverOpens(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.before(`window.open = () => null;`)
	w.open(h.link("google"))
	w.press("Connect")
	w.see("Your browser blocked the window")
	w.press("Use this tab instead")
	w.see("Simulated Google")
	w.press("Allow")
	w.see("Connected as ana@example.com", "You can close this window")
	h.wantConnections(1)
}

func TestTheWindowMayBeClosedAndOpenedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("google"))
	popup := w.opened(func() { w.press("Connect") })
	popup.see("Simulated Google")
	popup.do("close", script("window.close()"))
	popup.closed()
	w.see("Finish in the window we opened")
	again := w.opened(func() { w.press("Reopen window") })
	again.press("Allow")
	w.see("Connected as ana@example.com")
	h.wantConnections(1)
}
