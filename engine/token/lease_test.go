package token

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// beforeTheLease has do happen once, after the instance has read a record and before it takes the lease.
func beforeTheLease(i *instance, do func()) {
	done := false
	i.link.before = func(op string) error {
		if op == opAcquire && !done {
			done = true
			do()
		}
		return nil
	}
}

func TestARefreshBetweenTheReadAndTheLeaseIsNotMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		slow, fast := h.instance(nil), h.instance(nil)
		h.expire()
		beforeTheLease(slow, func() { h.reads(fast, r, "at-c-2", "") })
		h.reads(slow, r, "at-c-2", "")
		h.calls(1)
	})
}

func TestAWriteBetweenTheReadAndTheLeaseDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.expire()
		beforeTheLease(i, func() {
			h.change(r, func(c *storage.Connection) {
				c.Emit(audit.New(audit.ConnectionTested, c.Tenant, c.ID, "somebody", nil))
			})
		})
		start := time.Now()
		h.reads(i, r, "at-c-2", "")
		if took, most := time.Since(start), h.provider.manner().latency; took > most {
			t.Errorf("took %v, the provider %v", took, most)
		}
		h.calls(1)
		if n := count(h.record(r).Outbox, audit.ConnectionTested); n != 1 {
			t.Errorf("%d of the events emitted meanwhile are kept", n)
		}
	})
}

func TestADisconnectBetweenTheReadAndTheLeaseHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.expire()
		beforeTheLease(i, func() {
			h.change(r, func(c *storage.Connection) {
				c.Status, c.Credential, c.RefreshAt = storage.Revoked, nil, time.Time{}
				c.RaiseFence()
			})
		})
		if _, _, err := i.read(r, Wish{}); err == nil {
			t.Error("a token of a connection that was ended")
		}
		h.calls(0)
		if c := h.record(r); c.Attempt != nil || !c.Lease.Until.IsZero() {
			t.Errorf("left behind: attempt %v, lease %v", c.Attempt, c.Lease)
		}
	})
}

func TestWhoWaitsForAnotherInstanceTakesNoPlaceInTheLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		tuned := func(i *instance) { i.link.latency = 2 * time.Millisecond }
		a, b := h.instance(tuned), h.instance(tuned)
		h.behave(func(m *manner) { m.latency = 5 * time.Second })
		refs := make([]storage.Ref, narrow)
		for n := range refs {
			refs[n] = h.connect(string(rune('a'+n)), "rotating", nil)
		}
		last := h.connect("last", "rotating", nil)
		h.expire()
		var wg sync.WaitGroup
		for _, r := range refs {
			wg.Go(func() { h.reads(a, r, "at-"+r.ID+"-2", "") })
			// A moment later, when the lease is not taken yet: it is tried for, and lost.
			wg.Go(func() { time.Sleep(time.Millisecond); h.reads(b, r, "at-"+r.ID+"-2", "") })
		}
		time.Sleep(time.Second)
		start := time.Now()
		h.reads(b, last, "at-last-2", "")
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("an answer of 5s took %v", took)
		}
		wg.Wait()
		h.calls(len(refs) + 1)
	})
}

func TestALeaseThatIsTakenOverIsGivenBackWhileThereIsNoPlaceInTheLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		i := h.instance(nil)
		h.behave(func(m *manner) { m.latency = 5 * time.Second })
		refs := make([]storage.Ref, narrow)
		for n := range refs {
			refs[n] = h.connect(string(rune('a'+n)), "rotating", nil)
		}
		left := h.connect("left", "rotating", nil)
		h.expire()
		if _, ok, err := i.Store.AcquireLease(t.Context(), h.record(left), nil, "dead", time.Second); !ok || err != nil {
			t.Fatal(ok, err)
		}
		time.Sleep(time.Second)
		var wg sync.WaitGroup
		for _, r := range refs {
			wg.Go(func() { h.reads(i, r, "at-"+r.ID+"-2", "") })
		}
		time.Sleep(time.Second)
		wg.Go(func() { h.reads(i, left, "at-left-2", "") })
		time.Sleep(time.Second)
		if l := h.record(left).Lease; !l.Until.IsZero() {
			t.Errorf("held by %s while it waits", l.Holder)
		}
		wg.Wait()
	})
}

func TestACrashBeforeALostAnswerIsAskedForAgainLeavesItsNote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		h.expire()
		noted := storage.Attempt{ID: "att_lost", At: now().Add(-time.Minute), Version: 1, Tries: 1, MaySpend: true}
		h.change(r, func(c *storage.Connection) { c.Attempt = &noted })
		h.crash(r, "after the lease")
		if a := h.record(r).Attempt; a == nil || *a != noted {
			t.Errorf("the note is now %+v", a)
		}
		h.calls(0)
		time.Sleep(time.Minute) // whoever asked the victim has given up
	})
}

func TestANoteOfACredentialThatIsNoLongerHeldSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		h.change(r, func(c *storage.Connection) {
			c.Attempt = &storage.Attempt{ID: "att_old", At: now(), Version: c.Version - 1, Tries: 2, MaySpend: true}
		})
		i := h.instance(nil)
		if got, _, err := i.read(r, Wish{Force: true}); err != nil || got != "at-c-2" {
			t.Errorf("Token = %q, %v", got, err)
		}
	})
}
