package token

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

func (h *house) cutOff(i *instance) {
	h.behave(func(m *manner) { m.lose = func(*call) error { i.link.down.Store(true); return nil } })
}

func TestACredentialThatCannotBeSavedIsServedAndSavedWhenTheStoreIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.cutOff(i)
		h.expire()
		h.reads(i, r, "at-c-2", "")
		time.Sleep(10 * time.Minute)
		h.reads(i, r, "at-c-2", "")
		if got := h.record(r).Version; got != 1 {
			t.Fatalf("the store has version %d", got)
		}
		h.behave(func(m *manner) { m.lose = nil })
		i.link.down.Store(false)
		time.Sleep(2 * saveAgain)
		if c := h.record(r); c.Version != 2 || c.Attempt != nil || count(c.Outbox, audit.CredentialRefreshed) != 1 {
			t.Fatalf("after the store is back: version %d, attempt %v, %d events", c.Version, c.Attempt, len(c.Outbox))
		}
		h.reads(i, r, "at-c-2", "")
		h.calls(1)
	})
}

func TestWhileACredentialIsInHandNothingIsRenewedFromTheSpentOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		// The store takes leases and notes, but not this credential.
		var full atomic.Bool
		full.Store(true)
		i := h.instance(func(i *instance) {
			i.link.before = func(op string) error {
				c, _ := h.store.connection(r)
				if full.Load() && (op == opLeased && c.Attempt != nil || op == opUpdate) {
					return fault.E(fault.StoreDown, "disk full", errDown)
				}
				return nil
			}
		})
		h.expire()
		h.reads(i, r, "at-c-2", "")
		time.Sleep(2 * time.Minute) // the lease has run out
		if _, _, err := i.read(r, Wish{Force: true}); fault.KindOf(err) != fault.Timeout {
			t.Errorf("a force got %v", err)
		}
		h.calls(1)
		full.Store(false)
		time.Sleep(2 * saveAgain)
		if _, _, err := i.read(r, Wish{Force: true}); err != nil {
			t.Errorf("a force got %v", err)
		}
		if h.provider.reused != 0 {
			t.Error("a spent refresh token was sent")
		}
	})
}

func TestAnInstanceThatComesBackIsLeftTimeToSaveWhatItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		a, b := h.instance(nil), h.instance(nil)
		h.cutOff(a)
		h.expire()
		h.reads(a, r, "at-c-2", "")
		b.link.down.Store(true) // the store is down for everybody, far beyond the lease
		time.Sleep(5*time.Minute + 123*time.Millisecond)
		h.behave(func(m *manner) { m.lose = nil })
		b.link.down.Store(false)
		a.link.down.Store(false)
		h.reads(b, r, "at-c-2", "") // at once, when the lease is free and a has not saved yet
		if h.provider.reused != 0 || h.provider.mostUsed() != 1 {
			t.Errorf("reuse detected %d times", h.provider.reused)
		}
	})
}

func TestAWriteWhoseAnswerIsLostIsNotMadeTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		lost := 0
		i := h.instance(func(i *instance) {
			i.link.after = func(op string) error {
				if op == opLeased && h.record(r).Version == 2 && lost == 0 {
					lost++
					return fault.E(fault.StoreDown, "the answer is lost", errDown)
				}
				return nil
			}
		})
		h.expire()
		h.reads(i, r, "at-c-2", "")
		time.Sleep(2 * saveAgain)
		if c := h.record(r); lost != 1 || c.Version != 2 || count(c.Outbox, audit.CredentialRefreshed) != 1 || len(h.provider.revoked) != 0 {
			t.Errorf("version %d, %d events, revoked %v", c.Version, len(c.Outbox), h.provider.revoked)
		}
		h.reads(i, r, "at-c-2", "")
	})
}

func TestCloseWaitsForTheCredentialInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.cutOff(i)
		h.expire()
		h.reads(i, r, "at-c-2", "")
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := i.Close(short); err == nil {
			t.Fatal("closed with a credential in hand")
		}
		go func() { time.Sleep(time.Minute); i.link.down.Store(false) }()
		if err := i.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.record(r).Version; got != 2 {
			t.Errorf("closed with version %d in the store", got)
		}
	})
}

func TestCloseLetsNoRefreshBeginAndFinishesThoseUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r, late := h.connect("c", "rotating", nil), h.connect("late", "rotating", nil)
		i := h.instance(nil)
		h.behave(func(m *manner) { m.latency = 10 * time.Second })
		h.expire()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = i.Token(ctx, r, Wish{}) }()
		time.Sleep(time.Second)
		cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := i.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if got := h.record(r).Version; got != 2 {
				t.Errorf("closed with version %d in the store", got)
			}
		})
		time.Sleep(time.Second)
		h.fails(i, late, fault.Unavailable, "")
		wg.Wait()
		h.calls(1)
	})
}

func TestADisconnectWhileTheCredentialIsInHandHoldsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.cutOff(i)
		h.expire()
		h.reads(i, r, "at-c-2", "")
		time.Sleep(5100 * time.Millisecond) // between two tries to save
		h.change(r, func(c *storage.Connection) {
			c.Status, c.Credential, c.RefreshAt = storage.Revoked, nil, time.Time{}
			c.RaiseFence()
		})
		h.behave(func(m *manner) { m.lose = nil })
		i.link.down.Store(false)
		i.Forget(r)
		h.fails(i, r, fault.Revoked, "")
		time.Sleep(2 * saveAgain)
		h.fails(i, r, fault.Revoked, "")
		if len(h.provider.revoked) != 1 || h.provider.revoked[0] != "at-c-2" {
			t.Errorf("revoked %v", h.provider.revoked)
		}
	})
}
