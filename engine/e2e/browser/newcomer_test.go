package browser

import (
	"net/http"
	"testing"
	"time"

	"dowel/engine/e2e"
)

// TestANewcomerHasALiveTokenWithinAMinute does what the README says, with the tokens of 30 seconds
// that a newcomer gets.
func TestANewcomerHasALiveTokenWithinAMinute(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	start := time.Now()
	w := h.operator()
	w.press("Choose a connector")
	w.press("HubSpot")
	w.press("Try it")
	w.press("HubSpot account")
	popup := w.opened(func() { w.press("Connect") })
	popup.press("Allow")
	w.see("Connected as Ana Example")
	w.at("/console/connections/conn_")
	w.see("Fetch it as a workflow does")
	id := h.wantConnections(1)[0].ID
	var first, later e2e.Token
	h.Get(t, "/api/v1/connections/"+id+"/token", &first)
	if first.AccessToken == "" {
		t.Fatalf("token %+v", first)
	}
	fetched := time.Since(start)
	for deadline := start.Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if w.shows("Token refreshed") {
			break
		}
		if time.Now().After(deadline) {
			w.fail("no refresh is seen within a minute")
		}
	}
	seen := time.Since(start)
	h.Get(t, "/api/v1/connections/"+id+"/token", &later)
	if later.Version == first.Version || later.AccessToken == first.AccessToken {
		t.Errorf("the token was not renewed: %d, then %d", first.Version, later.Version)
	}
	if status, _ := h.Do(http.MethodGet, "/readyz", nil); status != http.StatusOK {
		t.Errorf("readyz: %d", status)
	}
	t.Logf("a live token after %v, its refresh seen after %v", fetched.Round(time.Millisecond), seen.Round(time.Millisecond))
}
