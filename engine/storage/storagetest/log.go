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

func testLog(t *testing.T, s storage.Store) {
	ctx := t.Context()
	must(t, s.AppendEvents(ctx, nil))
	first, second := Event("acme", "one", "event_1"), Event("acme", "one", "event_2")
	second.Data = nil
	must(t, s.AppendEvents(ctx, []audit.Event{first}))
	// Again, with another text, and with one that is new: what is there stays as it is.
	changed := first
	changed.Actor = "somebody else"
	must(t, s.AppendEvents(ctx, []audit.Event{changed, second, second}))
	got, err := s.Events(ctx, audit.Query{Tenant: "acme", Limit: 10})
	must(t, err)
	if diff := cmp.Diff([]audit.Event{second, first}, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	for i, e := range got {
		if e.At.Location() != time.UTC {
			t.Errorf("event %d is in %v, want UTC", i, e.At.Location())
		}
	}
}

func testLogPages(t *testing.T, s storage.Store) {
	ctx := t.Context()
	// Twelve events, three in each millisecond, told in two parcels: the order in which they were
	// appended decides within a millisecond.
	var events []audit.Event
	for i := range 12 {
		e := Event("acme", fmt.Sprintf("subject %d", i%2), fmt.Sprintf("event_%02d", (i*5)%12))
		e.At, e.Kind = start.Add(time.Duration(i/3)*time.Millisecond+999), audit.Kinds()[i%3]
		events = append(events, e)
	}
	must(t, s.AppendEvents(ctx, events[6:]))
	must(t, s.AppendEvents(ctx, events[:6]))
	must(t, s.AppendEvents(ctx, []audit.Event{Event("other", "subject 0", "foreign")}))
	for _, tt := range []struct {
		name  string
		query audit.Query
		want  []int
	}{
		{"all", audit.Query{Limit: 200}, []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
		{"first page", audit.Query{Limit: 4}, []int{11, 10, 9, 8}},
		{"next page", audit.Query{Limit: 4, Before: events[8].ID}, []int{7, 6, 5, 4}},
		{"last page", audit.Query{Limit: 4, Before: events[2].ID}, []int{1, 0}},
		{"by subject", audit.Query{Subject: "subject 1"}, []int{11, 9, 7, 5, 3, 1}},
		{"by subject, paged", audit.Query{Subject: "subject 1", Before: events[9].ID, Limit: 2}, []int{7, 5}},
		{"by kind", audit.Query{Kind: audit.Kinds()[0]}, []int{9, 6, 3, 0}},
		{"by both", audit.Query{Kind: audit.Kinds()[0], Subject: "subject 0"}, []int{6, 0}},
	} {
		tt.query.Tenant = "acme"
		got, err := s.Events(ctx, tt.query)
		must(t, err)
		var want []string
		for _, i := range tt.want {
			want = append(want, events[i].ID)
		}
		wantIDs(t, tt.name, got, want, func(e audit.Event) string { return e.ID })
	}
	_, err := s.Events(ctx, audit.Query{Tenant: "acme", Before: "event_99"})
	wantKind(t, "page after an event that is not there", err, fault.NotFound)
}
