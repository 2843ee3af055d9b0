package browser

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// look is one way pages are looked at.
type look struct {
	name          string
	width, height int64
	dark          bool
}

var looks = []look{ //nolint:gochecknoglobals // a table
	{"wide-light", 1280, 800, false},
	{"wide-dark", 1280, 800, true},
	{"narrow-light", 360, 740, false},
	{"narrow-dark", 360, 740, true},
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
		g.write(name+"."+l.name+".png", w, chromedp.FullScreenshot(100))
	}
	w.wide(1280, 800)
	w.dark(false)
}

// newGallery is a gallery in the directory that DOWEL_SCREENSHOTS names.
func newGallery(t *testing.T) *gallery {
	t.Helper()
	dir := os.Getenv("DOWEL_SCREENSHOTS")
	if dir == "" {
		t.Skip("DOWEL_SCREENSHOTS names no directory to write pictures to")
	}
	return &gallery{t: t, dir: dir}
}

// TestScreenshots writes a picture of every page, for people to look at.
func TestScreenshots(t *testing.T) {
	g := newGallery(t)
	h := newHouse(t)
	g.connect(h)
	g.console(h)
	g.device(newDeviceHouse(t, "5s"))
	g.callbacks(newHouse(t, "--post-delay", "10m"))
}

// TestReadmeScreenshot writes the picture of the README, ui/screenshot.png: the Connect page before the
// timeline of a connection.
func TestReadmeScreenshot(t *testing.T) {
	g := newGallery(t)
	h := newHouse(t)
	id := h.Connect(t, "google", "", "ana", nil)
	w := h.operatorWithConnections()
	w.dark(false)
	w.wide(1280, 960)
	w.open(h.URL + "/console/connections/" + id)
	w.press("Refresh now")
	w.see("The token has been refreshed")
	w.press("Test now")
	w.see("The test passed: ")
	w.open(h.URL + "/console/connections/" + id)
	// The next refresh comes by itself, while one looks on.
	const renewed = `document.querySelectorAll("#timeline-box .event").length >= 4`
	if !w.until(renewed) && !w.until(renewed) {
		w.fail("no refresh comes")
	}
	w.do("wait for the light on the new event to go out", chromedp.Sleep(3*time.Second))
	timeline := g.picture(w, chromedp.CaptureScreenshot())
	w.open(h.session(map[string]any{"end_user": "ana", "connectors": []string{"google"}}))
	w.see("wants to connect to Google")
	card := g.picture(w, chromedp.Screenshot(chromedp.CSS(".card")))

	w.wide(1578, 1016)
	w.open("about:blank")
	w.do("put them together", script(`document.write(`+quote(`<style>
body { margin: 0; background: #dfe4ee; }
img { position: absolute; border-radius: 14px; box-shadow: 0 2px 6px #1b254033, 0 12px 40px #1b254033; }
</style><img style="right: 28px; top: 28px" src="`+timeline+`"><img style="left: 28px; bottom: 28px; border-radius: 16px" src="`+card+`">`)+`); document.close()`))
	if !w.until(`[...document.images].every((i) => i.complete)`) {
		w.fail("the pictures are not shown")
	}
	g.write("readme.png", w, chromedp.CaptureScreenshot())
}

// picture takes a picture as an address of itself.
func (g *gallery) picture(w *window, take chromedp.Action[[]byte]) string {
	g.t.Helper()
	b, err := chromedp.Run(w.ctx, take)
	if err != nil {
		g.t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b)
}

func (g *gallery) write(name string, w *window, take chromedp.Action[[]byte]) {
	g.t.Helper()
	b, err := chromedp.Run(w.ctx, take)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(g.dir, name), b, 0o600); err != nil {
		g.t.Fatal(err)
	}
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

// callbacks are the pages of the ways back that are not a plain query; the house's providers are slow to
// post.
func (g *gallery) callbacks(h *house) {
	w := h.visitor()
	w.open(h.simulator.URL + "/shopify/_launch")
	w.see("Connect Shopify?")
	g.take(w, "connect-launch")
	w.open(h.URL + "/connect/launch/default/shopify?hmac=00")
	g.take(w, "connect-launch-refused")
	w.inThisTab()
	w.open(h.link("woocommerce"))
	g.take(w, "connect-woocommerce")
	w.fill("Shop address", "https://shop.example.com")
	w.press("Connect")
	w.press("Use this tab")
	w.press("Allow")
	w.see("now hands us the key")
	g.take(w, "connect-wait-handing")
	plain := h.visitor()
	plain.withoutScript()
	plain.open(h.URL + "/callback")
	g.take(plain, "callback-fragment-without-script")
	o := h.operator()
	o.open(h.URL + "/console/connectors/shopify")
	g.take(o, "console-launch-url")
	o.open(h.URL + "/console/connectors/shopify/requests")
	g.take(o, "console-launch-requests")
}

func (g *gallery) device(h *house) {
	w := h.visitor()
	w.open(h.link("device"))
	g.take(w, "connect-device")
	w.press("Connect")
	w.see("Waiting for you to finish there")
	g.take(w, "connect-wait-code")
	page := w.opened(func() { w.press("Open http://localhost") })
	page.see("Go on only if your device shows this code")
	g.take(page, "simulator-device-consent")
	page.press("Deny")
	page.see("You have not allowed access")
	g.take(page, "simulator-device-denied")
	enter, _, _ := strings.Cut(page.address(), "?")
	page.open(enter)
	g.take(page, "simulator-device-enter")
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
		"console-requests": "/console/connectors/slack/requests", "console-definition": "/console/connectors/slack/definition",
		"console-connections": "/console/connections", "console-keys": "/console/keys", "console-events": "/console/events",
		"console-404": "/console/nothing", "console-connectors-none": "/console/connectors?q=fax",
		"console-connection": "/console/connections/" + h.connections()[0].ID,
		"console-disconnect": "/console/connections/" + h.connections()[0].ID + "/disconnect",
	} {
		w.open(h.URL + path)
		g.take(w, name)
	}
}
