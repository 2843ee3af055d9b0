package browser

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// history lists the addresses that the window's history holds.
func (w *window) history() []string {
	w.t.Helper()
	var out []string
	w.do("read the history", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		got, err := chromedp.Call(ctx, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, e := range got.Entries {
			out = append(out, e.URL)
		}
		return nil
	}))
	return out
}

// wantCleanHistory fails the test if an address in the history holds what only the provider and we may
// know.
func (w *window) wantCleanHistory() {
	w.t.Helper()
	for _, address := range w.history() {
		if _, own, ours := strings.Cut(address, "/callback"); ours && own != "" && own != "/fragment" || strings.Contains(address, "sim-at-") {
			w.t.Errorf("the history holds %s", address)
		}
	}
}

// inThisTab lets no window open, so that everything happens in one tab.
func (w *window) inThisTab() {
	w.t.Helper()
	w.before(`window.open = () => null`)
}

func TestATokenBehindAHashIsTakenOutOfTheAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.inThisTab()
	w.open(h.link("trello"))
	w.press("Connect")
	w.press("Use this tab")
	w.see("Simulated Trello")
	w.press("Allow")
	w.see("Connected as ana@example.com")
	if at := w.address(); strings.ContainsAny(at, "#") || strings.Contains(at, "token") {
		t.Errorf("the window is at %s", at)
	}
	w.wantCleanHistory()
	h.wantConnections(1)

	// Going back leads to nothing that could be read or done once more.
	w.back()
	if !w.until(`!location.href.includes("/result")`) {
		w.fail("there is no way back")
	}
	w.wantCleanHistory()
	h.wantConnections(1)
}

func TestATokenBehindAHashComesHomeInAWindow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("trello"))
	popup := w.opened(func() { w.press("Connect") })
	popup.see("Simulated Trello", "Ana")
	popup.press("Allow")
	w.see("Connected as ana@example.com")
	popup.closed()
	h.wantConnections(1)
}

func TestWithoutScriptTheFragmentPageSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.withoutScript()
	w.open(h.link("trello"))
	w.press("Connect")
	w.see("Simulated Trello")
	w.press("Allow")
	w.see("This step needs JavaScript")
	if w.shows("being handed over") {
		t.Error("the page promises what it cannot do")
	}
	h.wantConnections(0)
}

func TestAPageThatIsAProgramGetsItsParametersInTheFragment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.inThisTab()
	w.open(h.link("apollo"))
	w.press("Apollo.io account")
	w.press("Connect")
	w.press("Use this tab")
	w.see("Simulated Apollo.io", "Ana")
	w.press("Allow")
	w.see("Apollo.io is connected")
	h.wantConnections(1)
}

func TestKeysThatTheProvidersServerPosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("woocommerce"))
	w.fill("Shop address", "https://shop.example.com")
	popup := w.opened(func() { w.press("Connect") })
	popup.see("Simulated WooCommerce")
	popup.press("Allow")
	w.see("WooCommerce is connected")
	popup.closed()
	h.wantConnections(1)
}

func TestThePageWaitsForAServerThatIsSlow(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "--post-delay", "3s")
	w := h.visitor()
	w.inThisTab()
	w.open(h.link("woocommerce"))
	w.fill("Shop address", "https://shop.example.com")
	w.press("Connect")
	w.press("Use this tab")
	w.press("Allow")
	w.see("WooCommerce now hands us the key", "Waiting for WooCommerce")
	h.wantConnections(0)
	w.see("WooCommerce is connected")
	h.wantConnections(1)
}

func TestAPersonWhomTheProviderSendsIsAskedFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.simulator.URL + "/shopify/_launch")
	w.at("/connect/launch/default/shopify")
	w.see("Connect Shopify?", "What will be connected", "acme-store", "Did you just choose this at Shopify?")
	h.wantConnections(0)
	w.press("Continue to Shopify")
	w.see("Simulated Shopify", "Ana")
	w.press("Allow")
	w.see("Connected as ana@example.com")
	h.wantConnections(1)

	// A link that somebody has changed connects nothing, and says so.
	other := h.visitor()
	other.open(h.URL + "/connect/launch/default/shopify?shop=evil&timestamp=1&hmac=00")
	other.see("This link does not come from the provider")
	h.wantConnections(1)
}
