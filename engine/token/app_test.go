package token

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

func TestRetryAfterIsHonouredForTheWholeAppAndClipped(t *testing.T) {
	tests := []struct {
		name         string
		asked        time.Duration
		least, atAll time.Duration
	}{
		{"as asked", 10 * time.Minute, 10 * time.Minute, 11 * time.Minute},
		{"absurd", 1000 * time.Hour, time.Hour, 62 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				a, b := h.connect("a", "rotating", nil), h.connect("b", "rotating", nil)
				i, other := h.instance(nil), h.instance(nil)
				h.behave(func(m *manner) {
					m.refuse = func(*call) error { return answered(fault.RateLimited, 429, "").WithRetryAfter(tt.asked) }
				})
				h.expire()
				if wait := h.fails(i, a, fault.RateLimited, ""); wait < tt.least-time.Second || wait > tt.atAll {
					t.Fatalf("RetryAfter %v", wait)
				}
				h.behave(func(m *manner) { m.refuse = nil })
				asked := time.Now()
				for time.Since(asked) < tt.least-2*time.Second {
					h.fails(i, a, fault.Unavailable, "backing-off")
					h.fails(other, a, fault.Unavailable, "backing-off") // the record tells it
					h.fails(i, b, fault.RateLimited, "")                // another connection of the same app
					if _, _, err := i.read(a, Wish{Force: true}); fault.KindOf(err) != fault.Unavailable {
						t.Fatalf("a force got %v", err)
					}
					time.Sleep(tt.least / 20)
				}
				h.calls(1)
				time.Sleep(tt.atAll - time.Since(asked))
				h.reads(i, a, "at-a-2", "")
				h.reads(i, b, "at-b-2", "")
			})
		})
	}
}

func TestARefusedAppPausesItsConnectionsAndBlamesNone(t *testing.T) {
	for _, by := range []string{"sweep", "readers"} {
		t.Run(by, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				var refs []storage.Ref
				for n := range 200 {
					refs = append(refs, h.connect(fmt.Sprintf("c%d", n), "rotating", nil))
				}
				i := h.instance(func(i *instance) { i.link.latency = time.Millisecond })
				h.behave(func(m *manner) {
					m.refuse = func(k *call) error {
						if k.client != "mended" {
							return invalidClient()
						}
						return nil
					}
				})
				h.expire()
				h.renewAll(i, refs, by, fault.Misconfigured)
				if n := len(h.provider.seen()); n >= 10 {
					t.Errorf("%d calls with a refused client", n)
				}
				for _, r := range refs {
					if c := h.record(r); c.Status != storage.Active || c.RefreshAt.IsZero() || c.Health.Failures != 0 {
						t.Fatalf("%s: status %s, refresh at %v, %d failures", r.ID, c.Status, c.RefreshAt, c.Health.Failures)
					}
				}
				if n := count(h.store.apps[theApp].Outbox, audit.AppRefused); n != 1 {
					t.Errorf("%d events about the app", n)
				}
				// Mended at the provider's side or ours, it heals by itself, and says so.
				h.setSecret("mended")
				before := len(h.provider.seen())
				time.Sleep(7 * time.Minute)
				h.renewAll(i, refs, by, fault.None)
				if n := len(h.provider.seen()) - before; n != len(refs) {
					t.Errorf("%d calls after the mending", n)
				}
				if a := h.store.apps[theApp]; !a.Refused.IsZero() || !a.RetryAt.IsZero() {
					t.Errorf("still refused since %v: %s", a.Refused, a.RefusedReason)
				}
			})
		})
	}
}

func (h *house) renewAll(i *instance, refs []storage.Ref, by string, want fault.Kind) {
	h.t.Helper()
	if by == "sweep" {
		if err := (&Sweeper{Source: i.Source}).Sweep(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
		return
	}
	var wg sync.WaitGroup
	for _, r := range refs {
		wg.Go(func() {
			if _, _, err := i.read(r, Wish{}); fault.KindOf(err) != want {
				h.t.Errorf("%s: %v", r.ID, err)
			}
		})
	}
	wg.Wait()
}

func TestAnAppMendedByAnOperatorIsUsedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.behave(func(m *manner) { m.refuse = func(*call) error { return invalidClient() } })
		h.expire()
		if wait := h.fails(i, r, fault.Misconfigured, "app-refused"); wait < time.Minute {
			t.Errorf("RetryAfter %v", wait)
		}
		h.behave(func(m *manner) { m.refuse = nil })
		h.fails(i, r, fault.Misconfigured, "app-refused")
		h.calls(1)
		h.store.mu.Lock()
		a := h.store.apps[theApp]
		a.Refused, a.RetryAt = time.Time{}, time.Time{}
		h.store.apps[theApp] = a
		h.store.mu.Unlock()
		h.reads(i, r, "at-c-2", "")
	})
}
