package storagetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// both runs work in eight goroutines, four on each handle, and waits for them.
func both(a, b storage.Store, work func(worker int, s storage.Store)) {
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() { work(worker, []storage.Store{a, b}[worker%2]) })
	}
	workers.Wait()
}

// testLeaseContention lets eight goroutines take one lease again and again. While one has it, nobody
// else may; and each turn has a fence of its own.
func testLeaseContention(t *testing.T, a, b storage.Store) {
	const turns = 15
	c := Connection("acme", "one")
	must(t, a.CreateConnection(t.Context(), c))
	var holders, taken atomic.Int64
	var fences sync.Map
	both(a, b, func(worker int, s storage.Store) {
		for done := 0; done < turns && !t.Failed(); {
			lease, ok, err := acquire(t.Context(), s, c.Ref, fmt.Sprint("worker ", worker), leaseTime)
			if err != nil && fault.KindOf(err) != fault.Conflict {
				t.Errorf("acquire: %v", err)
				return
			}
			if !ok {
				time.Sleep(time.Millisecond)
				continue
			}
			if n := holders.Add(1); n != 1 {
				t.Errorf("%d holders of one lease", n)
			}
			if _, twice := fences.LoadOrStore(lease.Fence, worker); twice {
				t.Errorf("fence %d was given twice", lease.Fence)
			}
			if _, err := s.UpdateLeased(t.Context(), lease, func(c *storage.Connection) error { c.Version++; return nil }); err != nil {
				t.Errorf("update with the lease: %v", err)
			}
			holders.Add(-1)
			taken.Add(1)
			done++
			if err := s.ReleaseLease(t.Context(), lease); err != nil {
				t.Errorf("release: %v", err)
			}
		}
	})
	got, err := b.Connection(t.Context(), c.Ref)
	must(t, err)
	if want := c.Version + 8*turns; got.Version != want || got.Lease.Fence != 8*turns {
		t.Errorf("version %d and fence %d after %d turns, want %d and %d", got.Version, got.Lease.Fence, taken.Load(), want, 8*turns)
	}
}

func testIncrements(t *testing.T, a, b storage.Store) {
	const each = 50
	c := Connection("acme", "one")
	must(t, a.CreateConnection(t.Context(), c))
	both(a, b, func(_ int, s storage.Store) {
		for range each {
			_, err := s.UpdateConnection(t.Context(), c.Ref, func(c *storage.Connection) error { c.Health.Failures++; return nil })
			if err != nil {
				t.Errorf("update: %v", err)
				return
			}
		}
	})
	got, err := b.Connection(t.Context(), c.Ref)
	must(t, err)
	if made := got.Health.Failures - c.Health.Failures; made != 8*each || got.Revision != 8*each+1 {
		t.Errorf("%d increments and revision %d, want %d and %d", made, got.Revision, 8*each, 8*each+1)
	}
}

// testStolenLease lets holders be too slow: of those that held a lease of a millisecond, only the
// newest may write.
func testStolenLease(t *testing.T, a, b storage.Store) {
	c := Connection("acme", "one")
	must(t, a.CreateConnection(t.Context(), c))
	var mu sync.Mutex
	var leases []storage.Lease
	both(a, b, func(worker int, s storage.Store) {
		for range 10 {
			lease, ok, err := acquire(t.Context(), s, c.Ref, fmt.Sprint("worker ", worker), time.Millisecond)
			if err != nil && fault.KindOf(err) != fault.Conflict {
				t.Errorf("acquire: %v", err)
			}
			if ok {
				mu.Lock()
				leases = append(leases, lease)
				mu.Unlock()
			}
			time.Sleep(2 * time.Millisecond)
		}
	})
	newest := int64(len(leases))
	both(a, b, func(worker int, s storage.Store) {
		for i := worker; i < len(leases); i += 8 {
			lease := leases[i]
			_, err := s.UpdateLeased(t.Context(), lease, func(c *storage.Connection) error { c.StatusReason = lease.Holder; return nil })
			if want := fault.Conflict; lease.Fence != newest {
				wantKind(t, fmt.Sprintf("write with fence %d of %d", lease.Fence, newest), err, want)
			} else if err != nil {
				t.Errorf("write with the newest fence %d: %v", newest, err)
			}
		}
	})
	if len(leases) < 2 {
		t.Fatalf("only %d leases were taken: nothing was stolen", len(leases))
	}
}

// testOutboxContention emits events from four goroutines while four relays work. No claim runs out, so
// every event is told once, and none stays.
func testOutboxContention(t *testing.T, a, b storage.Store) {
	const each = 25
	ctx := t.Context()
	for i := range 2 {
		must(t, a.CreateConnection(ctx, Connection("acme", fmt.Sprint("conn_", i))))
	}
	r := relays{told: map[string]int{}}
	r.emitting.Store(4)
	both(a, b, func(worker int, s storage.Store) {
		if worker < 4 {
			r.emit(t, s, worker, each)
		} else {
			r.relay(t, s, worker)
		}
	})
	for id, n := range r.told {
		if n != 1 {
			t.Errorf("%s was told %d times although no claim ran out", id, n)
		}
	}
	log, err := a.Events(ctx, audit.Query{Tenant: "acme", Limit: 200})
	if err != nil || len(r.told) != 4*each || len(log) != 4*each {
		t.Errorf("%d events told, %d in the log, %v; want %d", len(r.told), len(log), err, 4*each)
	}
	for i := range 2 {
		c, err := b.Connection(ctx, storage.Ref{Tenant: "acme", ID: fmt.Sprint("conn_", i)})
		if err != nil || len(c.Outbox) != 0 {
			t.Errorf("%d events are left in the outbox, %v", len(c.Outbox), err)
		}
	}
}

// relays counts who emits, and what was told.
type relays struct {
	emitting atomic.Int64
	mu       sync.Mutex
	told     map[string]int
}

func (r *relays) emit(t *testing.T, s storage.Store, worker, events int) {
	defer r.emitting.Add(-1)
	for i := range events {
		ref := storage.Ref{Tenant: "acme", ID: fmt.Sprint("conn_", i%2)}
		_, err := s.UpdateConnection(t.Context(), ref, func(c *storage.Connection) error {
			c.Emit(Event("acme", ref.ID, fmt.Sprintf("event_%d_%d", worker, i)))
			return nil
		})
		if err != nil {
			t.Errorf("emit: %v", err)
		}
	}
}

// relay works until nobody emits any more and everything is told.
func (r *relays) relay(t *testing.T, s storage.Store, worker int) {
	for {
		last := r.emitting.Load() == 0
		p, ok, err := s.ClaimOutbox(t.Context(), fmt.Sprint("relay ", worker), leaseTime)
		if err != nil {
			t.Errorf("claim: %v", err)
			return
		}
		if !ok && last {
			return
		}
		if !ok {
			time.Sleep(time.Millisecond)
			continue
		}
		r.mu.Lock()
		for _, e := range p.Events {
			r.told[e.ID]++
		}
		r.mu.Unlock()
		if err := s.AppendEvents(t.Context(), p.Events); err != nil {
			t.Errorf("append: %v", err)
		}
		if err := s.ClearOutbox(t.Context(), p); err != nil {
			t.Errorf("clear: %v", err)
		}
	}
}

// testDeleteContention deletes connections while others emit events on them: an update that succeeded
// has its event in the log, however close it came.
func testDeleteContention(t *testing.T, a, b storage.Store) {
	ctx := t.Context()
	for round := range 8 {
		c := Connection("acme", fmt.Sprint("conn_", round))
		must(t, a.CreateConnection(ctx, c))
		var emitted atomic.Int64
		both(a, b, func(worker int, s storage.Store) {
			if worker == 0 {
				for emitted.Load() < 4 && !t.Failed() {
					time.Sleep(time.Millisecond)
				}
				if err := s.DeleteConnection(ctx, c.Ref); err != nil {
					t.Errorf("delete: %v", err)
				}
				return
			}
			for i := range 25 { // 175 in all: a page of the log
				_, err := s.UpdateConnection(ctx, c.Ref, func(c *storage.Connection) error {
					c.Emit(Event("acme", c.ID, fmt.Sprintf("event_%d_%d_%d", round, worker, i)))
					return nil
				})
				if err != nil {
					wantKind(t, "emit", err, fault.NotFound)
					return
				}
				emitted.Add(1)
			}
		})
		log, err := b.Events(ctx, audit.Query{Tenant: "acme", Subject: c.ID, Limit: 200})
		if err != nil || len(log) != int(emitted.Load()) {
			t.Fatalf("%d events in the log, %v; want the %d that were emitted", len(log), err, emitted.Load())
		}
	}
}

func testTakeContention(t *testing.T, a, b storage.Store) { takeFlow(t, a, b) }

func testKeysetContention(t *testing.T, a, b storage.Store) { createKeyset(t, a, b) }
