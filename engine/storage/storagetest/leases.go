package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// leased creates a connection and takes its lease.
func leased(t *testing.T, s storage.Store, ttl time.Duration) storage.Lease {
	t.Helper()
	c := Connection("acme", "one")
	must(t, s.CreateConnection(t.Context(), c))
	return acquired(t, s, c.Ref, "first", ttl)
}

// acquire reads a connection and takes its lease as it is.
func acquire(ctx context.Context, s storage.Store, r storage.Ref, holder string, ttl time.Duration) (storage.Lease, bool, error) {
	c, err := s.Connection(ctx, r)
	if err != nil {
		return storage.Lease{}, false, err
	}
	return s.AcquireLease(ctx, c, c.Attempt, holder, ttl)
}

func acquired(t *testing.T, s storage.Store, r storage.Ref, holder string, ttl time.Duration) storage.Lease {
	t.Helper()
	lease, ok, err := acquire(t.Context(), s, r, holder, ttl)
	if err != nil || !ok {
		t.Fatalf("%s acquires: %v, %v", holder, ok, err)
	}
	return lease
}

func rename(name string) func(*storage.Connection) error {
	return func(c *storage.Connection) error { c.Name = name; return nil }
}

func testLease(t *testing.T, s storage.Store) {
	ctx := t.Context()
	lease := leased(t, s, leaseTime)
	if lease.Ref != (storage.Ref{Tenant: "acme", ID: "one"}) || lease.Holder != "first" || lease.Fence != 1 {
		t.Errorf("lease %+v, want that of acme/one, held by first, with fence 1", lease)
	}
	if left := time.Until(lease.Until); left < leaseTime-10*time.Second || left > leaseTime+10*time.Second {
		t.Errorf("lease ends in %v, want %v", left, leaseTime)
	}
	c, err := s.Connection(ctx, lease.Ref)
	must(t, err)
	stored := lease
	stored.Ref = storage.Ref{}
	if c.Lease != stored {
		t.Errorf("stored lease %+v, want %+v", c.Lease, stored)
	}
	for _, holder := range []string{"second", "first"} {
		if other, ok, err := acquire(ctx, s, lease.Ref, holder, leaseTime); ok || err != nil || other != (storage.Lease{}) {
			t.Errorf("%s acquires what is held: %+v, %v, %v", holder, other, ok, err)
		}
	}
	must(t, s.ReleaseLease(ctx, lease))
	next := acquired(t, s, lease.Ref, "second", leaseTime)
	if next.Fence != 2 {
		t.Errorf("second lease has fence %d, want 2", next.Fence)
	}
	_, _, err = s.AcquireLease(ctx, Connection("acme", "two"), nil, "first", leaseTime)
	wantKind(t, "acquire what is not there", err, fault.NotFound)
	must(t, s.DeleteConnection(ctx, lease.Ref))
	_, err = s.UpdateLeased(ctx, next, rename("late"))
	wantKind(t, "leased update of what is gone", err, fault.NotFound)
	must(t, s.ReleaseLease(ctx, next))
}

// testLeaseWithAttempt takes a lease and notes an attempt in one write, which touches nothing else.
func testLeaseWithAttempt(t *testing.T, s storage.Store) {
	ctx := t.Context()
	c := Connection("acme", "one")
	c.Emit(Event("acme", "one", "event"))
	must(t, s.CreateConnection(ctx, c))
	for _, a := range []*storage.Attempt{{ID: "att", At: start.Add(1500 * time.Microsecond), Version: 7, Tries: 2, MaySpend: true}, nil} {
		read, err := s.Connection(ctx, c.Ref)
		must(t, err)
		lease, ok, err := s.AcquireLease(ctx, read, a, "me", leaseTime)
		if err != nil || !ok {
			t.Fatalf("acquire: %v, %v", ok, err)
		}
		want := read
		want.Revision, want.Lease = read.Revision+1, storage.Lease{Holder: "me", Until: lease.Until, Fence: read.Lease.Fence + 1}
		if want.Attempt = a; a != nil {
			noted := *a
			noted.At = start.Add(time.Millisecond)
			want.Attempt = &noted
		}
		got, err := s.Connection(ctx, c.Ref)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with attempt %+v (-want +got):\n%s", a, diff)
		}
		must(t, s.ReleaseLease(ctx, lease))
	}
}

// testLeaseOfWhatMoved reads a connection and has it written before its lease is taken: whatever the
// write was, what was read does not count any more.
func testLeaseOfWhatMoved(t *testing.T, s storage.Store) {
	ctx := t.Context()
	c := Connection("acme", "one")
	must(t, s.CreateConnection(ctx, c))
	for name, write := range map[string]func(r storage.Ref) error{
		"an update": func(r storage.Ref) error {
			_, err := s.UpdateConnection(ctx, r, func(c *storage.Connection) error { c.Version++; return nil })
			return err
		},
		"a lease that came and went": func(r storage.Ref) error {
			return s.ReleaseLease(ctx, acquired(t, s, r, "other", leaseTime))
		},
	} {
		read, err := s.Connection(ctx, c.Ref)
		must(t, err)
		must(t, write(c.Ref))
		before, err := s.Connection(ctx, c.Ref)
		must(t, err)
		lease, ok, err := s.AcquireLease(ctx, read, &storage.Attempt{ID: "late"}, "me", leaseTime)
		if ok || lease != (storage.Lease{}) {
			t.Errorf("%s: took %+v", name, lease)
		}
		wantKind(t, name, err, fault.Conflict)
		after, err := s.Connection(ctx, c.Ref)
		must(t, err)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s: the lease that was refused wrote (-before +after):\n%s", name, diff)
		}
	}
	// Held by somebody is the better answer: there is nothing to read again for.
	read, err := s.Connection(ctx, c.Ref)
	must(t, err)
	acquired(t, s, c.Ref, "other", leaseTime)
	if _, ok, err := s.AcquireLease(ctx, read, nil, "me", leaseTime); ok || err != nil {
		t.Errorf("held meanwhile: %v, %v", ok, err)
	}
}

func testLeaseRunsOut(t *testing.T, s storage.Store) {
	lease := leased(t, s, 50*time.Millisecond)
	if _, ok, err := acquire(t.Context(), s, lease.Ref, "second", leaseTime); ok || err != nil {
		t.Fatalf("acquired before it ran out: %v, %v", ok, err)
	}
	time.Sleep(60 * time.Millisecond)
	next := acquired(t, s, lease.Ref, "second", leaseTime)
	if next.Fence != lease.Fence+1 {
		t.Errorf("fence %d, want %d", next.Fence, lease.Fence+1)
	}
}

func testLateWrite(t *testing.T, s storage.Store) {
	lease := leased(t, s, time.Millisecond)
	time.Sleep(10 * time.Millisecond)
	c, err := s.UpdateLeased(t.Context(), lease, rename("late"))
	must(t, err)
	if c.Name != "late" {
		t.Errorf("name %q, want that of the late write", c.Name)
	}
}

func testFence(t *testing.T, s storage.Store) {
	ctx := t.Context()
	old := leased(t, s, time.Millisecond)
	time.Sleep(10 * time.Millisecond)
	lease := acquired(t, s, old.Ref, "second", leaseTime)
	_, err := s.UpdateLeased(ctx, old, func(*storage.Connection) error {
		t.Error("change is called for a lease that is lost")
		return nil
	})
	wantKind(t, "update with the lease that was lost", err, fault.Conflict)
	must(t, s.ReleaseLease(ctx, old))
	c, err := s.Connection(ctx, old.Ref)
	must(t, err)
	if c.Lease.Holder != "second" || c.Lease.Fence != lease.Fence {
		t.Errorf("releasing the lost lease left %+v, want it untouched", c.Lease)
	}
	// Raising the fence frees the connection and ends the lease.
	c, err = s.UpdateConnection(ctx, old.Ref, func(c *storage.Connection) error { c.RaiseFence(); return nil })
	must(t, err)
	if want := (storage.Lease{Fence: lease.Fence + 1}); c.Lease != want {
		t.Errorf("lease after the fence was raised: %+v, want %+v", c.Lease, want)
	}
	_, err = s.UpdateLeased(ctx, lease, rename("late"))
	wantKind(t, "update after the fence was raised", err, fault.Conflict)
	if next := acquired(t, s, old.Ref, "third", leaseTime); next.Fence != lease.Fence+2 {
		t.Errorf("next fence %d, want %d", next.Fence, lease.Fence+2)
	}
}

func testLeaseUntouched(t *testing.T, s storage.Store) {
	lease := leased(t, s, leaseTime)
	meddle := func(c *storage.Connection) error {
		c.Lease = storage.Lease{Holder: "thief", Until: start, Fence: c.Lease.Fence - 1}
		return nil
	}
	_, err := s.UpdateConnection(t.Context(), lease.Ref, meddle)
	must(t, err)
	c, err := s.UpdateLeased(t.Context(), lease, meddle)
	must(t, err)
	if c.Lease.Holder != "first" || c.Lease.Fence != lease.Fence || !c.Lease.Until.Equal(lease.Until) {
		t.Errorf("lease %+v, want %+v", c.Lease, lease)
	}
	// One write can end the refresh and give the lease back.
	c, err = s.UpdateLeased(t.Context(), lease, func(c *storage.Connection) error { c.RaiseFence(); return nil })
	must(t, err)
	if want := (storage.Lease{Fence: lease.Fence + 1}); c.Lease != want {
		t.Errorf("lease after its holder raised the fence: %+v, want %+v", c.Lease, want)
	}
}

// once returns a change that calls meanwhile the first time only.
func once(calls *int, meanwhile func(), change func(*storage.Connection) error) func(*storage.Connection) error {
	return func(c *storage.Connection) error {
		if *calls++; *calls == 1 {
			meanwhile()
		}
		return change(c)
	}
}

func testLeaseInterleaved(t *testing.T, s storage.Store) {
	ctx := t.Context()
	c := Connection("acme", "one")
	must(t, s.CreateConnection(ctx, c))
	var lease storage.Lease
	var calls int
	got, err := s.UpdateConnection(ctx, c.Ref, once(&calls, func() {
		lease = acquired(t, s, c.Ref, "first", leaseTime)
	}, rename("new")))
	must(t, err)
	if got.Name != "new" || got.Lease.Holder != "first" || got.Lease.Fence != lease.Fence {
		t.Errorf("a lease taken during an update: now %q, %+v; want it held, and the update done", got.Name, got.Lease)
	}
	calls = 0
	got, err = s.UpdateConnection(ctx, c.Ref, once(&calls, func() { must(t, s.ReleaseLease(ctx, lease)) }, rename("newer")))
	must(t, err)
	if got.Lease.Holder != "" || !got.Lease.Until.IsZero() {
		t.Errorf("a lease released during an update: now %+v, want it free", got.Lease)
	}
}

func testRaiseInterleaved(t *testing.T, s storage.Store) {
	ctx := t.Context()
	c := Connection("acme", "one")
	must(t, s.CreateConnection(ctx, c))
	var lease storage.Lease
	var calls int
	got, err := s.UpdateConnection(ctx, c.Ref, once(&calls, func() {
		lease = acquired(t, s, c.Ref, "first", leaseTime)
	}, func(c *storage.Connection) error { c.RaiseFence(); return nil }))
	must(t, err)
	if got.Lease.Fence != lease.Fence+1 {
		t.Errorf("fence %d raised over a lease with fence %d", got.Lease.Fence, lease.Fence)
	}
	_, err = s.UpdateLeased(ctx, lease, rename("late"))
	wantKind(t, "update with the lease taken meanwhile", err, fault.Conflict)
	// The other way round: the fence is raised while the holder writes.
	lease = acquired(t, s, c.Ref, "second", leaseTime)
	calls = 0
	_, err = s.UpdateLeased(ctx, lease, once(&calls, func() {
		_, err := s.UpdateConnection(ctx, c.Ref, func(c *storage.Connection) error { c.RaiseFence(); return nil })
		must(t, err)
	}, rename("late")))
	wantKind(t, "update during which the fence was raised", err, fault.Conflict)
	if got, err = s.Connection(ctx, c.Ref); err != nil || got.Name == "late" {
		t.Errorf("name %q, %v: the refresh wrote over what ended it", got.Name, err)
	}
}

func testLeasedAgain(t *testing.T, s storage.Store) {
	lease := leased(t, s, leaseTime)
	var calls int
	got, err := s.UpdateLeased(t.Context(), lease, once(&calls, func() {
		_, err := s.UpdateConnection(t.Context(), lease.Ref, rename("meanwhile"))
		must(t, err)
	}, func(c *storage.Connection) error { c.Version++; c.StatusReason = c.Name; return nil }))
	must(t, err)
	want := Connection("acme", "one").Version + 1
	if calls != 2 || got.Version != want || got.StatusReason != "meanwhile" || got.Name != "meanwhile" {
		t.Errorf("%d calls, version %d, reason %q; want 2, %d, and the name set meanwhile", calls, got.Version, got.StatusReason, want)
	}
}
