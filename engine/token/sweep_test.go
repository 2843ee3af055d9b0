package token

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

func TestASweepRenewsAllThatIsDueAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var refs []storage.Ref
		for n := range 300 {
			refs = append(refs, h.connect(fmt.Sprintf("due%d", n), "rotating", nil))
		}
		time.Sleep(58 * time.Minute)
		later := h.connect("later", "rotating", nil)
		i := h.instance(nil)
		w := Sweeper{Source: i.Source, Pool: 10, Batch: 70}
		start := time.Now()
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range refs {
			if got := h.record(r).Version; got != 2 {
				t.Fatalf("%s has version %d", r.ID, got)
			}
		}
		if got := h.record(later).Version; got != 1 {
			t.Errorf("what is not due has version %d", got)
		}
		h.calls(300)
		// 300 answers of 200 ms, ten at once, take 6 s; the lane widens at the beginning.
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestAnUnluckyConnectionDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var refs []storage.Ref
		for n := range 40 {
			refs = append(refs, h.connect(fmt.Sprintf("c%d", n), "rotating", nil))
		}
		bad := map[string]bool{"c0": true, "c1": true, "c2": true, "c3": true}
		h.behave(func(m *manner) {
			m.refuse = func(k *call) error {
				switch k.grant {
				case "c0":
					panic("a method that cannot cope")
				case "c1":
					return invalidGrant()
				}
				return nil
			}
		})
		h.change(refs[2], func(c *storage.Connection) { c.Credential = []byte("rubbish") })
		i := h.instance(func(i *instance) { i.link.latency = time.Millisecond })
		h.expire()
		// Another instance died with the lease of one of them.
		if _, ok, err := i.Store.AcquireLease(t.Context(), h.record(refs[3]), nil, "dead", time.Hour); !ok || err != nil {
			t.Fatal(ok, err)
		}
		start := time.Now()
		if err := (&Sweeper{Source: i.Source, Pool: 4}).Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range refs {
			if got := h.record(r).Version; got != 2 && !bad[r.ID] {
				t.Errorf("%s has version %d", r.ID, got)
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if c := h.record(refs[0]); c.Health.Failures != 1 || !c.RefreshAt.After(time.Now()) || !c.Lease.Until.IsZero() {
			t.Errorf("after a panic: %d failures, again at %v, lease until %v", c.Health.Failures, c.RefreshAt, c.Lease.Until)
		}
	})
}

func TestAProviderThatHangsDoesNotTakeTheWholePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var slow, fast []storage.Ref
		for n := range 200 {
			r := h.connect(fmt.Sprintf("slow%d", n), "rotating", func(c *storage.Connection) { c.Tenant, c.App = "big", "" })
			slow = append(slow, r)
		}
		h.behave(func(m *manner) {
			m.latency = 0
			m.refuse = func(k *call) error {
				if k.grant[0] == 's' {
					time.Sleep(10 * time.Second)
				}
				return nil
			}
		})
		other, err := h.catalog.Current(t.Context(), "", "other")
		if err != nil {
			t.Fatal(err)
		}
		i := h.instance(nil)
		done := make(chan error, 1)
		h.expire()
		go func() { done <- (&Sweeper{Source: i.Source, Pool: 16}).Sweep(t.Context()) }()
		time.Sleep(5 * time.Second)
		// What becomes due while the pool is busy with the big tenant's is not kept waiting.
		for n := range 50 {
			r := h.connect(fmt.Sprintf("fast%d", n), "rotating", func(c *storage.Connection) {
				c.App, c.Connector, c.ConnectorVersion = "", other.ID, other.Version
				c.RefreshAt = now()
			})
			fast = append(fast, r)
		}
		time.Sleep(3 * time.Second)
		for _, r := range fast {
			if got := h.record(r).Version; got != 2 {
				t.Fatalf("%s has version %d after 3 s", r.ID, got)
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for _, r := range slow {
			if got := h.record(r).Version; got != 2 {
				t.Fatalf("%s has version %d", r.ID, got)
			}
		}
	})
}

func TestASweepEndsWithItsContextAndLeavesNothingUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		for n := range 50 {
			h.connect(fmt.Sprintf("c%d", n), "rotating", nil)
		}
		i := h.instance(nil)
		h.behave(func(m *manner) { m.latency = 10 * time.Second })
		h.expire()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- (&Sweeper{Source: i.Source}).Sweep(ctx) }()
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Fatal("the sweep goes on")
		}
		if err := i.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		saved := 0
		for _, c := range h.store.connections {
			if c.Version == 2 {
				saved++
			}
		}
		if calls := len(h.provider.seen()); saved != calls || calls == 0 {
			t.Errorf("%d calls, %d saved", calls, saved)
		}
	})
}

func TestASweepReportsADeadStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		i := h.instance(nil)
		i.link.down.Store(true)
		if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); fault.KindOf(err) != fault.StoreDown {
			t.Errorf("Sweep: %v", err)
		}
	})
}

func TestWhatCannotBeMovedOnDoesNotHideWhatIsBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		i := h.instance(nil)
		var last storage.Ref
		for n := range 30 {
			last = h.connect(fmt.Sprintf("c%02d", n), "rotating", nil)
			h.change(last, func(c *storage.Connection) { c.RefreshAt = now().Add(time.Duration(n) * time.Second) })
		}
		time.Sleep(time.Minute)
		// All but the last are held by an instance that is gone; they stay due.
		for n := range 29 {
			r := storage.Ref{Tenant: tenant, ID: fmt.Sprintf("c%02d", n)}
			if _, ok, err := i.Store.AcquireLease(t.Context(), h.record(r), nil, "dead", time.Hour); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if err := (&Sweeper{Source: i.Source, Batch: 10}).Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.record(last).Version; got != 2 {
			t.Errorf("the last has version %d", got)
		}
	})
}

func TestASlowStoreDoesNotMakeTheProviderIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		const pool, all = 8, 80
		for n := range all {
			h.keep(fmt.Sprintf("c%d", n), "rotating", h.provider.grant(fmt.Sprintf("c%d", n)), func(c *storage.Connection) { c.App = "" })
		}
		var asked, most atomic.Int64
		h.behave(func(m *manner) {
			m.refuse = func(*call) error { most.Store(max(most.Load(), asked.Add(1))); return nil }
			m.lose = func(*call) error { asked.Add(-1); return nil }
		})
		latency := h.provider.manner().latency
		i := h.instance(func(i *instance) {
			i.link.after = func(op string) error {
				if op == opLeased {
					time.Sleep(latency) // a save takes as long as an answer
				}
				return nil
			}
		})
		h.expire()
		start := time.Now()
		if err := (&Sweeper{Source: i.Source, Pool: pool}).Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.calls(all)
		// One connector gets seven eighths of the pool.
		if took, want := time.Since(start), time.Duration(all/(pool-pool/8)+2)*latency; took > want {
			t.Errorf("took %v, want %v", took, want)
		}
		if most.Load() > pool {
			t.Errorf("%d were at the provider at once, of a pool of %d", most.Load(), pool)
		}
		for n := range all {
			if c := h.record(storage.Ref{Tenant: tenant, ID: fmt.Sprintf("c%d", n)}); c.Version != 2 {
				t.Errorf("%s is not saved when the sweep ends", c.ID)
			}
		}
	})
}

func TestTwoSweepersShareTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		for n := range 200 {
			h.connect(fmt.Sprintf("c%d", n), "rotating", nil)
		}
		tuned := func(i *instance) { i.link.latency = time.Millisecond }
		a, b := h.instance(tuned), h.instance(tuned)
		h.expire()
		var failed atomic.Int64
		done := make(chan struct{}, 2)
		start := time.Now()
		for _, i := range []*instance{a, b} {
			go func() {
				for range 10 {
					if (&Sweeper{Source: i.Source, Pool: 10}).Sweep(t.Context()) != nil {
						failed.Add(1)
					}
				}
				done <- struct{}{}
			}()
		}
		<-done
		<-done
		h.calls(200)
		// Alone, 200 answers of 200 ms, ten at once, take 4 s.
		if took := time.Since(start); took > 4*time.Second || failed.Load() > 0 || h.provider.mostUsed() != 1 {
			t.Errorf("took %v, %d sweeps failed", took, failed.Load())
		}
	})
}
