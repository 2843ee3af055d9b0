package browser

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestTheConsoleFromLinkToSignOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.operator()
	w.press("Choose a connector")
	w.see(h.of(h.catalogue()))

	other := h.visitor()
	other.open(h.ConsoleURL)
	other.press("Open the console")
	other.see("This link does not work any more")

	w.press("Sign out")
	w.see("You are signed out")
	w.open(h.URL + "/console/connections")
	w.see("There is no password")
	w.back()
	w.see("signed out")
}

func TestConnectFromTheConsole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.operator()
	w.press("Connectors")
	w.press("Zendesk")
	w.see("Ways to connect", "How far this is checked", "Where credentials may go")
	w.fill("For whom", "user-7")
	w.press("Try it")
	w.see("wants to connect to Zendesk", "user-7")
	w.fill("Zendesk subdomain", "acme")
	popup := w.opened(func() { w.press("Connect") })
	popup.press("Allow")
	w.see("Connected as ana@example.com")
	w.at("/console/connections/conn_") // by itself
	w.see("Timeline", "Connected", "Expires in", "user-7")
	w.press("Connections")
	w.see("ana@example.com", "Active", "user-7")
}

func TestOneConnectionInTheConsole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.Connect(t, "google", "", "user-1", nil)
	at := h.URL + "/console/connections/" + id
	w := h.visitor()
	w.open(h.ConsoleURL)
	w.press("Open the console")
	w.see("What happened")
	w.open(at)
	w.see("ana@example.com", "Active", "renewed automatically", "Not refreshed yet")
	w.press("Refresh now")
	w.see("The token has been refreshed", "Token refreshed")
	w.press("Test now")
	w.see("The test passed: the credential works", "Tested")

	w.press("Disable")
	w.see("No token is handed out until it is enabled again", "Switched off by an operator")
	if status, b := h.Do(http.MethodGet, "/api/v1/connections/"+id+"/token", nil); status != http.StatusConflict {
		t.Errorf("token of a disabled connection: %d %s", status, b)
	}
	w.press("Enable")
	w.see("Enabled", "Active")
	if status, b := h.Do(http.MethodGet, "/api/v1/connections/"+id+"/token", nil); status != http.StatusOK {
		t.Errorf("token after enabling: %d %s", status, b)
	}

	h.simulator.Fault(t, "google", []map[string]any{{"on": "refresh", "kind": "status", "status": 503}})
	w.press("Refresh now")
	w.see("That did not work", "Failing")
	w.see("Refresh failed", "We'll keep trying", "503")
	h.simulator.Heal(t, "google")
	w.see("The last refresh worked") // by itself, after the wait that a failure sets

	w.open(at)
	w.press("Disconnect")
	w.see("To confirm, type ana@example.com", "told to revoke")
	w.fill("To confirm", "something else")
	w.press("Disconnect")
	w.see("That is not the same")
	w.fill("To confirm", "ana@example.com")
	w.press("Disconnect")
	w.see("Disconnected. The credential is gone", "There is no credential any more")
	if status, b := h.Do(http.MethodGet, "/api/v1/connections/"+id+"/token", nil); status != http.StatusGone {
		t.Errorf("token of an ended connection: %d %s", status, b)
	}
	w.do("reload", chromedp.Reload())
	w.see("Access revoked at the provider")
}

func TestTheTimelineMovesByItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "--token-lifetime", "4s")
	id := h.Connect(t, "google", "", "user-1", nil)
	w := h.operatorWithConnections()
	w.open(h.URL + "/console/connections/" + id)
	w.see("Timeline")
	w.do("mark the page", script("window.mark = 1"))
	const refreshes = `document.querySelectorAll("#timeline-box .event-head").length - 1`
	before := evaluate[int](w, refreshes)
	if !w.until(refreshes + " > " + strconv.Itoa(before+1) + " && document.querySelector('.event.fresh') !== null") {
		w.fail("no refresh shows up while one looks on")
	}
	w.see("Token refreshed", "by Dowel")
	if evaluate[int](w, "window.mark") != 1 {
		t.Error("the page was loaded again")
	}
	w.press("Live")
	still := evaluate[int](w, refreshes)
	w.do("look on", chromedp.Sleep(5*time.Second))
	if now := evaluate[int](w, refreshes); now != still {
		t.Errorf("the timeline went from %d to %d refreshes while it was held", still, now)
	}
}

func TestAnAPIKeyIsShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.Connect(t, "google", "", "user-1", nil)
	w := h.operatorWithConnections()
	w.press("API keys")
	w.press("Create key")
	w.see("The name must have 1 to 100 characters")
	w.fill("Name", "billing worker")
	w.press("Create key")
	w.see("Your new key", "It is shown this once")
	key := evaluate[string](w, `document.getElementById("api-key").innerText`)
	path := "/api/v1/connections/" + id + "/token"
	if status, b := h.DoAs(key, http.MethodGet, path, nil); status != http.StatusOK {
		t.Errorf("a new key gets %d %s", status, b)
	}
	if status, _ := h.DoAs(key, http.MethodGet, "/api/v1/connections", nil); status != http.StatusForbidden {
		t.Errorf("a key with token:read alone lists connections: %d", status)
	}
	w.press("I have kept it")
	w.see("billing worker")
	if strings.Contains(evaluate[string](w, "document.documentElement.outerHTML"), key) {
		t.Error("the key is shown again")
	}
	w.press("Revoke billing worker")
	w.see("The key is revoked")
	if status, _ := h.DoAs(key, http.MethodGet, path, nil); status != http.StatusUnauthorized {
		t.Errorf("a revoked key gets %d", status)
	}
}
