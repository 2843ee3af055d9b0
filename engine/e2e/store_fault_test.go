package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"dowel/engine/simulator"
	"dowel/engine/storage/mongo/mongotestproc"
)

// storeHouse is a cluster with one connection, on a MongoDB that can be made to fail.
type storeHouse struct {
	*Cluster
	t  *testing.T
	db *mongotestproc.Process
	id string
}

func newStoreHouse(t *testing.T, instances int, lifetime string) *storeHouse {
	t.Helper()
	t.Parallel()
	defs := Definitions(t, map[string]string{"strict": Plain("strict", "{rotation: always}")})
	h := &storeHouse{t: t, db: mongotestproc.Start(t)}
	h.Cluster = StartCluster(t, instances, h.db.URI(), []string{"DOWEL_CONNECTORS_DIR=" + defs, "DOWEL_PROVIDER_TIMEOUT=1s"}, "--token-lifetime="+lifetime)
	h.id = h.Instances[0].ConnectAs(t, "strict", "somebody", Ana)
	return h
}

func (h *storeHouse) stats() simulator.Stats {
	h.t.Helper()
	var s simulator.Stats
	h.Simulator.Stats(h.t, "strict", &s)
	return s
}

// answered forces a renewal whose answer is on its way for a while, and returns, while it is, where the
// outcome will come.
func (h *storeHouse) answered(d Door) <-chan Answer {
	h.t.Helper()
	h.Simulator.Fault(h.t, "strict", simulator.Fault{On: "refresh", Kind: simulator.FaultLate, Delay: 700 * time.Millisecond, Times: 1})
	before := h.stats().Refreshed
	out := make(chan Answer, 1)
	go func() {
		_, a := d.Token(h.id, "?force=true")
		out <- a
	}()
	Eventually(h.t, 10*time.Second, "the provider has renewed", func() bool { return h.stats().Refreshed > before })
	return out
}

// nothingLost checks that the store has the version, that the connection can be renewed from there, and
// that no refresh token was shown twice.
func (h *storeHouse) nothingLost(version int64) {
	h.t.Helper()
	door := h.Doors[len(h.Doors)-1]
	Eventually(h.t, 20*time.Second, "the credential is saved", func() bool {
		a := door.Ask(http.MethodGet, "/api/v1/connections/"+h.id, nil, nil)
		return a.Status == http.StatusOK && door.Connection(h.t, h.id).Version >= version
	})
	token, a := door.Token(h.id, "?force=true")
	if a.Status != http.StatusOK || token.Version <= version || !h.Simulator.Accepts(token) {
		h.t.Errorf("renewed from what was saved: %d %+v %s", a.Status, token, a.Body)
	}
	c := door.Connection(h.t, h.id)
	s := h.stats()
	if c.Status != "active" || s.ReuseDetected != 0 || s.Refreshed != int(c.Version-1) || s.MaxParallel > 1 {
		h.t.Errorf("%s at version %d; the provider renewed %d times, %d at once, and saw %d reuses", c.Status, c.Version, s.Refreshed, s.MaxParallel, s.ReuseDetected)
	}
}

// down checks what an instance answers while its store does not.
func (h *storeHouse) down(d Door) {
	h.t.Helper()
	if a := d.Ask(http.MethodGet, "/healthz", nil, nil); a.Status != http.StatusOK || !a.Within(time.Second) {
		h.t.Errorf("healthz: %d in %v", a.Status, a.Took)
	}
	if a := d.Ask(http.MethodGet, "/readyz", nil, nil); a.Status != http.StatusServiceUnavailable || !a.Within(2*time.Second) {
		h.t.Errorf("readyz: %d in %v", a.Status, a.Took)
	}
	time.Sleep(2 * time.Second) // so long a key that was found good is believed
	a := d.Ask(http.MethodGet, "/api/v1/connections/"+h.id+"/token", nil, nil)
	if a.Status != http.StatusServiceUnavailable || a.Kind() != "store-unavailable" || a.Header.Get("Retry-After") == "" || !a.Within(2*time.Second) {
		h.t.Errorf("a read while the store is down: %d %s Retry-After %q in %v", a.Status, a.Body, a.Header.Get("Retry-After"), a.Took)
	}
}

// The database dies, or stands still, between the provider's answer and the save. (R07, R08)
func TestACredentialInHandOutlivesItsStore(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		fail, mend func(*mongotestproc.Process)
	}{
		{"stands still", (*mongotestproc.Process).Pause, (*mongotestproc.Process).Resume},
		{"is killed", (*mongotestproc.Process).Kill, (*mongotestproc.Process).Restart},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newStoreHouse(t, 2, "30s")
			outcome := h.answered(h.Doors[0])
			tt.fail(h.db)
			if a := <-outcome; a.Status != http.StatusOK {
				t.Errorf("the kept credential is not served: %d %s", a.Status, a.Body)
			}
			h.down(h.Doors[0])
			h.down(h.Doors[1])
			if n := h.stats().Token["refresh_token"]; n != 1 {
				t.Errorf("%d renewals were asked for while the store was down, want the one before", n)
			}
			tt.mend(h.db)
			h.nothingLost(2)
		})
	}
}

// A database that can be read and not written, such as one whose disk is full. (R08, R13)
func TestAKeptCredentialIsServedWhileTheStoreRefusesWrites(t *testing.T) {
	h := newStoreHouse(t, 1, "30s")
	outcome := h.answered(h.Doors[0])
	for _, command := range []string{"update", "findAndModify"} {
		h.db.Fail(command, 14031, 100_000) // OutOfDiskSpace
	}
	if a := <-outcome; a.Status != http.StatusOK {
		t.Errorf("the forced renewal: %d %s", a.Status, a.Body)
	}
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if token, a := h.Doors[0].Token(h.id, ""); a.Status != http.StatusOK || token.Version != 2 || !h.Simulator.Accepts(token) {
			t.Fatalf("a read meanwhile: %d %+v %s", a.Status, token, a.Body)
		}
	}
	h.db.Heal()
	h.nothingLost(2)
}

// Whoever has the answer in hand is cut off for longer than its lease, and the token has ended: when the
// store is back, both instances want to renew. (R04, R06, R08)
func TestALeaseThatRanOutDoesNotSpendTheTokenTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as a lease")
	}
	h := newStoreHouse(t, 2, "6s")
	outcome := h.answered(h.Doors[0])
	h.db.Pause()
	<-outcome
	time.Sleep(15 * time.Second) // a lease lasts 12 s with calls of 1 s
	h.db.Resume()
	h.nothingLost(2)
}

// Both instances, four readers, and every command of the store takes 0.7 seconds. (R09)
func TestASlowStoreRenewsEachTokenOnce(t *testing.T) {
	h := newStoreHouse(t, 2, "6s")
	h.db.Latency(700 * time.Millisecond)
	stop := make(chan struct{})
	time.AfterFunc(15*time.Second, func() { close(stop) })
	readers := h.Read([]string{h.id}, 4, stop)
	Eventually(t, 10*time.Second, "the slow store's events are told", func() bool {
		return slices.ContainsFunc(h.Doors[0].Events(t, h.id), func(e Event) bool { return e.Kind == "credential.refreshed" })
	})
	h.db.Heal()
	readers.report(t)
	version := h.Doors[0].Connection(t, h.id).Version
	if version < 2 {
		t.Errorf("nothing was renewed within 15 seconds of tokens that live for 6")
	}
	h.nothingLost(version)
}

// (R08) A renewal is not begun when the attempt cannot be put on record.
func TestNothingIsSpentWhileTheStoreIsDown(t *testing.T) {
	h := newStoreHouse(t, 1, "30s")
	h.Doors[0].Connection(t, h.id)
	h.db.Pause()
	if _, a := h.Doors[0].Token(h.id, "?force=true"); a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Errorf("a forced renewal: %d %s", a.Status, a.Body)
	}
	if n := h.stats().Token["refresh_token"]; n != 0 {
		t.Errorf("%d renewals reached the provider", n)
	}
	h.db.Resume()
	h.nothingLost(1)
}

// (R08, R14)
func TestAGracefulStopSavesWhatIsInHand(t *testing.T) {
	h := newStoreHouse(t, 2, "30s")
	outcome := h.answered(h.Doors[0])
	h.db.Pause()
	time.Sleep(time.Second)
	go func() {
		time.Sleep(4 * time.Second)
		h.db.Resume()
	}()
	start := time.Now()
	if code := h.Instances[0].Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	t.Logf("stopped within %v", time.Since(start).Round(100*time.Millisecond))
	<-outcome
	h.nothingLost(2)
}
