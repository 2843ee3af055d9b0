package token

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

func TestAnAnswerIsServedFromMemoryForASecondAndNotLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		for range 10 {
			h.reads(i, r, "at-c-1", "")
			time.Sleep(99 * time.Millisecond)
		}
		if n := i.link.reads.Load(); n != 1 {
			t.Errorf("%d reads of the store in a second", n)
		}
		if b, ok := i.Peek(nil, r, 0); !ok || !bytes.Contains(b, []byte("at-c-1")) {
			t.Errorf("Peek = %s, %v", b, ok)
		}
		time.Sleep(20 * time.Millisecond)
		if _, ok := i.Peek(nil, r, 0); ok {
			t.Error("Peek serves what is older than a second")
		}
		h.reads(i, r, "at-c-1", "")
		if n := i.link.reads.Load(); n != 2 {
			t.Errorf("%d reads of the store", n)
		}
	})
}

func TestWithoutACacheEveryReadAsksTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(func(i *instance) { i.CacheTTL = -1 })
		for range 3 {
			h.reads(i, r, "at-c-1", "")
		}
		if n := i.link.reads.Load(); n != 3 {
			t.Errorf("%d reads of the store", n)
		}
	})
}

func TestWhatEndsAConnectionElsewhereIsNoticedWithinASecond(t *testing.T) {
	tests := []struct {
		status storage.Status
		kind   fault.Kind
	}{
		{storage.NeedsReauth, fault.NeedsReauth}, {storage.Revoked, fault.Revoked}, {storage.Disabled, fault.Disabled},
	}
	for _, tt := range tests {
		t.Run(string(tt.status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				r := h.connect("c", "rotating", nil)
				i := h.instance(func(i *instance) { i.link.latency = 300 * time.Millisecond })
				h.reads(i, r, "at-c-1", "")
				h.change(r, func(c *storage.Connection) { c.Status, c.Credential = tt.status, nil })
				time.Sleep(time.Second)
				h.fails(i, r, tt.kind, "")
			})
		})
	}
}

func TestForgetHoldsAtOnceEvenAgainstAReadUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(func(i *instance) {
			i.link.after = func(op string) error {
				if op == opRead {
					time.Sleep(100 * time.Millisecond) // between the store and the reader
				}
				return nil
			}
		})
		var wg sync.WaitGroup
		wg.Go(func() { h.reads(i, r, "at-c-1", "") })
		time.Sleep(50 * time.Millisecond)
		h.change(r, func(c *storage.Connection) { c.Status, c.Credential = storage.Revoked, nil })
		i.Forget(r)
		wg.Wait()
		if _, ok := i.Peek(nil, r, 0); ok {
			t.Error("a read that began before the end is kept after it")
		}
		h.fails(i, r, fault.Revoked, "")
	})
}

func TestAnOlderAnswerNeverReplacesANewerOneInMemory(t *testing.T) {
	var k cache
	r := storage.Ref{Tenant: tenant, ID: "c"}
	m := k.mark(r)
	put := func(version int64) {
		k.put(Live{Ref: r, Version: version, written: []byte(fmt.Sprint(version))}, storage.Connection{Ref: r}, m, time.Second)
	}
	put(2)
	put(1)
	if l, ok := k.get(r, time.Second, 0, time.Now()); !ok || l.Version != 2 || string(l.written) != "2" {
		t.Errorf("kept version %d: %s", l.Version, l.written)
	}
}

func TestAnAnswerInMemoryIsNeverServedPastItsRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.life = time.Minute })
		r := h.connect("c", "rotating", nil)
		i := h.instance(func(i *instance) { i.CacheTTL = time.Hour }) // only the end of the token limits it
		refreshAt := h.record(r).RefreshAt
		for time.Now().Before(refreshAt.Add(-time.Second)) {
			h.reads(i, r, "at-c-1", "")
			time.Sleep(time.Second)
		}
		if n := i.link.reads.Load(); n != 1 {
			t.Errorf("%d reads of the store", n)
		}
		time.Sleep(2 * time.Second)
		h.reads(i, r, "at-c-1", "") // due: this read sets the renewal going
		time.Sleep(time.Second)
		h.reads(i, r, "at-c-2", "")
		h.calls(1)
	})
}

func TestMemoryHoldsNoTokenInTheOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.reads(i, r, "at-c-1", "")
		n := 0
		i.cache.entries.Range(func(_, v any) bool {
			n++
			if bytes.Contains(v.(*cached).sealed, []byte("at-c-1")) {
				t.Error("the answer is kept in the open")
			}
			return true
		})
		if n != 1 {
			t.Errorf("%d answers kept", n)
		}
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k cache
		put := func(n int) {
			r := storage.Ref{Tenant: tenant, ID: fmt.Sprint(n)}
			k.put(Live{Ref: r, written: []byte("{}")}, storage.Connection{Ref: r}, k.mark(r), time.Second)
		}
		for n := range maxCached + 500 {
			put(n)
		}
		if n := k.size.Load(); n != maxCached {
			t.Errorf("%d kept", n)
		}
		time.Sleep(2 * time.Second)
		put(-1)
		if n := k.size.Load(); n != 1 {
			t.Errorf("%d kept when all had aged", n)
		}
	})
}

func TestAnUnreadableCredentialIsReportedAndLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r, other := h.connect("c", "rotating", nil), h.connect("other", "rotating", nil)
		i := h.instance(nil)
		// Moved from another record: it does not open here.
		moved := h.record(other).Credential
		h.change(r, func(c *storage.Connection) { c.Credential = moved })
		h.fails(i, r, fault.Corrupt, "")
		h.expire()
		h.fails(i, r, fault.Corrupt, "")
		if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := h.record(r)
		if !bytes.Equal(c.Credential, moved) || c.Status != storage.Active || c.Version != 1 {
			t.Errorf("status %s, version %d", c.Status, c.Version)
		}
		if !strings.Contains(c.Health.LastRefreshError, "cannot be read") {
			t.Errorf("the record says %q", c.Health.LastRefreshError)
		}
		h.reads(i, other, "at-other-2", "")
		h.calls(1)
	})
}

func TestALiveTokenIsServedAlthoughItsDefinitionIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", func(c *storage.Connection) { c.ConnectorVersion = "gone" })
		i := h.instance(nil)
		h.reads(i, r, "at-c-1", "definition_missing")
		h.expire()
		h.fails(i, r, fault.Misconfigured, "definition-missing")
		h.calls(0)
		h.change(r, func(c *storage.Connection) { c.ConnectorVersion = h.version }) // it is back
		h.reads(i, r, "at-c-2", "")
	})
}

func TestAnAppThatIsGoneIsTheOperatorsAffair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		delete(h.store.apps, theApp)
		h.reads(i, r, "at-c-1", "")
		h.expire()
		h.fails(i, r, fault.Misconfigured, "app-missing")
		if c := h.record(r); c.Status != storage.Active {
			t.Errorf("status %s", c.Status)
		}
	})
}

func TestADeadStoreIsSaidQuickly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		i.link.down.Store(true)
		start := time.Now()
		h.fails(i, r, fault.StoreDown, "")
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("after %v", took)
		}
		if _, err := i.Newer(t.Context(), r, 1); !errors.Is(err, errDown) {
			t.Errorf("Newer: %v", err)
		}
		h.calls(0)
	})
}
