package storagetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

func testTenants(t *testing.T, s storage.Store) {
	eachRecord(t, s, func(t *testing.T, r anyRecord) { r.tenants(t) })
	t.Run("nothing of another tenant is found", func(t *testing.T) { testForeign(t, s) })
	t.Run("ids are not joined", func(t *testing.T) { testJoinedIDs(t, s) })
}

// tenants keeps a record of the same id in two tenants.
func (r crud[T]) tenants(t *testing.T) {
	ours, theirs := r.sample("acme", "one"), r.sample("other", "one")
	must(t, r.create(t.Context(), ours))
	must(t, r.create(t.Context(), theirs))
	if r.update != nil {
		_, err := r.update(t.Context(), *r.ref(&theirs), func(*T) error { return nil })
		must(t, err)
		third := *r.ref(&ours)
		third.Tenant = "third"
		_, err = r.update(t.Context(), third, func(*T) error { return nil })
		wantKind(t, "update in a tenant that has no such record", err, fault.NotFound)
	}
	got, err := r.get(t.Context(), ours)
	must(t, err)
	r.setRevision(&ours, 1)
	if diff := cmp.Diff(ours, got); diff != "" {
		t.Errorf("our record after theirs was changed (-want +got):\n%s", diff)
	}
}

// testForeign asks for everything of "acme" as "intruder". testTenants has filled the store.
func testForeign(t *testing.T, s storage.Store) {
	ctx := t.Context()
	must(t, s.AppendEvents(ctx, []audit.Event{Event("acme", "one", "event")}))
	must(t, s.CreateKeyset(ctx, "acme", []byte("wrapped")))
	foreign := storage.Ref{Tenant: "intruder", ID: "one"}
	lease, ok, err := acquire(ctx, s, storage.Ref{Tenant: "acme", ID: "one"}, "me", leaseTime)
	if err != nil || !ok {
		t.Fatalf("acquire: %v, %v", ok, err)
	}
	forged := lease
	forged.Ref = foreign
	must(t, s.ReleaseLease(ctx, forged))
	for what, call := range map[string]func() error{
		"Connection":       func() error { _, err := s.Connection(ctx, foreign); return err },
		"DeleteConnection": func() error { return s.DeleteConnection(ctx, foreign) },
		"AcquireLease": func() error {
			_, _, err := s.AcquireLease(ctx, storage.Connection{Ref: foreign, Revision: 1}, nil, "me", leaseTime)
			return err
		},
		"UpdateLeased": func() error {
			_, err := s.UpdateLeased(ctx, forged, func(*storage.Connection) error { return nil })
			return err
		},
		"Flow":       func() error { _, err := s.Flow(ctx, foreign); return err },
		"App":        func() error { _, err := s.App(ctx, foreign); return err },
		"DeleteApp":  func() error { return s.DeleteApp(ctx, foreign) },
		"Definition": func() error { _, err := s.Definition(ctx, "intruder", "one", "1"); return err },
		"Keyset":     func() error { _, err := s.Keyset(ctx, "intruder"); return err },
		"Connections after a foreign one": func() error {
			_, err := s.Connections(ctx, storage.ConnectionQuery{Tenant: "intruder", Before: "one", Limit: 10})
			return err
		},
		"Events after a foreign one": func() error {
			_, err := s.Events(ctx, audit.Query{Tenant: "intruder", Before: "event", Limit: 10})
			return err
		},
	} {
		wantKind(t, what, call(), fault.NotFound)
	}
	testForeignLists(t, s)
	if c, err := s.Connection(ctx, lease.Ref); err != nil || c.Lease.Holder != "me" {
		t.Errorf("a lease released under a foreign tenant: now %+v, %v", c.Lease, err)
	}
}

func testForeignLists(t *testing.T, s storage.Store) {
	ctx := t.Context()
	for what, count := range map[string]func() (int, error){
		"Connections": func() (int, error) {
			list, err := s.Connections(ctx, storage.ConnectionQuery{Tenant: "intruder", Limit: 10})
			return len(list), err
		},
		"CountConnections": func() (int, error) {
			counts, err := s.CountConnections(ctx, "intruder")
			return counts[storage.Active], err
		},
		"CountPendingFlows": func() (int, error) { return s.CountPendingFlows(ctx, "intruder", start) },
		"Apps":              func() (int, error) { list, err := s.Apps(ctx, "intruder", ""); return len(list), err },
		"APIKeys":           func() (int, error) { list, err := s.APIKeys(ctx, "intruder"); return len(list), err },
		"Definitions":       func() (int, error) { list, err := s.Definitions(ctx, "intruder", ""); return len(list), err },
		"Events": func() (int, error) {
			list, err := s.Events(ctx, audit.Query{Tenant: "intruder", Limit: 10})
			return len(list), err
		},
	} {
		if n, err := count(); n != 0 || err != nil {
			t.Errorf("%s finds %d, %v in a tenant that has nothing", what, n, err)
		}
	}
}

// testJoinedIDs proves that tenant and id are not one string in which one can pass for the other.
func testJoinedIDs(t *testing.T, s storage.Store) {
	refs := []storage.Ref{{Tenant: "a/b", ID: "c"}, {Tenant: "a", ID: "b/c"}, {Tenant: "a%2Fb", ID: "c"}, {Tenant: "", ID: "a/b/c"}}
	for _, ref := range refs {
		must(t, s.CreateConnection(t.Context(), Connection(ref.Tenant, ref.ID)))
	}
	for _, ref := range refs {
		got, err := s.Connection(t.Context(), ref)
		must(t, err)
		if got.Ref != ref {
			t.Errorf("read %+v, got %+v", ref, got.Ref)
		}
	}
}

// leaseTime is a lease's life that no test outlives.
const leaseTime = time.Minute
