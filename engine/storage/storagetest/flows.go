package storagetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// race calls take from 50 goroutines at once and returns how many of them got something. What the
// others got has to be NotFound.
func race(t *testing.T, loser fault.Kind, take func(i int) error) (winners int) {
	t.Helper()
	errs := make([]error, 50)
	var begin, end sync.WaitGroup
	begin.Add(1)
	for i := range errs {
		end.Go(func() {
			begin.Wait()
			errs[i] = take(i)
		})
	}
	begin.Done()
	end.Wait()
	for _, err := range errs {
		if err == nil {
			winners++
		} else {
			wantKind(t, "a loser", err, loser)
		}
	}
	return winners
}

func testTakeFlow(t *testing.T, s storage.Store) { takeFlow(t, s, s) }

func takeFlow(t *testing.T, a, b storage.Store) {
	ctx := t.Context()
	f := Flow("acme", "one")
	must(t, a.CreateFlow(ctx, f))
	must(t, a.CreateFlow(ctx, Flow("acme", "two")))
	var mu sync.Mutex
	var taken []storage.Flow
	winners := race(t, fault.NotFound, func(i int) error {
		got, err := []storage.Store{a, b}[i%2].TakeFlow(ctx, f.StateHash, start)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			taken = append(taken, got)
		}
		return err
	})
	if winners != 1 {
		t.Fatalf("%d callers took one flow", winners)
	}
	f.Status, f.Revision = storage.FlowTaken, 2
	if diff := cmp.Diff(f, taken[0]); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	got, err := b.Flow(ctx, f.Ref)
	must(t, err)
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	_, err = a.TakeFlow(ctx, "unknown", start)
	wantKind(t, "take an unknown state", err, fault.NotFound)
	if n, err := a.CountPendingFlows(ctx, "acme", start); n != 1 || err != nil {
		t.Errorf("%d flows pending, %v; want the one that was not taken", n, err)
	}
}

func testFlowByState(t *testing.T, s storage.Store) {
	ctx := t.Context()
	f := Flow("acme", "one")
	must(t, s.CreateFlow(ctx, f))
	f.Revision = 1
	must(t, s.CreateFlow(ctx, Flow("globex", "two")))
	same := func(what string) {
		t.Helper()
		got, err := s.FlowByState(ctx, f.StateHash)
		must(t, err)
		if diff := cmp.Diff(f, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	same("pending")
	same("read again")
	taken, err := s.TakeFlow(ctx, f.StateHash, start)
	must(t, err)
	f = taken
	same("taken")
	before := f.StateHash
	f, err = s.UpdateFlow(ctx, f.Ref, func(f *storage.Flow) error {
		f.StateHash = "another state"
		return nil
	})
	must(t, err)
	same("with another state")
	for _, gone := range []string{before, "unknown", ""} {
		_, err := s.FlowByState(ctx, gone)
		wantKind(t, "read the flow of state "+gone, err, fault.NotFound)
	}
}

func testExpiredFlow(t *testing.T, s storage.Store) {
	f := Flow("acme", "one")
	must(t, s.CreateFlow(t.Context(), f))
	_, err := s.TakeFlow(t.Context(), f.StateHash, f.ExpiresAt)
	wantKind(t, "take at the moment of expiry", err, fault.NotFound)
	if n, err := s.CountPendingFlows(t.Context(), "acme", f.ExpiresAt); n != 0 || err != nil {
		t.Errorf("%d flows pending, %v; want none", n, err)
	}
	if _, err := s.TakeFlow(t.Context(), f.StateHash, f.ExpiresAt.Add(-time.Millisecond)); err != nil {
		t.Errorf("take just before: %v", err)
	}
}

func testSweeps(t *testing.T, s storage.Store) {
	ctx := t.Context()
	// Three of each: expired, expired with an event nobody was told of, and alive.
	for i, id := range []string{"expired", "untold", "alive"} {
		f, cs, session := Flow("acme", id), ConnectSession("acme", id), Session("acme", id)
		for _, expiresAt := range []*time.Time{&f.ExpiresAt, &cs.ExpiresAt, &session.ExpiresAt} {
			*expiresAt = start.Add(time.Duration(i) * time.Hour)
		}
		if id == "untold" {
			f.Outbox = []audit.Event{Event("acme", id, "flow")}
			cs.Outbox = []audit.Event{Event("acme", id, "session")}
		}
		must(t, s.CreateFlow(ctx, f))
		must(t, s.CreateConnectSession(ctx, cs))
		must(t, s.CreateSession(ctx, session))
	}
	for _, tt := range []struct {
		name  string
		sweep func(context.Context, time.Time) (int, error)
		get   func(id string) error
		left  []string
	}{
		{"flows", s.SweepFlows, func(id string) error {
			_, err := s.Flow(ctx, storage.Ref{Tenant: "acme", ID: id})
			return err
		}, []string{"untold", "alive"}},
		{"connect sessions", s.SweepConnectSessions, func(id string) error {
			_, err := s.ConnectSession(ctx, "ticket acme "+id)
			return err
		}, []string{"untold", "alive"}},
		{"sessions", s.SweepSessions, func(id string) error {
			_, err := s.Session(ctx, "session acme "+id)
			return err
		}, []string{"alive"}},
	} {
		n, err := tt.sweep(ctx, start.Add(90*time.Minute))
		must(t, err)
		var left []string
		for _, id := range []string{"expired", "untold", "alive"} {
			if err := tt.get(id); err == nil {
				left = append(left, id)
			} else {
				wantKind(t, id, err, fault.NotFound)
			}
		}
		if !slices.Equal(left, tt.left) || n != 3-len(tt.left) {
			t.Errorf("%s: %d swept, left %q, want %q", tt.name, n, left, tt.left)
		}
	}
}

func testConnectSessionByRef(t *testing.T, s storage.Store) {
	ctx := t.Context()
	want := ConnectSession("acme", "one")
	must(t, s.CreateConnectSession(ctx, want))
	must(t, s.CreateConnectSession(ctx, ConnectSession("umbrella", "two")))
	got, err := s.ConnectSessionByRef(ctx, want.Ref)
	must(t, err)
	byTicket, err := s.ConnectSession(ctx, want.TicketHash)
	must(t, err)
	if diff := cmp.Diff(byTicket, got); diff != "" {
		t.Errorf("(-by ticket +by id):\n%s", diff)
	}
	for _, r := range []storage.Ref{{Tenant: "umbrella", ID: "one"}, {Tenant: "acme", ID: "two"}, {Tenant: "acme", ID: ""}} {
		_, err := s.ConnectSessionByRef(ctx, r)
		wantKind(t, "session "+r.Tenant+"/"+r.ID, err, fault.NotFound)
	}
}

func testTakeSession(t *testing.T, s storage.Store) {
	ctx := t.Context()
	link := Session("acme", "one")
	must(t, s.CreateSession(ctx, link))
	winners := race(t, fault.NotFound, func(int) error {
		got, err := s.TakeSession(ctx, link.Hash)
		if err == nil && got.ID != "one" {
			t.Errorf("took %+v", got)
		}
		return err
	})
	if winners != 1 {
		t.Errorf("%d callers took one link", winners)
	}
	_, err := s.Session(ctx, link.Hash)
	wantKind(t, "read what was taken", err, fault.NotFound)
	must(t, s.CreateSession(ctx, link))
	must(t, s.DeleteSession(ctx, link.Hash))
	_, err = s.Session(ctx, link.Hash)
	wantKind(t, "read what was deleted", err, fault.NotFound)
	must(t, s.DeleteSession(ctx, link.Hash))
}

func testKeyset(t *testing.T, s storage.Store) { createKeyset(t, s, s) }

func createKeyset(t *testing.T, a, b storage.Store) {
	ctx := t.Context()
	_, err := a.Keyset(ctx, "")
	wantKind(t, "keyset nobody made", err, fault.NotFound)
	for _, tenant := range []string{"acme", "", "~master-key-check"} {
		var mu sync.Mutex
		var won byte
		winners := race(t, fault.Conflict, func(i int) error {
			err := []storage.Store{a, b}[i%2].CreateKeyset(ctx, tenant, []byte{byte(i), 0, 255})
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				won = byte(i)
			}
			return err
		})
		if winners != 1 {
			t.Errorf("%d callers created the keyset of %q", winners, tenant)
		}
		got, err := b.Keyset(ctx, tenant)
		must(t, err)
		if !slices.Equal(got, []byte{won, 0, 255}) {
			t.Errorf("keyset of %q is %v, want that of caller %d", tenant, got, won)
		}
	}
}

// testKeysetReplaced has many replace one keyset at once, each what it has seen.
func testKeysetReplaced(t *testing.T, s storage.Store) {
	ctx := t.Context()
	wantKind(t, "keyset nobody made", s.ReplaceKeyset(ctx, "acme", []byte{1}, []byte{2}), fault.Conflict)
	tenants := []string{"", "acme", "~master-key-check"}
	for i, tenant := range tenants {
		must(t, s.CreateKeyset(ctx, tenant, []byte{byte(i), 0, 255}))
	}
	got, err := s.KeysetTenants(ctx)
	must(t, err)
	if slices.Sort(got); !slices.Equal(got, tenants) {
		t.Errorf("keysets of %q, want %q", got, tenants)
	}
	old := []byte{1, 0, 255}
	winners := race(t, fault.Conflict, func(i int) error { return s.ReplaceKeyset(ctx, "acme", old, []byte{byte(i), 9}) })
	if winners != 1 {
		t.Errorf("%d callers replaced one keyset", winners)
	}
	for i, tenant := range tenants {
		wrapped, err := s.Keyset(ctx, tenant)
		must(t, err)
		if replaced := len(wrapped) == 2; replaced != (tenant == "acme") || !replaced && wrapped[0] != byte(i) {
			t.Errorf("keyset of %q is %v", tenant, wrapped)
		}
	}
}
