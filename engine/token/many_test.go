package token

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// crowd runs readers and sweepers on every instance for a while. Every reader reads again and again,
// and forces a refresh every forceEvery reads (zero: never).
func (h *house) crowd(refs []storage.Ref, readers int, pause, long time.Duration, forceEvery int) (reads, forced int) {
	h.t.Helper()
	end := time.Now().Add(long)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, i := range h.sources {
		wg.Go(func() {
			sweeper := Sweeper{Source: i.Source, Pool: 8}
			for time.Now().Before(end) {
				if err := sweeper.Sweep(h.t.Context()); err != nil {
					h.t.Errorf("Sweep: %v", err)
				}
				time.Sleep(time.Second)
			}
		})
		for n := range readers {
			wg.Go(func() {
				for k := 1; time.Now().Before(end); k++ {
					time.Sleep(pause/2 + rand.N(pause))
					w := Wish{Force: forceEvery > 0 && (n+k)%forceEvery == 0}
					r := refs[rand.N(len(refs))]
					live, err := i.Token(h.t.Context(), r, w)
					if err != nil {
						h.t.Errorf("%s: %v", i.Holder, err)
					} else if live.Warning != "" || !live.ExpiresAt.After(time.Now()) {
						h.t.Errorf("%s: got a token that ends at %v with warning %q", i.Holder, live.ExpiresAt, live.Warning)
					}
					mu.Lock()
					if reads++; w.Force {
						forced++
					}
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	return reads, forced
}

func TestManyInstancesAndReadersRefreshOncePerExpiry(t *testing.T) {
	const connections, instances, readers = 4, 3, 10
	const long, life = 6 * time.Hour, 10 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.life = life })
		var refs []storage.Ref
		for n := range connections {
			refs = append(refs, h.connect(fmt.Sprintf("c%d", n), "rotating", nil))
		}
		for range instances {
			h.instance(func(i *instance) { i.link.latency = 2 * time.Millisecond })
		}
		reads, _ := h.crowd(refs, readers, time.Minute, long, 0)
		h.close()

		if h.provider.reused > 0 || h.provider.mostUsed() != 1 || h.provider.parallel != 1 {
			t.Errorf("reuse detected %d times, a refresh token sent up to %d times, %d calls at once for one grant",
				h.provider.reused, h.provider.mostUsed(), h.provider.parallel)
		}
		for _, k := range h.provider.seen() {
			// The margin is a fifth of the life, jittered by a tenth.
			if age := k.at.Sub(k.issued); age < life*77/100 {
				t.Errorf("%s was renewed %v after it came, of %v", k.refresh, age, life)
			}
		}
		calls := len(h.provider.seen())
		expiries := connections * int(long/life)
		if calls < expiries || calls > expiries*13/10 {
			t.Errorf("%d calls for %d reads and some %d expiries", calls, reads, expiries)
		}
		events := 0
		for _, r := range refs {
			c := h.record(r)
			events += count(c.Outbox, audit.CredentialRefreshed)
			if c.Status != storage.Active || c.Attempt != nil || !c.Lease.Until.IsZero() {
				t.Errorf("left behind: status %s, attempt %v, lease %v", c.Status, c.Attempt, c.Lease)
			}
		}
		if events != calls {
			t.Errorf("%d events for %d refreshes", events, calls)
		}
	})
}

func TestReadersSweepersAndForcedRefreshesTogetherNeverSpendTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.life = 30 * time.Second })
		refs := []storage.Ref{h.connect("a", "rotating", nil), h.connect("b", "rotating", nil)}
		for range 3 {
			h.instance(func(i *instance) { i.link.latency = 2 * time.Millisecond })
		}
		_, forced := h.crowd(refs, 8, 10*time.Second, 30*time.Minute, 20)
		h.close()
		if h.provider.reused > 0 || h.provider.mostUsed() != 1 || h.provider.parallel != 1 {
			t.Errorf("reuse detected %d times, a refresh token sent up to %d times, %d calls at once for one grant",
				h.provider.reused, h.provider.mostUsed(), h.provider.parallel)
		}
		// 24 to 30 s apart without a force; a force starts the life anew.
		if calls, most := len(h.provider.seen()), 2*30*60/23+forced; forced == 0 || calls > most {
			t.Errorf("%d calls, at most %d wanted with %d forced", calls, most, forced)
		}
	})
}

func TestTokensOfTwoSecondsAreRefreshedOncePerLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.life, m.latency = 2*time.Second, 50*time.Millisecond })
		refs := []storage.Ref{h.connect("c", "rotating", nil)}
		for range 2 {
			h.instance(nil)
		}
		h.crowd(refs, 20, 300*time.Millisecond, time.Minute, 0)
		h.close()
		if calls := len(h.provider.seen()); h.provider.reused > 0 || h.provider.mostUsed() != 1 || calls > 40 || calls < 25 {
			t.Errorf("%d calls in a minute, reuse detected %d times", calls, h.provider.reused)
		}
	})
}

func TestAWishBeyondTheWholeLifeDoesNotRefreshAtEveryRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.life = 30 * time.Second })
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		for range 100 {
			if _, _, err := i.read(r, Wish{MinTTL: time.Hour}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Millisecond)
		}
		if calls := len(h.provider.seen()); calls > 2 {
			t.Errorf("%d calls for 100 reads in 20 s", calls)
		}
	})
}

func TestAWishForALongerLifeIsGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		time.Sleep(45 * time.Minute)
		h.reads(i, r, "at-c-1", "")
		if got, _, err := i.read(r, Wish{MinTTL: 20 * time.Minute}); err != nil || got != "at-c-2" {
			t.Fatalf("with 15 minutes left a wish for 20 got %s, %v", got, err)
		}
		h.calls(1)
	})
}

func TestATokenThatEndedBeforeItCameIsNotRenewedWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.behave(func(m *manner) { m.life = 0 })
		h.expireAt(r, time.Now())
		for range 50 {
			if _, _, err := i.read(r, Wish{}); err != nil {
				t.Fatal(err)
			}
			if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		h.calls(1)
	})
}
