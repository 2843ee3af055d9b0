package browser

import (
	"net/url"
	"strings"
	"testing"
)

// returnTo makes a session that ends at a page of a host application.
func returnTo(t *testing.T, h *house, connector string) (link, host string) {
	t.Helper()
	s := newHost(t)
	h.allow(s.URL)
	return h.session(map[string]any{
		"end_user": "user-1", "connectors": []string{connector}, "return_url": s.URL + "/settings?tab=accounts",
	}), s.URL
}

// wantReturned checks where the host application's page was called, and how.
func wantReturned(t *testing.T, address string, want map[string]string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Path != "/settings" || q.Get("tab") != "accounts" {
		t.Errorf("came back to %s, want the return URL with its own parameters", address)
	}
	for name, value := range want {
		if q.Get(name) != value {
			t.Errorf("came back with %s=%q, want %q in %s", name, q.Get(name), value, address)
		}
	}
	for _, name := range []string{"code", "state", "token", "access_token"} {
		if q.Has(name) {
			t.Errorf("the return URL holds %s", name)
		}
	}
}

func TestThisTabInsteadEndsAtTheReturnURL(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	link, host := returnTo(t, h, "google")
	w := h.visitor()
	w.person.tap.allow(host)
	w.open(link)
	popup := w.opened(func() { w.press("Connect") })
	popup.see("Simulated Google")
	w.press("Use this tab instead")
	w.see("Simulated Google")
	w.press("Allow")
	w.see("Connected as ana@example.com")
	if at := w.address(); strings.Contains(at, "code=") || strings.Contains(at, "state=") {
		t.Errorf("the provider's answer stays in the address: %s", at)
	}
	// The window that was left open at the provider comes too late, and says how it is.
	popup.press("Allow")
	popup.see("Connected as ana@example.com")
	w.at(host) // by itself
	wantReturned(t, w.address(), map[string]string{"dowel_status": "connected", "connection": h.wantConnections(1)[0].ID})
}

func TestWithoutScript(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	link, host := returnTo(t, h, "zendesk")
	w := h.visitor()
	w.person.tap.allow(host)
	w.withoutScript()
	w.open(link)
	w.press("Connect")
	w.see("Zendesk subdomain is required")
	w.fill("Zendesk subdomain", "acme")
	w.press("Connect")
	w.see("Simulated Zendesk")
	w.press("Allow")
	w.see("Connected as ana@example.com")
	w.press("Return to Development")
	w.at(host)
	wantReturned(t, w.address(), map[string]string{"dowel_status": "connected", "connection": h.wantConnections(1)[0].ID})
}

func TestADenialInThisTab(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	link, host := returnTo(t, h, "google")
	w := h.visitor()
	w.person.tap.allow(host)
	w.before(`window.open = () => null;`)
	w.open(link)
	for range 2 {
		w.press("Connect")
		w.press("Use this tab instead")
		w.press("Deny")
		w.see("You chose not to allow access", "Reference")
		w.press("Try again")
	}
	w.press("Connect")
	w.press("Use this tab instead")
	w.press("Deny")
	w.press("Return to Development")
	w.at(host)
	wantReturned(t, w.address(), map[string]string{"dowel_status": "failed", "dowel_code": "denied"})
	h.wantConnections(0)
}

func TestCancelGoesBackToTheHost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	link, host := returnTo(t, h, "google")
	w := h.visitor()
	w.person.tap.allow(host)
	w.open(link)
	popup := w.opened(func() { w.press("Connect") })
	popup.see("Simulated Google")
	w.press("Cancel")
	w.see("wants to connect to Google")
	// The provider's window has been cut off from ours, so that it has no hold on it; nor have we on it.
	popup.press("Allow")
	popup.see("Cancelled")
	w.press("Cancel")
	w.at(host)
	wantReturned(t, w.address(), map[string]string{"dowel_status": "cancelled"})
	h.wantConnections(0)
}
