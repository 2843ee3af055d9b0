package storagetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

func testUpdateAgain(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.again(t) })
}

// again lets another update get in between reading and writing.
func (r crud[T]) again(t *testing.T) {
	if r.update == nil {
		t.Skip("never updated")
	}
	record := r.sample("acme", "one")
	must(t, r.create(t.Context(), record))
	var seen []int64
	written, err := r.update(t.Context(), *r.ref(&record), func(current *T) error {
		seen = append(seen, *r.rev(current))
		if len(seen) == 1 {
			_, err := r.update(t.Context(), *r.ref(&record), func(*T) error { return nil })
			return err
		}
		return nil
	})
	must(t, err)
	if diff := cmp.Diff([]int64{1, 2}, seen); diff != "" {
		t.Errorf("revisions change was given (-want +got):\n%s", diff)
	}
	if *r.rev(&written) != 3 {
		t.Errorf("revision after two updates: %d, want 3", *r.rev(&written))
	}
}

func testUpdateError(t *testing.T, s storage.Store) {
	c := Connection("acme", "one")
	must(t, s.CreateConnection(t.Context(), c))
	lease, _, err := acquire(t.Context(), s, c.Ref, "me", leaseTime)
	must(t, err)
	before, err := s.Connection(t.Context(), c.Ref)
	must(t, err)
	mine := errors.New("mine")
	change := func(c *storage.Connection) error {
		c.Name = "changed"
		c.Inputs["changed"] = "yes"
		return mine
	}
	if _, err := s.UpdateConnection(t.Context(), c.Ref, change); !errors.Is(err, mine) || fault.As(err) != nil {
		t.Errorf("update returned %v, want the error of change", err)
	}
	if _, err := s.UpdateLeased(t.Context(), lease, change); !errors.Is(err, mine) || fault.As(err) != nil {
		t.Errorf("leased update returned %v, want the error of change", err)
	}
	after, err := s.Connection(t.Context(), c.Ref)
	must(t, err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("something was written (-want +got):\n%s", diff)
	}
}

func testUpdateIdentity(t *testing.T, s storage.Store) {
	c := Connection("acme", "one")
	must(t, s.CreateConnection(t.Context(), c))
	got, err := s.UpdateConnection(t.Context(), c.Ref, func(c *storage.Connection) error {
		c.Ref, c.Revision = storage.Ref{Tenant: "other", ID: "two"}, 77
		return nil
	})
	must(t, err)
	c.Revision = 2
	if diff := cmp.Diff(c, got); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	_, err = s.Connection(t.Context(), storage.Ref{Tenant: "other", ID: "two"})
	wantKind(t, "read under the ref that change has set", err, fault.NotFound)
}
