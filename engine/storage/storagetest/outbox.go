package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

func testOutboxWithState(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.outboxWithState(t) })
	t.Run("neither", func(t *testing.T) {
		// An update that is refused leaves no event behind either.
		lease := acquired(t, s, storage.Ref{Tenant: "acme", ID: "one"}, "first", leaseTime)
		_, err := s.UpdateConnection(t.Context(), lease.Ref, func(c *storage.Connection) error { c.RaiseFence(); return nil })
		must(t, err)
		_, err = s.UpdateLeased(t.Context(), lease, func(c *storage.Connection) error {
			c.Emit(Event("acme", "one", "refused"))
			return nil
		})
		wantKind(t, "update with a lost lease", err, fault.Conflict)
		c, err := s.Connection(t.Context(), lease.Ref)
		must(t, err)
		if len(c.Outbox) != 2 {
			t.Errorf("%d events in the outbox, want the 2 that were there", len(c.Outbox))
		}
	})
}

// emitting returns a connection whose outbox holds these events.
func emitting(tenant, id string, events ...string) storage.Connection {
	c := Connection(tenant, id)
	for _, event := range events {
		c.Emit(Event(tenant, id, event))
	}
	return c
}

func claim(t *testing.T, s storage.Store, holder string, ttl time.Duration) (audit.Parcel, bool) {
	t.Helper()
	p, ok, err := s.ClaimOutbox(t.Context(), holder, ttl)
	must(t, err)
	return p, ok
}

func testOutboxClaim(t *testing.T, s storage.Store) {
	ctx := t.Context()
	if p, ok := claim(t, s, "first", leaseTime); ok {
		t.Fatalf("claimed %+v from an empty store", p)
	}
	c := emitting("acme", "one", "event_1", "event_2")
	must(t, s.CreateConnection(ctx, c))
	must(t, s.CreateConnection(ctx, emitting("acme", "without")))
	parcel, ok := claim(t, s, "first", 100*time.Millisecond)
	want := audit.Parcel{Tenant: "acme", Record: "one", Events: c.Outbox}
	if diff := cmp.Diff(want, parcel); !ok || diff != "" {
		t.Fatalf("claimed %v (-want +got):\n%s", ok, diff)
	}
	if p, ok := claim(t, s, "second", leaseTime); ok {
		t.Errorf("claimed by another: %+v", p)
	}
	// An update of the record does not end the claim.
	_, err := s.UpdateConnection(ctx, c.Ref, func(c *storage.Connection) error { c.Emit(Event("acme", "one", "event_3")); return nil })
	must(t, err)
	if p, ok := claim(t, s, "second", leaseTime); ok {
		t.Errorf("claimed by another after an update: %+v", p)
	}
	time.Sleep(120 * time.Millisecond)
	again, ok := claim(t, s, "second", leaseTime)
	if !ok || len(again.Events) != 3 {
		t.Fatalf("claim of one that ran out: %v, %d events, want 3", ok, len(again.Events))
	}
	// The first relay comes back late: what it told is gone, what it did not know is kept.
	must(t, s.ClearOutbox(ctx, parcel))
	must(t, s.ClearOutbox(ctx, parcel))
	last, ok := claim(t, s, "third", leaseTime)
	if !ok || len(last.Events) != 1 || last.Events[0].ID != "event_3" {
		t.Fatalf("after clearing two of three: %v, %+v, want event_3", ok, last)
	}
	must(t, s.ClearOutbox(ctx, last))
	if p, ok := claim(t, s, "third", leaseTime); ok {
		t.Errorf("claimed after everything was cleared: %+v", p)
	}
	must(t, s.ClearOutbox(ctx, audit.Parcel{Tenant: "acme", Record: "gone", Events: parcel.Events}))
}

func testOutboxEverywhere(t *testing.T, s storage.Store) {
	// The same ref everywhere: a parcel is of one record all the same.
	ctx := t.Context()
	event := func(id string) []audit.Event { return []audit.Event{Event("acme", "same", id)} }
	c, f, cs, a, k := Connection("acme", "same"), Flow("acme", "same"), ConnectSession("acme", "same"), App("acme", "same"), APIKey("acme", "same")
	c.Outbox, f.Outbox, cs.Outbox, a.Outbox, k.Outbox = event("c"), event("f"), event("cs"), event("a"), event("k")
	must(t, s.CreateConnection(ctx, c))
	must(t, s.CreateFlow(ctx, f))
	must(t, s.CreateConnectSession(ctx, cs))
	must(t, s.CreateApp(ctx, a))
	must(t, s.CreateAPIKey(ctx, k))
	told := map[string]int{}
	for range 5 {
		p, ok := claim(t, s, "first", leaseTime)
		if !ok {
			t.Fatalf("only %d of 5 records were claimed", len(told))
		}
		for _, e := range p.Events {
			told[e.ID]++
		}
		must(t, s.ClearOutbox(ctx, p))
	}
	if diff := cmp.Diff(map[string]int{"c": 1, "f": 1, "cs": 1, "a": 1, "k": 1}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if p, ok := claim(t, s, "first", leaseTime); ok {
		t.Errorf("claimed after everything was cleared: %+v", p)
	}
}

// testOutboxInterleaved clears the outbox while an update is between reading and writing.
func testOutboxInterleaved(t *testing.T, s storage.Store) {
	ctx := t.Context()
	c := emitting("acme", "one", "told")
	must(t, s.CreateConnection(ctx, c))
	parcel, _ := claim(t, s, "first", leaseTime)
	var calls int
	got, err := s.UpdateConnection(ctx, c.Ref, once(&calls, func() { must(t, s.ClearOutbox(ctx, parcel)) },
		func(c *storage.Connection) error { c.Emit(Event("acme", "one", "new")); return nil }))
	must(t, err)
	if len(got.Outbox) != 1 || got.Outbox[0].ID != "new" {
		t.Errorf("outbox %+v, want the new event alone", got.Outbox)
	}
	// An update after the claim and before the clearing loses nothing either.
	parcel, _ = claim(t, s, "first", leaseTime)
	_, err = s.UpdateConnection(ctx, c.Ref, func(c *storage.Connection) error { c.Emit(Event("acme", "one", "newer")); return nil })
	must(t, err)
	must(t, s.ClearOutbox(ctx, parcel))
	got, err = s.Connection(ctx, c.Ref)
	must(t, err)
	if len(got.Outbox) != 1 || got.Outbox[0].ID != "newer" {
		t.Errorf("outbox %+v, want the newer event alone", got.Outbox)
	}
}

func testDeleteKeepsEvents(t *testing.T, s storage.Store) {
	ctx := t.Context()
	c, a := emitting("acme", "one", "event_1", "event_2"), App("acme", "two")
	a.Outbox = []audit.Event{Event("acme", "two", "event_3")}
	must(t, s.CreateConnection(ctx, c))
	must(t, s.CreateApp(ctx, a))
	must(t, s.DeleteConnection(ctx, c.Ref))
	must(t, s.DeleteApp(ctx, a.Ref))
	_, err := s.Connection(ctx, c.Ref)
	wantKind(t, "deleted connection", err, fault.NotFound)
	_, err = s.App(ctx, a.Ref)
	wantKind(t, "deleted app", err, fault.NotFound)
	wantKind(t, "connection deleted twice", s.DeleteConnection(ctx, c.Ref), fault.NotFound)
	wantKind(t, "app deleted twice", s.DeleteApp(ctx, a.Ref), fault.NotFound)
	for subject, want := range map[string]int{"one": 2, "two": 1} {
		events, err := s.Events(ctx, audit.Query{Tenant: "acme", Subject: subject, Limit: 10})
		if err != nil || len(events) != want {
			t.Errorf("%d events of %s in the log, %v; want %d", len(events), subject, err, want)
		}
	}
	if p, ok := claim(t, s, "first", leaseTime); ok {
		t.Errorf("claimed %+v of what was deleted", p)
	}
	must(t, s.CreateConnection(ctx, emitting("acme", "one", fmt.Sprint("event_", 4))))
}
