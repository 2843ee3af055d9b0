package e2e

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/simulator"
	"dowel/engine/storage"
	"dowel/engine/storage/mongo"
	"dowel/engine/storage/mongo/mongotestproc"
)

// Three instances on one MongoDB, tokens of two seconds, rotation, token reads all the while, and one
// instance killed every four seconds: 200 connections to a provider that ends a grant on reuse, and 100
// to one that grants a grace. (R01–R05, R14)
func TestKilledInstancesCostOnlyTheGrantsWhoseAnswersTheyHeld(t *testing.T) {
	took := 60 * time.Second
	if testing.Short() {
		took = 15 * time.Second
	}
	defs := Definitions(t, map[string]string{
		"strict": Plain("strict", "{rotation: always}"), "grace": Plain("grace", "{rotation: always, reuse_grace: 30s}"),
	})
	db := mongotestproc.Start(t)
	c := StartCluster(t, 3, db.URI(), []string{"DOWEL_CONNECTORS_DIR=" + defs, "DOWEL_PROVIDER_TIMEOUT=3s", "DOWEL_READ_WAIT=4s"},
		"--token-lifetime=2s", "--accounts=200")
	strict, grace := c.ConnectMany(t, "strict", 200), c.ConnectMany(t, "grace", 100)
	ids := slices.Concat(strict, grace)
	// The moment between the provider's answer and the save, drawn out, so that kills fall into it.
	for _, connector := range []string{"strict", "grace"} {
		c.Simulator.Fault(t, connector, simulator.Fault{On: "refresh", Kind: simulator.FaultLate, Delay: 30 * time.Millisecond})
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	var readers *Readers
	group.Go(func() { readers = c.Read(ids, 8, stop) })
	group.Go(func() { c.KillInTurn(t, stop, 4*time.Second, 500*time.Millisecond) })
	time.Sleep(took)
	close(stop)
	group.Wait()
	readers.report(t)
	lost := c.answerInTheEnd(t, ids)
	for _, i := range c.Instances {
		if code := i.Stop(); code != 0 {
			t.Errorf("SIGTERM: exit code %d", code)
		}
	}
	store, err := mongo.Open(t.Context(), db.URI(), mongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	c.checkBooks(t, store, "strict", strict, lost)
	if n := c.checkBooks(t, store, "grace", grace, lost); n > 0 {
		t.Errorf("%d connections were lost although the provider grants a grace", n)
	}
}

func (r *Readers) report(t *testing.T) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(r.answers)) {
		t.Logf("%7d reads answered %s", r.answers[what], what)
	}
	for _, odd := range r.odd {
		t.Error(odd)
	}
	if r.answers["200"] == 0 {
		t.Error("no read was answered")
	}
}

// answerInTheEnd has every connection answer with a token that works at the provider, or say that the
// person has to connect again because the result of a renewal is unknown; it returns those.
func (c *Cluster) answerInTheEnd(t *testing.T, ids []string) map[string]bool {
	t.Helper()
	lost := map[string]bool{}
	start, deadline := time.Now(), time.Now().Add(2*time.Minute)
	for k, id := range ids {
		door := c.Doors[k%len(c.Doors)]
		for {
			a := door.Ask(http.MethodPost, "/api/v1/connections/"+id+"/test", nil, nil)
			if a.Status == http.StatusOK {
				break
			}
			if a.Status == http.StatusConflict && a.Problem().Code == "refresh_result_unknown" {
				lost[id] = true
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s answers %d %s", id, a.Status, a.Body)
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	t.Logf("all connections answered within %v of the last kill", time.Since(start).Round(100*time.Millisecond))
	return lost
}

// checkBooks compares what the store holds with what the provider did, when nothing runs any more, and
// returns how many connections were lost.
func (c *Cluster) checkBooks(t *testing.T, store storage.Store, connector string, ids []string, lost map[string]bool) int {
	t.Helper()
	var stats simulator.Stats
	c.Simulator.Stats(t, connector, &stats)
	grants := map[string]simulator.GrantLog{}
	for _, g := range stats.Grants {
		grants[g.Account] = g
	}
	saved, unsaved, gone, silent := 0, 0, 0, 0
	for _, id := range ids {
		rec, err := store.Connection(t.Context(), storage.Ref{Tenant: "default", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		g := grants[rec.Identity.Email]
		saved += int(rec.Version - 1)
		unsaved += g.Refreshed - int(rec.Version-1)
		if lost[id] {
			gone++
			if c.checkLost(t, rec, g); g.Reused == 0 {
				silent++
			}
			continue
		}
		if rec.Status != storage.Active || g.Revoked || g.Reused != 0 {
			t.Errorf("%s: %s %s, grant %+v", id, rec.Status, rec.StatusReason, g)
		}
		if n := int(rec.Version - 1); connector == "strict" && g.Refreshed != n {
			t.Errorf("%s: %d renewals for %d versions", id, g.Refreshed, n)
		}
		if most := int(g.RefreshedAt.Sub(g.At)/time.Second) + 1; g.Refreshed > most {
			t.Errorf("%s: %d renewals within %d seconds", id, g.Refreshed, most)
		}
	}
	t.Logf("%s: %d kills; %d renewals at the provider, %d saved, %d answers died with an instance; %d connections lost, reuse detected %d times, %d asked twice in vain; at most %d renewals of one grant at once",
		connector, c.Kills(), stats.Refreshed, saved, unsaved, gone, stats.ReuseDetected, silent, stats.MaxParallel)
	if stats.ReuseDetected+silent != gone || stats.MaxParallel > 1 {
		t.Errorf("%d connections lost, reuse detected %d times, %d renewals at once", gone, stats.ReuseDetected, stats.MaxParallel)
	}
	if unsaved == 0 {
		t.Error("no kill fell between an answer and its save: the test shows nothing")
	}
	return gone
}

// checkLost shows that a lost connection is one whose instance was killed with the answer in its hands:
// the provider decided once more than was saved, just before a kill, and saw the old token once again,
// unless that second request was not answered either: by a kill, or a machine too slow for its deadline.
func (c *Cluster) checkLost(t *testing.T, rec storage.Connection, g simulator.GrantLog) {
	t.Helper()
	asked := g.Revoked && g.Reused == 1
	unanswered := !g.Revoked && g.Reused == 0 && strings.Contains(rec.Health.LastRefreshError, "result of the last refresh is unknown")
	if rec.Status != storage.NeedsReauth || g.Refreshed != int(rec.Version) || !asked && !unanswered {
		t.Errorf("%s was lost, but not as one whose answer was lost: %s %s version %d (%s), grant %+v",
			rec.ID, rec.Status, rec.StatusReason, rec.Version, rec.Health.LastRefreshError, g)
	}
	if d := c.UntilKill(g.RefreshedAt); d > 2*time.Second {
		t.Errorf("%s was lost at %v, and the next kill was %v later", rec.ID, g.RefreshedAt, d)
	}
}
