package token

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// crash has an instance begin a refresh of r and die at the given point. The points are those at
// which something has happened that the process alone knows.
func (h *house) crash(r storage.Ref, at string) {
	h.t.Helper()
	victim := h.instance(nil)
	switch at {
	case "after the lease":
		victim.link.after = func(op string) error {
			if op == opAcquire {
				victim.kill()
				victim.link.die()
			}
			return nil
		}
	case "after the sending", "after the answer":
		h.behave(func(m *manner) { m.lose = func(*call) error { victim.kill(); return nil } })
		if at == "after the sending" {
			h.behave(func(m *manner) { m.latency = 0 })
		}
	}
	go func() { _, _, _ = victim.read(r, Wish{Force: true}) }()
	time.Sleep(time.Second)
	if !victim.link.dead.Load() {
		h.t.Fatal("the victim lives")
	}
	h.behave(func(m *manner) { m.lose = nil })
}

func TestACrashAfterTheLeaseLosesNothing(t *testing.T) {
	// The lease carries the note of the attempt, and whoever finds that waits a little for the answer.
	// A lease that is taken over does not, until the record was read.
	tests := []struct {
		name   string
		leased bool // by somebody who has died
		within time.Duration
	}{
		{name: "with the note", within: 32*time.Second + courtesy},
		{name: "without the note", leased: true, within: 32 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				r := h.connect("c", "rotating", nil)
				h.expire()
				i := h.instance(func(i *instance) { i.ReadWait = time.Minute })
				if tt.leased {
					if _, ok, err := i.link.AcquireLease(t.Context(), h.record(r), nil, "dead", time.Second); !ok || err != nil {
						t.Fatal(ok, err)
					}
					time.Sleep(time.Second)
				}
				died := time.Now()
				h.crash(r, "after the lease")
				if noted := h.record(r).Attempt != nil; noted == tt.leased {
					t.Fatalf("there is a note: %v", noted)
				}
				h.reads(i, r, "at-c-2", "")
				if took := time.Since(died); took < 30*time.Second || took > tt.within {
					t.Errorf("taken over after %v of a lease of 30s", took)
				}
				h.calls(1)
			})
		})
	}
}

func TestAfterACrashTheSecretIsNotSentAgainWhileTheOldTokenLivesAndThenOnce(t *testing.T) {
	tests := []struct {
		at     string
		reason string // empty: the provider had not acted, and the one more try succeeds
	}{
		{at: "after the lease"},
		{at: "after the sending", reason: "refresh_result_unknown"},
		{at: "after the answer", reason: "refresh_result_unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				r := h.connect("c", "rotating", nil)
				i := h.instance(nil)
				time.Sleep(30 * time.Minute)
				h.crash(r, tt.at)
				sent := len(h.provider.seen())
				time.Sleep(time.Minute) // the lease has run out

				sweeper := Sweeper{Source: i.Source}
				for alive(h.record(r), time.Now().Add(time.Minute)) {
					if err := sweeper.Sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
					if _, _, err := i.read(r, Wish{Force: true}); fault.KindOf(err) != fault.Unavailable {
						t.Fatalf("a force got %v", err)
					}
					if got, _, err := i.read(r, Wish{}); got != "at-c-1" || err != nil {
						t.Fatalf("Token = %s, %v", got, err)
					}
					time.Sleep(time.Minute)
				}
				h.calls(sent)
				time.Sleep(2 * time.Minute)
				if tt.reason == "" {
					h.reads(i, r, "at-c-2", "")
					h.calls(sent + 1)
					return
				}
				h.fails(i, r, fault.NeedsReauth, tt.reason)
				for range 10 {
					h.fails(i, r, fault.NeedsReauth, tt.reason)
					time.Sleep(time.Minute)
				}
				h.calls(sent + 1)
				if c := h.record(r); c.StatusReason != tt.reason || count(c.Outbox, audit.ConnectionNeedsReauth) != 1 {
					t.Errorf("status %s (%s)", c.Status, c.StatusReason)
				}
			})
		})
	}
}

func TestWithReuseGraceALostAnswerIsAskedForAgainAtOnceAndNothingIsLost(t *testing.T) {
	for _, at := range []string{"after the lease", "after the sending", "after the answer"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.behave(func(m *manner) { m.grace = 10 * time.Minute })
				r := h.connect("c", "graceful", nil)
				i := h.instance(nil)
				time.Sleep(55 * time.Minute)
				h.crash(r, at)
				time.Sleep(30 * time.Second) // the lease has run out
				if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				c := h.record(r)
				if c.Version != 2 || c.Status != storage.Active || c.Attempt != nil || h.provider.reused != 0 {
					t.Fatalf("version %d, status %s (%s), reuse detected %d times", c.Version, c.Status, c.StatusReason, h.provider.reused)
				}
				// What was saved is what the provider takes.
				if _, _, err := i.read(r, Wish{Force: true}); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestALostAnswerWithinTheGraceIsAskedForAgainByTheSameInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.grace = 10 * time.Minute })
		r := h.connect("c", "graceful", nil)
		i := h.instance(nil)
		time.Sleep(55 * time.Minute)
		h.behave(func(m *manner) {
			m.lose = func(k *call) error {
				if k.n < 2 {
					return timedOut(errors.New("reset"))
				}
				return nil
			}
		})
		for range 60 {
			if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		h.calls(3)
		if c := h.record(r); c.Version != 2 || c.Status != storage.Active {
			t.Errorf("version %d, status %s (%s)", c.Version, c.Status, c.StatusReason)
		}
	})
}

func TestTheGraceCountsFromTheFirstTimeTheSecretWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.grace = 6 * time.Minute })
		r := h.connect("c", "graceful", nil)
		i := h.instance(nil)
		time.Sleep(30 * time.Minute)
		h.behave(func(m *manner) {
			m.lose = func(*call) error {
				return fault.E(fault.Timeout, "no answer", errors.New("reset")).WithRetryAfter(100 * time.Second)
			}
		})
		first := time.Now()
		if _, _, err := i.read(r, Wish{Force: true}); err == nil {
			t.Fatal("no error")
		}
		for time.Since(first) < time.Hour {
			if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		for _, k := range h.provider.seen() {
			if k.at.Sub(first) > 6*time.Minute {
				t.Errorf("sent %v after the first time", k.at.Sub(first))
			}
		}
		if c := h.record(r); h.provider.reused != 0 || c.StatusReason != "refresh_result_unknown" {
			t.Errorf("reuse detected %d times, status %s (%s)", h.provider.reused, c.Status, c.StatusReason)
		}
	})
}

func TestALostAnswerWithoutRotationIsSimplyAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.sameRefresh = true })
		r := h.connect("c", "fixed", nil)
		i := h.instance(nil)
		time.Sleep(56 * time.Minute)
		h.crash(r, "after the answer")
		time.Sleep(40 * time.Second)
		h.reads(i, r, "at-c-1", "")
		time.Sleep(time.Second)
		h.reads(i, r, "at-c-3", "")
	})
}

func TestAnEarlierLostAnswerIsNotForgottenBecauseSomethingElseFailed(t *testing.T) {
	others := map[string]error{
		"server error": serverError(),
		"refused app":  invalidClient(),
		"not sent":     unsent(t),
	}
	for name, failure := range others {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				r := h.connect("c", "rotating", nil)
				i := h.instance(nil)
				time.Sleep(30 * time.Minute)
				h.crash(r, "after the answer")
				sent := len(h.provider.seen())
				time.Sleep(30 * time.Minute)
				h.behave(func(m *manner) { m.refuse = func(*call) error { return failure } })
				if _, _, err := i.read(r, Wish{}); err == nil {
					t.Fatal("no error")
				}
				h.calls(sent + 1)
				a := h.record(r).Attempt
				if a == nil || a.Tries != 1 || a.Version != 1 {
					t.Fatalf("the note of the lost attempt is %+v", a)
				}
				h.behave(func(m *manner) { m.refuse = nil })
				time.Sleep(10 * time.Minute)
				h.fails(i, r, fault.NeedsReauth, "refresh_result_unknown")
				h.calls(sent + 2)
			})
		})
	}
}

func TestALostAnswerIsAskedForOnceMoreAndThenThePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		time.Sleep(50 * time.Minute)
		h.behave(func(m *manner) { m.refuse = func(*call) error { return timedOut(errors.New("no answer")) } })
		for range 3600 {
			if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		h.calls(2)
		c := h.record(r)
		if c.Status != storage.NeedsReauth || c.StatusReason != "refresh_result_unknown" {
			t.Errorf("status %s (%s)", c.Status, c.StatusReason)
		}
		if got, want := c.Health.LastRefreshError, "the result of the last refresh is unknown"; got != want {
			t.Errorf("the person is told %q, want %q", got, want)
		}
	})
}

func TestARequestThatNeverLeftIsRetriedWhileTheOldTokenLives(t *testing.T) {
	failure := unsent(t)
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.behave(func(m *manner) {
			m.refuse = func(k *call) error {
				if k.n < 3 {
					return failure
				}
				return nil
			}
		})
		for start := time.Now(); time.Since(start) < 58*time.Minute; time.Sleep(time.Second) {
			if err := (&Sweeper{Source: i.Source}).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		h.calls(4)
		h.reads(i, r, "at-c-2", "")
	})
}
