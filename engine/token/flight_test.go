package token

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/fault"
)

func TestFiveHundredReadersOfAnEndedTokenMakeOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(func(i *instance) { i.link.latency = 3 * time.Millisecond })
		h.expire()
		var wg sync.WaitGroup
		tokens := make([]string, 500)
		for n := range tokens {
			wg.Go(func() { tokens[n], _, _ = i.read(r, Wish{}) })
		}
		wg.Wait()
		for n, got := range tokens {
			if got != "at-c-2" {
				t.Fatalf("reader %d got %q", n, got)
			}
		}
		h.calls(1)
	})
}

func TestAForcedRefreshIsNotSatisfiedByAnOlderFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(func(i *instance) {
			i.link.after = func(op string) error {
				if op == opLeased {
					time.Sleep(time.Second) // the store has written and is slow to say so
				}
				return nil
			}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if got, _, err := i.read(r, Wish{Force: true}); got != "at-c-2" || err != nil {
				t.Errorf("the first force got %s, %v", got, err)
			}
		})
		// The first flight has written version 2 and is still in the air when somebody who sees that
		// version asks for a newer one.
		time.Sleep(700 * time.Millisecond)
		if got := h.record(r).Version; got != 2 {
			t.Fatalf("version %d", got)
		}
		if got, _, err := i.read(r, Wish{Force: true}); got != "at-c-3" || err != nil {
			t.Errorf("the second force got %s, %v", got, err)
		}
		wg.Wait()
		h.calls(2)
	})
}

func TestAFlightDoesNotDieWithItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.behave(func(m *manner) { m.latency = 2 * time.Second })
		h.expire()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		left := time.Duration(0)
		wg.Go(func() {
			start := time.Now()
			_, err := i.Token(ctx, r, Wish{})
			if left = time.Since(start); fault.KindOf(err) != fault.Timeout {
				t.Errorf("the caller that left got %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { h.reads(i, r, "at-c-2", "") })
		time.Sleep(100 * time.Millisecond)
		cancel()
		wg.Wait()
		if left != 100*time.Millisecond {
			t.Errorf("a caller whose context had ended waited %v", left)
		}
		h.calls(1)
	})
}

func TestARefreshGoesOnWhenNobodyWaitsAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(func(i *instance) { i.ReadWait = time.Second })
		h.behave(func(m *manner) { m.latency = 20 * time.Second })
		h.expire()
		h.fails(i, r, fault.Timeout, "")
		other := h.instance(func(i *instance) { i.ReadWait = time.Second })
		h.fails(other, r, fault.Timeout, "")
		time.Sleep(20 * time.Second)
		h.reads(i, r, "at-c-2", "")
		h.reads(other, r, "at-c-2", "")
		h.calls(1)
	})
}

func TestAReaderOnAnotherInstanceGetsTheNewTokenSoonAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		a, b := h.instance(nil), h.instance(nil)
		h.behave(func(m *manner) { m.latency = 3 * time.Second })
		h.expire()
		var wg sync.WaitGroup
		for _, i := range []*instance{a, b} {
			wg.Go(func() {
				start := time.Now()
				h.reads(i, r, "at-c-2", "")
				if took := time.Since(start); took > 4*time.Second {
					t.Errorf("%s waited %v for an answer of 3s", i.Holder, took)
				}
			})
		}
		wg.Wait()
		h.calls(1)
	})
}

func TestALateReaderOfAnOldRecordDoesNotRefreshAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		// Read before the refresh, asked for after it.
		if _, err := i.Newer(t.Context(), r, 1); err != nil {
			t.Fatal(err)
		}
		live, err := i.Newer(t.Context(), r, 1)
		if err != nil || live.Version != 2 {
			t.Fatalf("Newer(1) = version %d, %v", live.Version, err)
		}
		h.calls(1)
	})
}

func TestAReaderWaitsForTheNewTokenWhenNextToNothingIsLeftOfTheOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.life = 2 * time.Second })
		r := h.connect("c", "rotating", nil)
		i := h.instance(func(i *instance) { i.link.latency = time.Millisecond })
		for left := 120 * time.Millisecond; left > 0; left -= 2500 * time.Microsecond {
			time.Sleep(time.Until(h.record(r).ExpiresAt.Add(-left)))
			live, err := i.Token(t.Context(), r, Wish{})
			if err != nil || !live.ExpiresAt.After(time.Now()) {
				t.Fatalf("with %v left: ended at %v, warning %q, %v", left, live.ExpiresAt, live.Warning, err)
			}
			if _, _, err := i.read(r, Wish{Force: true}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestACallEndsBeforeTheLeaseThatGuardsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		h.behave(func(m *manner) {
			m.latency = 10 * time.Minute
			m.refuse = func(*call) error { return serverError() } // it hangs, and does nothing
		})
		h.expire()
		for range 3 {
			i := h.instance(nil)
			go func() { _, _, _ = i.read(r, Wish{}) }()
		}
		time.Sleep(time.Minute)
		if calls := len(h.provider.seen()); h.provider.parallel != 1 || calls > 2 {
			t.Errorf("%d calls, %d at once", calls, h.provider.parallel)
		}
		if c := h.record(r); c.Attempt == nil {
			t.Error("nothing is left of an attempt whose answer nobody knows")
		}
	})
}
