package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dowel/engine/simulator"
	"dowel/engine/storage/mongo/mongotestproc"
)

// restartHouse is one instance on the embedded store that keeps its address, and a provider that does
// not notice when it is started again.
func restartHouse(t *testing.T, lifetime time.Duration) *faultHouse {
	t.Helper()
	t.Parallel()
	return newFaultHouse(t, Definitions(t, map[string]string{"strict": Plain("strict", rotating)}), lifetime, "DOWEL_PROVIDER_TIMEOUT=5s")
}

// (U05)
func TestACallbackCompletesWhatWasBegunBeforeARestart(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Instance){
		"stopped": func(i *Instance) { i.Stop() },
		"killed":  func(i *Instance) { i.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			h := restartHouse(t, time.Hour)
			b := NewBrowser(t)
			callback := b.Consent(b.Press(h.Ticket(t, "somebody", "strict"), "", nil).URL, Ana, "allow")
			end(h.Instance)
			h.Restart(t)
			if p := b.Follow(callback); p.Status != http.StatusOK || !strings.Contains(p.Body, "ana@example.com") {
				t.Errorf("the callback after the restart: %d\n%s", p.Status, p.Body)
			}
			ids := h.ConnectionsOf(t, "strict", "somebody")
			if len(ids) != 1 {
				t.Fatalf("%d connections", len(ids))
			}
			if token, a := h.Door.Token(ids[0], ""); a.Status != http.StatusOK || !h.sim.Accepts(token) {
				t.Errorf("its token: %d %s", a.Status, a.Body)
			}
		})
	}
}

// (U05)
func TestACallbackMayComeToAnotherInstance(t *testing.T) {
	t.Parallel()
	defs := Definitions(t, map[string]string{"strict": Plain("strict", rotating)})
	c := StartCluster(t, 2, mongotestproc.Start(t).URI(), []string{"DOWEL_CONNECTORS_DIR=" + defs})
	b := NewBrowser(t)
	callback, err := url.Parse(b.Consent(b.Press(c.Doors[0].Ticket(t, "somebody", "strict"), "", nil).URL, Ana, "allow"))
	if err != nil {
		t.Fatal(err)
	}
	callback.Host = strings.TrimPrefix(c.Doors[1].URL, "http://")
	if p := b.Follow(callback.String()); p.Status != http.StatusOK || !strings.Contains(p.Body, "ana@example.com") {
		t.Errorf("the callback at the other instance: %d\n%s", p.Status, p.Body)
	}
	if ids := c.Doors[0].ConnectionsOf(t, "strict", "somebody"); len(ids) != 1 {
		t.Errorf("%d connections", len(ids))
	}
}

// A stop while the code is being traded waits for the answer: a code is good once. (R14, U06)
func TestAStopWaitsForACodeBeingTraded(t *testing.T) {
	h := restartHouse(t, time.Hour)
	b := NewBrowser(t)
	callback := b.Consent(b.Press(h.Ticket(t, "somebody", "strict"), "", nil).URL, Ana, "allow")
	h.sim.Fault(t, "strict", simulator.Fault{On: "code", Kind: simulator.FaultLate, Delay: 1500 * time.Millisecond})
	answered := make(chan int, 1)
	go func() { answered <- b.Open(callback).Status }()
	Eventually(t, 5*time.Second, "the provider has the code", func() bool { return h.stats(t).Token["authorization_code"] == 1 })
	if code := h.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if status := <-answered; status != http.StatusSeeOther {
		t.Errorf("the callback was answered %d", status)
	}
	h.Restart(t)
	if ids := h.ConnectionsOf(t, "strict", "somebody"); len(ids) != 1 {
		t.Errorf("%d connections", len(ids))
	}
}

func (h *faultHouse) stats(t *testing.T) simulator.Stats {
	t.Helper()
	var s simulator.Stats
	h.sim.Stats(t, "strict", &s)
	return s
}

// renewing forces a renewal and returns when the provider has decided and its answer is on the way.
func (h *faultHouse) renewing(t *testing.T, id string) {
	t.Helper()
	h.sim.Fault(t, "strict", simulator.Fault{On: "refresh", Kind: simulator.FaultLate, Delay: 1500 * time.Millisecond, Times: 1})
	go h.Door.Token(id, "?force=true")
	Eventually(t, 5*time.Second, "the provider has renewed", func() bool { return h.stats(t).Refreshed == 1 })
}

// (R14)
func TestAStopDuringARenewalSavesItsAnswer(t *testing.T) {
	h := restartHouse(t, time.Hour)
	id := h.ConnectAs(t, "strict", "somebody", Ana)
	h.renewing(t, id)
	if code := h.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	h.Restart(t)
	if v := h.Connection(t, id); v.Version != 2 {
		t.Errorf("version %d was saved", v.Version)
	}
	token, a := h.Door.Token(id, "?force=true")
	if a.Status != http.StatusOK || token.Version != 3 || h.stats(t).ReuseDetected != 0 {
		t.Errorf("renewed again: %d %s; %d reuses", a.Status, a.Body, h.stats(t).ReuseDetected)
	}
}

// Killed with the answer in its hands: the new process knows that the result is unknown, serves the old
// token to its end, shows the refresh token once more only then, and asks the person. (R04, R05)
func TestAKillDuringARenewalIsKnownAfterwards(t *testing.T) {
	h := restartHouse(t, 12*time.Second)
	id := h.ConnectAs(t, "strict", "somebody", Ana)
	other := h.ConnectAs(t, "strict", "somebody else", Ben)
	h.renewing(t, id)
	h.Kill()
	h.Restart(t)
	token, a := h.Door.Token(id, "")
	if a.Status != http.StatusOK || token.Version != 1 || !h.sim.Accepts(token) {
		t.Errorf("the old token lives, and is answered %d %s", a.Status, a.Body)
	}
	time.Sleep(time.Until(*token.ExpiresAt))
	if n := h.stats(t).ReuseDetected; n != 0 {
		t.Errorf("the refresh token was shown again while the old token lived")
	}
	Eventually(t, 40*time.Second, "the person is asked", func() bool { return h.Connection(t, id).Status == "needs_reauth" })
	if v := h.Connection(t, id); v.StatusReason != "refresh_result_unknown" {
		t.Errorf("the reason is %s", v.StatusReason)
	}
	if token, a := h.Door.Token(other, ""); a.Status != http.StatusOK || token.Version < 2 {
		t.Errorf("another connection: %d version %d", a.Status, token.Version)
	}
}
