package storagetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

func testRoundTrip(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.roundTrip(t) })
}

func testTimes(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.times(t) })
}

func testCopies(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.copies(t) })
}

func testEmpty(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.empty(t) })
}

func testNotFound(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.notFound(t) })
}

func testConflict(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.conflict(t) })
}

// full returns a record with a value in every field, an outbox included. What a store sets by itself
// is as a store sets it.
func (r crud[T]) full(seed int, like T) T {
	record := filled[T](seed)
	*r.ref(&record) = *r.ref(&like)
	switch record := any(&record).(type) {
	case *storage.Connection:
		record.Lease.Ref = storage.Ref{} // not stored
	case *storage.Tenant:
		record.ID = r.ref(&like).Tenant
	case *storage.Definition:
		record.Tenant, record.Connector, record.Version = any(&like).(*storage.Definition).Tenant, r.ref(&like).ID, "1"
	}
	return record
}

func (r crud[T]) setRevision(record *T, revision int64) {
	if r.rev != nil {
		*r.rev(record) = revision
	}
}

func (r crud[T]) roundTrip(t *testing.T) {
	want := r.full(1, r.sample("acme", "one"))
	must(t, r.create(t.Context(), want))
	r.setRevision(&want, 1)
	got, err := r.get(t.Context(), want)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("created and read (-want +got):\n%s", diff)
	}
	if r.update == nil {
		return
	}
	next := r.full(2, want)
	returned, err := r.update(t.Context(), *r.ref(&want), func(record *T) error { *record = next; return nil })
	must(t, err)
	if connection, ok := any(&next).(*storage.Connection); ok {
		// A higher fence in the sample is a raised fence.
		connection.Lease = storage.Lease{Fence: connection.Lease.Fence}
	}
	r.setRevision(&next, 2)
	if diff := cmp.Diff(next, returned); diff != "" {
		t.Errorf("returned by the update (-want +got):\n%s", diff)
	}
	got, err = r.get(t.Context(), next)
	must(t, err)
	if diff := cmp.Diff(next, got); diff != "" {
		t.Errorf("updated and read (-want +got):\n%s", diff)
	}
}

func (r crud[T]) times(t *testing.T) {
	given := r.full(1, r.sample("acme", "one"))
	zone := time.FixedZone("far east", 9*3600)
	times(reflect.ValueOf(&given).Elem(), func(_ string, at *time.Time) { *at = at.Add(999_999).In(zone) })
	before := r.full(1, r.sample("acme", "one"))
	must(t, r.create(t.Context(), given))
	want := before
	r.setRevision(&want, 1)
	got, err := r.get(t.Context(), given)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nanoseconds cut off (-want +got):\n%s", diff)
	}
	times(reflect.ValueOf(&got).Elem(), func(path string, at *time.Time) {
		if at.Location() != time.UTC {
			t.Errorf("%s is in %v, want UTC", path, at.Location())
		}
	})
	times(reflect.ValueOf(&given).Elem(), func(path string, at *time.Time) {
		if at.Nanosecond()%1_000_000 != 999_999 || at.Location() != zone {
			t.Errorf("%s of the caller's own record was changed to %v", path, at)
		}
	})
	if r.update == nil {
		return
	}
	returned, err := r.update(t.Context(), *r.ref(&want), func(record *T) error {
		times(reflect.ValueOf(record).Elem(), func(_ string, at *time.Time) { *at = at.Add(999_999).In(zone) })
		return nil
	})
	must(t, err)
	r.setRevision(&want, 2)
	if diff := cmp.Diff(want, returned); diff != "" {
		t.Errorf("nanoseconds cut off by an update (-want +got):\n%s", diff)
	}
}

func (r crud[T]) copies(t *testing.T) {
	given := r.full(1, r.sample("acme", "one"))
	must(t, r.create(t.Context(), given))
	scribble(reflect.ValueOf(&given).Elem())
	want := r.full(1, r.sample("acme", "one"))
	r.setRevision(&want, 1)
	for range 2 {
		got, err := r.get(t.Context(), want)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("after a copy was written on (-want +got):\n%s", diff)
		}
		scribble(reflect.ValueOf(&got).Elem())
	}
	if r.update == nil {
		return
	}
	var kept T
	returned, err := r.update(t.Context(), *r.ref(&want), func(record *T) error { kept = *record; return nil })
	must(t, err)
	scribble(reflect.ValueOf(&kept).Elem())
	r.setRevision(&want, 2)
	if diff := cmp.Diff(want, returned); diff != "" {
		t.Errorf("the returned record is shared with the one change was given (-want +got):\n%s", diff)
	}
}

// scribble overwrites what lies behind slices, maps and pointers, where copies may be shared.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			return
		}
		for i := range v.NumField() {
			scribble(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
			v.Index(i).SetZero()
		}
	case reflect.Map:
		v.Clear()
	case reflect.Pointer:
		if !v.IsNil() {
			v.Elem().SetZero()
		}
	}
}

// empty proves that fields without a value come back without one.
func (r crud[T]) empty(t *testing.T) {
	like := r.sample("acme", "one")
	var want T
	*r.ref(&want) = *r.ref(&like)
	switch want := any(&want).(type) {
	case *storage.Tenant:
		want.ID = r.ref(&like).Tenant
	case *storage.Definition:
		want.Tenant, want.Connector, want.Version = "acme", "one", "1"
		want.Source = []byte("x")
	}
	must(t, r.create(t.Context(), want))
	got, err := r.get(t.Context(), want)
	must(t, err)
	r.setRevision(&want, 1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("empty record (-want +got):\n%s", diff)
	}
}

func (r crud[T]) notFound(t *testing.T) {
	record := r.sample("acme", "one")
	_, err := r.get(t.Context(), record)
	wantKind(t, "get", err, fault.NotFound)
	if r.update == nil {
		return
	}
	_, err = r.update(t.Context(), *r.ref(&record), func(*T) error {
		t.Error("change is called for a record that is not there")
		return nil
	})
	wantKind(t, "update", err, fault.NotFound)
}

func (r crud[T]) conflict(t *testing.T) {
	record := r.sample("acme", "one")
	must(t, r.create(t.Context(), record))
	other := r.full(3, record)
	wantKind(t, "create a second time", r.create(t.Context(), other), fault.Conflict)
	got, err := r.get(t.Context(), record)
	must(t, err)
	r.setRevision(&record, 1)
	if diff := cmp.Diff(record, got); diff != "" {
		t.Errorf("the first record was changed (-want +got):\n%s", diff)
	}
	// Secrets are found by their hash, whatever the tenant: a hash names one record.
	twin := r.sample("acme", "twin")
	switch twin := any(&twin).(type) {
	case *storage.Flow:
		twin.StateHash = any(&record).(*storage.Flow).StateHash
	case *storage.ConnectSession:
		twin.TicketHash = any(&record).(*storage.ConnectSession).TicketHash
	case *storage.APIKey:
		twin.Hash = any(&record).(*storage.APIKey).Hash
	case *storage.Session:
		twin.Hash = any(&record).(*storage.Session).Hash
	default:
		return
	}
	wantKind(t, "create with the same hash", r.create(t.Context(), twin), fault.Conflict)
}

func (r crud[T]) outboxWithState(t *testing.T) {
	if r.outbox == nil {
		t.Skip("no outbox")
	}
	record := r.sample("acme", "one")
	first, second := Event("acme", "one", "first"), Event("acme", "one", "second")
	*r.outbox(&record) = []audit.Event{first}
	must(t, r.create(t.Context(), record))
	_, err := r.update(t.Context(), *r.ref(&record), func(record *T) error {
		*r.outbox(record) = append(*r.outbox(record), second)
		return nil
	})
	must(t, err)
	got, err := r.get(t.Context(), record)
	must(t, err)
	if diff := cmp.Diff([]audit.Event{first, second}, *r.outbox(&got)); diff != "" {
		t.Errorf("outbox (-want +got):\n%s", diff)
	}
}
