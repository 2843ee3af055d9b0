package mongo

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/fault"
)

// TestLeasesGoByTheDatabasesClock takes a lease through two stores whose own clocks do not matter.
func TestLeasesGoByTheDatabasesClock(t *testing.T) {
	server, _, ref := started(t)
	server.ClockOffset(-3 * time.Hour)
	other := open(t, server.URI(), "dowel")
	defer other.Close()
	lease, ok, err := acquire(other, ref, "me")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ends := time.Until(lease.Until) + 3*time.Hour; ends < 50*time.Second || ends > 70*time.Second {
		t.Errorf("the lease ends in %v by the database's clock, want a minute", ends)
	}
	// By our own clock it has run out for hours.
	third := open(t, server.URI(), "dowel")
	defer third.Close()
	if _, ok, err := acquire(third, ref, "thief"); ok || err != nil {
		t.Errorf("stolen: %v, %v", ok, err)
	}
}

// fakeDatabase is a clock that can be moved and broken.
type fakeDatabase struct {
	offset time.Duration
	takes  time.Duration
	err    error
	looks  int
}

func (d *fakeDatabase) time(context.Context) (time.Time, error) {
	d.looks++
	time.Sleep(d.takes / 2)
	now := time.Now().Add(d.offset)
	time.Sleep(d.takes / 2)
	return now, d.err
}

func TestClockFollowsTheDatabaseAndDoubtsAJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &fakeDatabase{offset: -40 * time.Minute, takes: 100 * time.Millisecond}
		c := &clock{measure: db.time}
		good := func(when string) {
			t.Helper()
			now, err := c.now(t.Context())
			if err != nil || time.Until(now)-db.offset > 0 || time.Until(now)-db.offset < -time.Millisecond {
				t.Errorf("%s: %v off, %v; want %v", when, time.Until(now), err, db.offset)
			}
		}
		bad := func(when string) {
			t.Helper()
			if _, err := c.now(t.Context()); fault.KindOf(err) != fault.StoreDown {
				t.Errorf("%s: %v, want it refused", when, err)
			}
		}
		good("first look")
		time.Sleep(59 * time.Second)
		good("within a minute")
		if db.looks != 1 {
			t.Errorf("%d looks within a minute, want 1", db.looks)
		}
		time.Sleep(time.Second)
		good("after a minute")
		if db.looks != 2 {
			t.Errorf("%d looks after a minute, want 2", db.looks)
		}
		db.offset += 500 * time.Millisecond // drift, or a slow answer
		time.Sleep(time.Minute)
		good("a little off")
		db.offset += time.Hour
		time.Sleep(time.Minute)
		bad("after a jump")
		bad("soon after a jump")
		db.offset -= time.Hour
		time.Sleep(2 * time.Second)
		bad("after a jump back")
		time.Sleep(2 * time.Second)
		good("when two looks agree")
		db.err = errors.New("gone")
		time.Sleep(time.Minute)
		bad("when it does not answer")
		db.err = nil
		good("when it answers again")
	})
}
