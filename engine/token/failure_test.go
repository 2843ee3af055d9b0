package token

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

func TestTheOldTokenIsServedWhileItLivesWhateverGoesWrong(t *testing.T) {
	tests := []struct {
		name   string
		refuse error
		lose   error
		tune   func(*instance)
	}{
		{name: "server error", refuse: serverError()},
		{name: "slow down", refuse: answered(fault.RateLimited, 429, "").WithRetryAfter(time.Minute)},
		{name: "refused request", refuse: answered(fault.Refused, 400, "invalid_scope")},
		{name: "not reached", refuse: unsent(t)},
		{name: "answer lost", lose: timedOut(errors.New("reset"))},
		{name: "panic", lose: errPanic},
		{name: "refused app", refuse: invalidClient()},
		{name: "dead grant", refuse: invalidGrant()},
		{name: "no lease to be had", tune: func(i *instance) {
			i.link.before = func(op string) error {
				if op == opAcquire {
					return fault.E(fault.StoreDown, "the store does not answer", errDown)
				}
				return nil
			}
		}},
		{name: "no answer yet", tune: func(i *instance) { i.ReadWait = time.Second }, lose: errSlow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				r := h.connect("c", "rotating", nil)
				i := h.instance(tt.tune)
				h.behave(func(m *manner) { m.refuse = func(*call) error { return tt.refuse } })
				h.behave(func(m *manner) { m.lose = func(*call) error { return act(tt.lose) } })
				// Near its end, where a reader waits for a newer one; the renewal was due before.
				time.Sleep(h.provider.manner().life - 8*time.Second)
				for range 3 {
					got, warning, err := i.read(r, Wish{})
					if err != nil || got != "at-c-1" || warning == "" {
						t.Fatalf("Token = %q, warning %q, %v", got, warning, err)
					}
				}
				if n := len(h.provider.seen()); n > 1 {
					t.Errorf("%d calls", n)
				}
				time.Sleep(time.Minute)
				h.behave(func(m *manner) { m.refuse, m.lose = nil, nil })
			})
		})
	}
}

var (
	errPanic = errors.New("panic")
	errSlow  = errors.New("slow")
)

func act(err error) error {
	switch {
	case errors.Is(err, errPanic):
		panic("a method that cannot cope")
	case errors.Is(err, errSlow):
		time.Sleep(10 * time.Second)
		return nil
	}
	return err
}

func TestATransientFailureIsRetriedOnALadderAndNeverAsksThePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.behave(func(m *manner) { m.refuse = func(*call) error { return serverError() } })
		h.expire()
		started := time.Now()
		sweeper := Sweeper{Source: i.Source}
		for time.Since(started) < 3*time.Hour {
			if wait := h.fails(i, r, fault.Unavailable, ""); wait <= 0 || wait > 15*time.Minute {
				t.Fatalf("RetryAfter %v", wait)
			}
			if err := sweeper.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		calls := h.provider.seen()
		last := time.Duration(0)
		for n := 1; n < len(calls); n++ {
			wait := calls[n].at.Sub(calls[n-1].at)
			switch {
			case n == 1 && wait > 30*time.Second, wait > 15*time.Minute:
				t.Errorf("wait %d is %v", n, wait)
			case n < len(ladder) && wait < last*3/2:
				t.Errorf("wait %d is %v after %v", n, wait, last)
			case wait < 4*time.Second:
				t.Errorf("wait %d is %v", n, wait)
			}
			last = wait
		}
		if n := len(calls); n < 16 || n > 25 {
			t.Errorf("%d calls in three hours", n)
		}
		if c := h.record(r); c.Status != storage.Active || c.Health.Failures != len(calls) {
			t.Errorf("status %s, %d failures", c.Status, c.Health.Failures)
		}
		h.behave(func(m *manner) { m.refuse = nil })
		time.Sleep(15 * time.Minute)
		h.reads(i, r, "at-c-2", "")
		if c := h.record(r); c.Health.Failures != 0 || c.Health.LastRefreshError != "" {
			t.Errorf("after the recovery: %+v", c.Health)
		}
	})
}

func TestTheLadderIsJittered(t *testing.T) {
	waits := map[time.Duration]bool{}
	for range 50 {
		wait := backoff(1)
		waits[wait] = true
		if wait < 4500*time.Millisecond || wait > 5500*time.Millisecond {
			t.Errorf("first wait %v", wait)
		}
		if wait := backoff(1000); wait > 15*time.Minute {
			t.Errorf("last wait %v", wait)
		}
	}
	if len(waits) < 40 {
		t.Errorf("%d different waits of 50", len(waits))
	}
}

func TestADeadGrantIsAskedForOnceAndSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		a, b := h.instance(nil), h.instance(nil)
		h.provider.grants["c"].dead = true
		time.Sleep(50 * time.Minute)
		var wg sync.WaitGroup
		for range 20 {
			for _, i := range []*instance{a, b} {
				wg.Go(func() { _, _, _ = i.read(r, Wish{Force: true}) })
			}
		}
		wg.Wait()
		// The access token still lives: it is served, and said to be the last.
		h.reads(a, r, "at-c-1", "needs_reauth")
		h.reads(b, r, "at-c-1", "needs_reauth")
		time.Sleep(10 * time.Minute)
		for range 20 {
			h.fails(a, r, fault.NeedsReauth, "invalid_grant")
			if err := (&Sweeper{Source: b.Source}).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		h.calls(1)
		c := h.record(r)
		if n := count(c.Outbox, audit.ConnectionNeedsReauth); n != 1 || c.Status != storage.NeedsReauth || c.StatusReason != "invalid_grant" {
			t.Errorf("%d events, status %s, reason %s", n, c.Status, c.StatusReason)
		}
	})
}

func TestOnlyTheHolderOfTheNewestLeaseEndsAGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		slow, fast := h.instance(nil), h.instance(nil)
		// The slow one is told that the grant is dead while the person connects again.
		h.behave(func(m *manner) { m.latency = 5 * time.Second })
		h.behave(func(m *manner) { m.refuse = func(*call) error { return invalidGrant() } })
		h.expire()
		var wg sync.WaitGroup
		wg.Go(func() { h.reads(slow, r, "at-new-1", "") })
		time.Sleep(time.Second)
		sealed, err := h.vault(nil).SealCredential(t.Context(), r, h.provider.grant("new"))
		if err != nil {
			t.Fatal(err)
		}
		h.change(r, func(c *storage.Connection) {
			c.Credential, c.Attempt, c.ObtainedAt = sealed, nil, now()
			c.ExpiresAt, c.RefreshAt = now().Add(time.Hour), now().Add(50*time.Minute)
			c.RaiseFence()
			c.Version = 2
		})
		wg.Wait()
		if c := h.record(r); c.Status != storage.Active || count(c.Outbox, audit.ConnectionNeedsReauth) != 0 {
			t.Errorf("status %s (%s)", c.Status, c.StatusReason)
		}
		h.reads(fast, r, "at-new-1", "")
	})
}

// renewAll has everything renewed by a sweep or by one reader each.

func TestARefusalOfAnUnknownKindIsNotTakenForeverNorAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		var answer error
		h.behave(func(m *manner) { m.refuse = func(*call) error { return answer } })
		h.expire()
		sweepFor := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Second) {
				if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		answer = serverError()
		sweepFor(2 * time.Hour)
		answer = answered(fault.Refused, 403, "blocked")
		sweepFor(10 * time.Minute) // once, at the outage's end
		if c := h.record(r); c.Status != storage.Active {
			t.Fatalf("one refusal after an outage: %s", c.StatusReason)
		}
		answer = answered(fault.Refused, 400, "invalid_request")
		sweepFor(3 * time.Hour)
		if c := h.record(r); c.Status != storage.NeedsReauth || c.StatusReason != "refresh_refused" {
			t.Fatalf("refused again and again: status %s", c.Status)
		}
	})
}

func TestAForcedRefreshOfWhatCannotBeRenewedEndsNothing(t *testing.T) {
	for _, life := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			h.behave(func(m *manner) { m.life = life })
			r := h.connect("c", "endless", nil)
			i := h.instance(nil)
			_, _, err := i.read(r, Wish{Force: true})
			if fault.KindOf(err) != fault.Invalid || codeOf(err) != "not-renewable" {
				t.Errorf("a force got %v", err)
			}
			if c := h.record(r); c.Status != storage.Active || !c.RefreshAt.IsZero() || !c.Lease.Until.IsZero() {
				t.Errorf("status %s, refresh at %v, lease %v", c.Status, c.RefreshAt, c.Lease)
			}
			h.reads(i, r, "at-c-1", "")
			h.calls(0)
			if life == 0 {
				return
			}
			// Its end is said once, when somebody looks.
			time.Sleep(life)
			h.fails(i, r, fault.NeedsReauth, "expired")
			h.fails(i, r, fault.NeedsReauth, "expired")
			if c := h.record(r); count(c.Outbox, audit.ConnectionNeedsReauth) != 1 {
				t.Errorf("%d events", len(c.Outbox))
			}
		})
	}
}

func TestTheEndOfWhatCannotBeRenewedIsSeenThoughNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "endless", nil)
		lost := h.connect("lost", "endless", func(c *storage.Connection) { c.ConnectorVersion = "gone" })
		i := h.instance(nil)
		began := time.Now()
		for range 2 * 3600 {
			if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c := h.record(r); alive(c, time.Now()) != (c.Status == storage.Active) {
				t.Fatalf("%s after %v of %v", c.Status, time.Since(began), lifetime(c))
			}
			time.Sleep(time.Second)
		}
		if c := h.record(r); c.StatusReason != "expired" || count(c.Outbox, audit.ConnectionNeedsReauth) != 1 {
			t.Errorf("%s (%s), %d events", c.Status, c.StatusReason, len(c.Outbox))
		}
		h.calls(0)
		// Nobody can tell what is to become of this one, and it is not tried without end.
		if c := h.record(lost); c.Status != storage.Active || c.Lease.Fence > 40 {
			t.Errorf("%s after %d leases in an hour", c.Status, c.Lease.Fence)
		}
	})
}

func TestAFailureIsDescribedWithTheProvidersWordsAsAQuotation(t *testing.T) {
	err := fmt.Errorf("refresh: %w", fault.E(fault.Refused, "Acme refused the request", &auth.ProviderError{Status: 400, Code: "bad", Description: "no way"}))
	if got, want := describe(err), "Acme refused the request (400 bad): “no way”"; got != want {
		t.Errorf("describe = %s, want %s", got, want)
	}
	if got, want := describe(errors.New("secret in here")), "something went wrong on our side"; got != want {
		t.Errorf("describe = %s, want %s", got, want)
	}
}
