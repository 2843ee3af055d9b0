package browser

import (
	"testing"
)

func TestTheOrganisationIsChosenAfterConsent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("xero"))
	popup := w.opened(func() { w.press("Connect") })
	popup.press("Allow")
	popup.see("Which of your Xero organisations")
	w.see("One more question")
	h.wantConnections(0)
	popup.press("Ana's organisation 2")
	popup.press("Continue")
	w.see("Connected as ana@example.com")
	popup.closed()
	if c := h.wantConnections(1)[0]; c.Captured["tenant_name"] != "Ana's organisation 2" {
		t.Errorf("captured %v", c.Captured)
	}
}

func TestTheQuestionIsAnsweredInTheOtherWindow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.visitor()
	w.open(h.link("xero"))
	popup := w.opened(func() { w.press("Connect") })
	popup.press("Allow")
	popup.see("Which of your Xero organisations")
	w.press("Answer it here")
	w.press("Ana's organisation 1")
	w.press("Continue")
	w.see("Connected as ana@example.com")
	h.wantConnections(1)
}

// connectAs makes a connection as one of the simulated accounts, in this tab.
func connectAs(w *window, link, account string) {
	w.t.Helper()
	w.open(link)
	w.press("Reconnect")
	w.press("Use this tab instead")
	w.see("Simulated")
	w.press(account)
	w.press("Allow")
}

func TestReconnectWithAnotherAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.Connect(t, "google", "", "user-1", nil)
	link := func() string { return h.session(map[string]any{"end_user": "user-1", "connection": first}) }
	w := h.visitor()
	w.before(`window.open = () => null;`)

	connectAs(w, link(), "Ben Example")
	w.see("That is a different account", "You signed in as ben@example.com", "This connection belongs to ana@example.com", "Nothing has changed yet")
	w.press("Cancel")
	w.see("Nothing has changed. Sign in with that account")
	if c := h.wantConnections(1)[0]; c.Identity.Email != "ana@example.com" {
		t.Errorf("cancelled, and the connection is %+v", c)
	}

	connectAs(w, link(), "Ben Example")
	w.press("Try again with ana@example.com")
	w.see("Reconnect Google")
	w.press("Reconnect")
	w.press("Use this tab instead")
	w.press("Allow")
	w.see("Connected as ana@example.com")
	if c := h.wantConnections(1)[0]; c.ID != first {
		t.Errorf("reconnected %s, want %s", c.ID, first)
	}

	connectAs(w, link(), "Ben Example")
	w.press("Keep both: connect ben@example.com as new")
	w.see("Connected as ben@example.com")
	emails := map[string]int{}
	for _, c := range h.wantConnections(2) {
		emails[c.Identity.Email]++
	}
	if emails["ana@example.com"] != 1 || emails["ben@example.com"] != 1 {
		t.Errorf("connections of %v", emails)
	}
}
