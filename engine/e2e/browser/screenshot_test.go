package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// look is one way pages are looked at.
type look struct {
	name          string
	width, height int64
	dark          bool
}

var looks = []look{ //nolint:gochecknoglobals // a table
	{"wide-light", 1280, 800, false}, {"wide-dark", 1280, 800, true},
	{"narrow-light", 360, 740, false}, {"narrow-dark", 360, 740, true},
}

// gallery writes every page it is shown, in every look, into a directory.
type gallery struct {
	t   *testing.T
	dir string
}

func (g *gallery) take(w *window, name string) {
	g.t.Helper()
	for _, l := range looks {
		w.wide(l.width, l.height)
		w.dark(l.dark)
		w.do("let it settle", chromedp.Evaluate[chromedp.Void]("scrollTo(0, 0)"))
		b, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			g.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(g.dir, name+"."+l.name+".png"), b, 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
	w.wide(1280, 800)
	w.dark(false)
}

// TestScreenshots writes a picture of every page to the directory that DOWEL_SCREENSHOTS names, for
// people to look at.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("DOWEL_SCREENSHOTS")
	if dir == "" {
		t.Skip("DOWEL_SCREENSHOTS names no directory to write pictures to")
	}
	g := &gallery{t: t, dir: dir}
	h := newHouse(t)
	g.connect(h)
	g.console(h)
}

func (g *gallery) connect(h *house) {
	w := h.visitor()
	w.open(h.session(map[string]any{"end_user": "Ana Ruiz"}))
	g.take(w, "connect-picker")
	w.typeText("")
	w.press("Zendesk")
	w.see("Zendesk subdomain")
	g.take(w, "connect-zendesk")
	w.press("API token")
	w.press("Connect")
	w.see("Please look at")
	g.take(w, "connect-zendesk-errors")
	for _, id := range []string{"google", "shopify", "stripe", "datadog", "acme-login"} {
		w.open(h.link(id))
		g.take(w, "connect-"+id)
	}
	w.open(h.link("google"))
	popup := w.opened(func() { w.press("Connect") })
	popup.see("Simulated Google")
	g.take(w, "connect-waiting")
	g.take(popup, "simulator-consent")
	popup.press("Deny")
	w.see("You chose not")
	g.take(w, "connect-denied-panel")
	w.press("Try again")
	popup = w.opened(func() { w.press("Connect") })
	popup.press("Allow")
	w.see("Connected as")
	g.take(w, "connect-done-panel")

	w.before(`window.open = () => null`)
	w.open(h.link("google"))
	w.press("Connect")
	w.see("blocked")
	g.take(w, "connect-blocked")
	w.press("Use this tab")
	w.press("Deny")
	w.see("You chose not")
	g.take(w, "connect-denied-page")

	link := h.link("xero")
	w.open(link)
	w.press("Connect")
	w.press("Use this tab")
	w.press("Allow")
	w.see("Which of your")
	g.take(w, "connect-choice")
	w.do("choose", chromedp.Click(chromedp.CSS("label.option")))
	w.press("Continue")
	w.see("Connected as")
	g.take(w, "connect-success-page")
	w.open(h.session(map[string]any{"end_user": "user-1", "connection": h.connections()[0].ID}))
	g.take(w, "connect-reconnect")
	w.open(strings.Replace(link, "/connect/", "/connect/X", 1))
	g.take(w, "connect-unknown")
	w.open(h.URL + "/callback?state=nope&code=x")
	g.take(w, "callback-unknown")
}

func (g *gallery) console(h *house) {
	w := h.visitor()
	w.open(h.URL + "/console")
	g.take(w, "console-login")
	w.open(h.ConsoleURL)
	g.take(w, "console-login-link")
	w.press("Open the console")
	w.see("What happened")
	g.take(w, "console-home")
	for name, path := range map[string]string{
		"console-connectors": "/console/connectors", "console-connector": "/console/connectors/zendesk",
		"console-connections": "/console/connections", "console-keys": "/console/keys", "console-events": "/console/events",
		"console-404": "/console/nothing", "console-connectors-none": "/console/connectors?q=fax",
		"console-connection": "/console/connections/" + h.connections()[0].ID,
		"console-disconnect": "/console/connections/" + h.connections()[0].ID + "/disconnect",
	} {
		w.open(h.URL + path)
		g.take(w, name)
	}
}
