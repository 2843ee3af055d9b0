package token

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// cutOff has the instance lose the store when the provider has answered.

// meanwhile runs do while the provider is asked for r, and returns what the reader got.

func (h *house) meanwhile(i *instance, r storage.Ref, do func(c *storage.Connection)) error {
	h.t.Helper()
	h.behave(func(m *manner) { m.latency = 5 * time.Second })
	h.expire()
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { _, _, err = i.read(r, Wish{}) })
	time.Sleep(time.Second)
	if do == nil {
		h.store.mu.Lock()
		delete(h.store.connections, r)
		h.store.mu.Unlock()
	} else {
		h.change(r, do)
	}
	i.Forget(r)
	wg.Wait()
	return err
}

func TestADisconnectDuringARefreshWinsAndTheLateAnswerIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		err := h.meanwhile(i, r, func(c *storage.Connection) {
			c.Status, c.Credential, c.RefreshAt = storage.Revoked, nil, time.Time{}
			c.RaiseFence()
		})
		if fault.KindOf(err) != fault.Revoked {
			t.Errorf("the reader got %v", err)
		}
		if c := h.record(r); c.Status != storage.Revoked || len(c.Credential) != 0 {
			t.Errorf("status %s with %d bytes", c.Status, len(c.Credential))
		}
		if len(h.provider.revoked) != 1 || h.provider.revoked[0] != "at-c-2" {
			t.Errorf("revoked %v", h.provider.revoked)
		}
	})
}

func TestADeleteDuringARefreshIsNotUndoneAndTheLateAnswerIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		if err := h.meanwhile(i, r, nil); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the reader got %v", err)
		}
		if _, err := h.store.connection(r); err == nil {
			t.Error("the record is there again")
		}
		if len(h.provider.revoked) != 1 {
			t.Errorf("revoked %v", h.provider.revoked)
		}
	})
}

func TestAReconnectDuringARefreshWinsAndIsNotRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		sealed, err := h.vault(nil).SealCredential(t.Context(), r, h.provider.grant("new"))
		if err != nil {
			t.Fatal(err)
		}
		err = h.meanwhile(i, r, func(c *storage.Connection) {
			c.Credential, c.Attempt = sealed, nil
			c.ObtainedAt, c.ExpiresAt, c.RefreshAt = now(), now().Add(time.Hour), now().Add(50*time.Minute)
			c.Version = 2
			c.RaiseFence()
		})
		if err != nil {
			t.Errorf("the reader got %v", err)
		}
		h.reads(i, r, "at-new-1", "")
		if len(h.provider.revoked) != 0 {
			t.Errorf("revoked %v: that can take the new grant with it", h.provider.revoked)
		}
	})
}

func TestSwitchingOffDuringARefreshKeepsTheRenewedCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		_ = h.meanwhile(i, r, func(c *storage.Connection) { c.Status = storage.Disabled; c.RaiseFence() })
		h.fails(i, r, fault.Disabled, "")
		if c := h.record(r); c.Status != storage.Disabled || len(h.provider.revoked) != 0 {
			t.Fatalf("status %s, revoked %v", c.Status, h.provider.revoked)
		}
		h.change(r, func(c *storage.Connection) { c.Status = storage.Active })
		h.reads(i, r, "at-c-2", "")
		if _, _, err := i.read(r, Wish{Force: true}); err != nil {
			t.Errorf("the saved refresh token is not the newest: %v", err)
		}
	})
}

// paused lets an instance stand still for the given time between the answer and its saving, as a

// garbage collector or a hypervisor may have it.

func (h *house) paused(i *instance, d time.Duration) {
	stood := false
	i.link.before = func(op string) error {
		if c := h.provider.seen(); op == opLeased && len(c) > 0 && !stood {
			stood = true
			time.Sleep(d)
		}
		return nil
	}
}

func TestAPauseLongerThanTheLeaseLosesNothingIfNobodyWasFaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		i := h.instance(nil)
		h.paused(i, 2*time.Minute)
		h.expire()
		h.fails(i, r, fault.Timeout, "")
		time.Sleep(2 * time.Minute)
		h.reads(i, r, "at-c-2", "")
		h.calls(1)
	})
}

func TestALateWriteNeverReplacesANewerCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.grace = time.Hour })
		r := h.connect("c", "graceful", nil)
		slow, fast := h.instance(nil), h.instance(nil)
		h.paused(slow, 2*time.Minute)
		h.expire()
		h.fails(slow, r, fault.Timeout, "")
		time.Sleep(time.Minute)
		h.reads(fast, r, "at-c-3", "")
		time.Sleep(2 * time.Minute)
		if c := h.record(r); c.Version != 2 || h.credential(r).RefreshToken.Reveal() != "rt-c-3" {
			t.Errorf("version %d with %s", c.Version, h.credential(r).RefreshToken.Reveal())
		}
		h.reads(slow, r, "at-c-3", "")
	})
}

func TestTheLaterOfTwoAnswersStaysWhicheverIsWrittenFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.grace = time.Hour })
		r := h.connect("c", "graceful", nil)
		slow, fast := h.instance(nil), h.instance(nil)
		h.paused(slow, time.Minute)
		h.expire()
		h.fails(slow, r, fault.Timeout, "")
		time.Sleep(40 * time.Second)
		h.behave(func(m *manner) { m.latency = 10 * time.Second }) // while this one waits, the slow one writes
		live, _, err := fast.read(r, Wish{})
		time.Sleep(time.Minute)
		if got := h.credential(r).RefreshToken.Reveal(); got != "rt-c-3" || err != nil {
			t.Errorf("kept %s; the reader got %s, %v", got, live, err)
		}
		if _, _, err := slow.read(r, Wish{Force: true}); err != nil || h.provider.reused != 0 {
			t.Errorf("what is kept is no good: %v", err)
		}
	})
}

func TestALateAnswerHealsAConnectionThatWasTakenForDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		r := h.connect("c", "rotating", nil)
		slow, fast := h.instance(nil), h.instance(nil)
		h.paused(slow, 2*time.Minute)
		h.expire()
		h.fails(slow, r, fault.Timeout, "")
		time.Sleep(time.Minute)
		h.behave(func(m *manner) { m.refuse = func(*call) error { return invalidGrant() } }) // it is used, says the provider
		h.fails(fast, r, fault.NeedsReauth, "refresh_result_unknown")
		h.behave(func(m *manner) { m.refuse = nil })
		time.Sleep(2 * time.Minute)
		if got, _, err := fast.read(r, Wish{}); err != nil || got != "at-c-2" {
			t.Errorf("Token = %s, %v", got, err)
		}
		time.Sleep(time.Second)
		h.reads(fast, r, "at-c-3", "") // tried at once whether it is any good
	})
}

func TestTheOldRefreshTokenStaysWhenNoneComesBackAndThePreviousGenerationIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.behave(func(m *manner) { m.sameRefresh = true })
		r := h.connect("c", "fixed", nil)
		i := h.instance(nil)
		first := h.record(r).Credential
		for range 3 {
			if _, _, err := i.read(r, Wish{Force: true}); err != nil {
				t.Fatal(err)
			}
			if got := h.credential(r).RefreshToken.Reveal(); got != "rt-c-1" {
				t.Fatalf("the refresh token is %q", got)
			}
			c := h.record(r)
			if c.Version == 2 && string(c.Previous) != string(first) || c.PreviousUntil.Before(now().Add(previousFor-time.Minute)) {
				t.Errorf("version %d keeps %d bytes until %v", c.Version, len(c.Previous), c.PreviousUntil)
			}
		}
	})
}
