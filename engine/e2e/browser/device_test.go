package browser

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"dowel/engine/e2e"
)

// newDeviceHouse is a house with a connector whose people enter a code on another device.
func newDeviceHouse(t *testing.T, interval string) *house {
	t.Helper()
	source, err := os.ReadFile("../../../schemas/testdata/device.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := e2e.Definitions(t, map[string]string{"device": string(source)})
	return newHouseWith(t, []string{"DOWEL_CONNECTORS_DIR=" + dir}, "--device-interval", interval)
}

func TestConnectByACodeOnTheSameDevice(t *testing.T) {
	t.Parallel()
	h := newDeviceHouse(t, "500ms")
	w := h.visitor()
	w.open(h.link("device"))
	w.press("Connect")
	w.see("check that it shows this code", "Waiting for you to finish there", "The code is good for")
	code := evaluate[string](w, `document.querySelector("#user-code").textContent`)
	page := w.opened(func() { w.press("Open http://localhost") })
	page.see("Simulated Example devices", "Go on only if your device shows this code: "+code)
	h.wantConnections(0)
	page.press("Allow")
	page.see("You have allowed access")
	w.see("Connected as ana@example.com")
	if f := w.focused(); f != "h2 Connected as ana@example.com" {
		t.Errorf("the focus is at %q, want it at the news", f)
	}
	if c := h.wantConnections(1)[0]; c.Status != "active" || c.Identity.Email != "ana@example.com" {
		t.Errorf("connection %+v", c)
	}
}

// TestConnectByACodeOnAnotherDevice types the code by hand, as on a telephone of somebody else's make.
func TestConnectByACodeOnAnotherDevice(t *testing.T) {
	t.Parallel()
	h := newDeviceHouse(t, "500ms")
	w, telephone := h.visitor(), h.visitor()
	w.open(h.link("device"))
	w.press("On another device")
	w.press("Connect")
	w.see("Waiting for you to finish there")
	code := evaluate[string](w, `document.querySelector("#user-code").textContent`)
	address, err := url.Parse(evaluate[string](w, `document.querySelector("a.primary").href`))
	if err != nil {
		t.Fatal(err)
	}
	address.RawQuery = ""
	telephone.open(address.String())
	telephone.fill("The code that your device shows", "nothing like it")
	telephone.press("Continue")
	telephone.see("This code is not known here")
	telephone.fill("The code that your device shows", strings.ToLower(code))
	telephone.press("Continue")
	telephone.press("Deny")
	telephone.see("You have not allowed access")
	w.see("You chose not to allow access")
	h.wantConnections(0)

	w.press("Try again")
	w.see("wants to connect to Example devices")
	w.press("Connect")
	w.see("Waiting for you to finish there")
	if again := evaluate[string](w, `document.querySelector("#user-code").textContent`); again == code {
		t.Error("the code is the one that was denied")
	}
	telephone.open(evaluate[string](w, `document.querySelector("a.primary").href`))
	telephone.press("Ben")
	telephone.press("Allow")
	w.see("Connected as ben@example.com")
}

func TestACodeIsCopiedAndTheWaitingCancelled(t *testing.T) {
	t.Parallel()
	h := newDeviceHouse(t, "5s")
	w := h.visitor()
	w.before(`navigator.clipboard.writeText = async (text) => { window.copied = text; };`)
	w.open(h.link("device"))
	w.press("Connect")
	w.see("Waiting for you to finish there")
	w.press("Copy")
	w.see("Copied")
	if !evaluate[bool](w, `window.copied === document.querySelector("#user-code").textContent`) {
		t.Errorf("copied is %q", evaluate[string](w, `window.copied`))
	}
	if !w.until(`document.querySelector("[data-countdown]").textContent.startsWith("9:")`) {
		w.fail("the countdown does not run")
	}
	// A camera finds light around the code, and its own address in it and nothing else on the page.
	if n := evaluate[int](w, `document.querySelectorAll(".qr svg path").length`); n != 1 {
		t.Errorf("there are %d pictures of the address", n)
	}
	w.wide(320, 640)
	w.wantFits("wait")
	w.press("Cancel")
	w.see("Nothing was stored")
	h.wantConnections(0)
}

func TestConnectByACodeWithoutScript(t *testing.T) {
	t.Parallel()
	h := newDeviceHouse(t, "500ms")
	w, telephone := h.visitor(), h.visitor()
	w.withoutScript()
	w.do("open", chromedp.Navigate(h.link("device")))
	w.press("Connect")
	w.see("Waiting for you to finish there")
	telephone.open(evaluate[string](w, `document.querySelector("a.primary").href`))
	telephone.press("Allow")
	w.see("Connected as ana@example.com") // the page asks again by itself
}
