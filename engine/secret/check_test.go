package secret

import (
	"strings"
	"sync"
	"testing"

	"dowel/engine/fault"
)

func TestCheckKnowsAnotherMasterKeyBeforeAnythingIsWritten(t *testing.T) {
	store, ours := newMemory(), NewMasterKey()
	if err := open(t, store, ours).Check(t.Context()); err != nil {
		t.Fatalf("fresh store: %v", err)
	}
	if err := open(t, store, ours).Check(t.Context()); err != nil {
		t.Fatalf("second start: %v", err)
	}
	err := open(t, store, NewMasterKey()).Check(t.Context())
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "another master key") {
		t.Errorf("start with another key: %v", err)
	}
	if len(store.keysets) != 1 {
		t.Errorf("%d records, want the check value alone", len(store.keysets))
	}
}

func TestCheckSeesThroughALostCheckValue(t *testing.T) {
	store := newMemory()
	if _, err := open(t, store, NewMasterKey()).Seal(t.Context(), Binding{Kind: "system"}, nil); err != nil {
		t.Fatal(err)
	}
	err := open(t, store, NewMasterKey()).Check(t.Context())
	if fault.KindOf(err) != fault.Invalid || len(store.keysets) != 1 {
		t.Errorf("Check: %v, %d records; want no new one", err, len(store.keysets))
	}
}

// TestTwoFirstStartsWithDifferentKeys: one of them must be told.
func TestTwoFirstStartsWithDifferentKeys(t *testing.T) {
	store := newMemory()
	var mu sync.Mutex
	refused := 0
	var group sync.WaitGroup
	for range 2 {
		k := open(t, store, NewMasterKey())
		group.Go(func() {
			if err := k.Check(t.Context()); err != nil {
				mu.Lock()
				defer mu.Unlock()
				refused++
			}
		})
	}
	group.Wait()
	if refused != 1 {
		t.Errorf("%d of two were refused, want 1", refused)
	}
}

func TestReservedTenantSealsNothing(t *testing.T) {
	k := open(t, newMemory(), NewMasterKey())
	if _, err := k.Seal(t.Context(), Binding{Tenant: checkTenant}, nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("Seal for the reserved tenant: %v", err)
	}
}
