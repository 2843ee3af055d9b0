package secret

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"dowel/engine/fault"
)

func (m *memory) KeysetTenants(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.keysets)), m.down
}

func (m *memory) ReplaceKeyset(_ context.Context, tenant string, old, wrapped []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Equal(m.keysets[tenant], old) {
		return fault.E(fault.Conflict, "another keyset is there", nil)
	}
	m.keysets[tenant] = slices.Clone(wrapped)
	return nil
}

// dying is a memory whose process is killed after some writes.
type dying struct {
	*memory
	left int
}

var errKilled = errors.New("killed")

func (d *dying) ReplaceKeyset(ctx context.Context, tenant string, old, wrapped []byte) error {
	if d.left == 0 {
		return errKilled
	}
	d.left--
	return d.memory.ReplaceKeyset(ctx, tenant, old, wrapped)
}

// sealedBy is a store of three tenants, and what they have sealed.
func sealedBy(t *testing.T, key MasterKey) (*memory, map[Binding]Sealed) {
	t.Helper()
	store, sealed := newMemory(), map[Binding]Sealed{}
	k := open(t, store, key)
	if err := k.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"", "t1", "t2"} {
		b := Binding{Tenant: tenant, Kind: "credential", ID: "1"}
		s, err := k.Seal(t.Context(), b, []byte(canary))
		if err != nil {
			t.Fatal(err)
		}
		sealed[b] = s
	}
	return store, sealed
}

// readable reports whether a process with the keys starts on the store and opens all that is sealed.
func readable(t *testing.T, store KeysetStore, sealed map[Binding]Sealed, keys ...MasterKey) error {
	t.Helper()
	k := open(t, store, keys...)
	if err := k.Check(t.Context()); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	for b, s := range sealed {
		if got, err := k.Open(t.Context(), b, s); err != nil || string(got) != canary {
			return fmt.Errorf("open what %q has sealed: %q, %w", b.Tenant, got, err)
		}
	}
	return nil
}

// A rotation that dies after any number of writes leaves everything readable with both keys and nothing
// that starts without the old one, and is finished by the next. (D03, K10)
func TestARotationMayDieAtAnyTime(t *testing.T) {
	older, newer := NewMasterKey(), NewMasterKey()
	for writes := range 4 {
		t.Run(fmt.Sprintf("after %d writes", writes), func(t *testing.T) {
			store, sealed := sealedBy(t, older)
			k := open(t, store, newer, older)
			if n, err := k.Rewrap(t.Context(), &dying{store, writes}); !errors.Is(err, errKilled) || n != writes {
				t.Fatalf("Rewrap = %d, %v", n, err)
			}
			if err := readable(t, store, sealed, newer, older); err != nil {
				t.Errorf("with both keys: %v", err)
			}
			if err := readable(t, store, sealed, newer); fault.KindOf(err) != fault.Invalid {
				t.Errorf("without the old key: %v, want to be refused", err)
			}
			counts, err := WrappedBy(t.Context(), store)
			if err != nil || counts[newer.ID()] != writes || counts[older.ID()] != 3-writes {
				t.Errorf("WrappedBy = %v, %v", counts, err)
			}
			if n, err := k.Rewrap(t.Context(), store); err != nil || n != 3-writes {
				t.Errorf("again: %d, %v", n, err)
			}
			if n, err := k.Rewrap(t.Context(), store); err != nil || n != 0 {
				t.Errorf("once more: %d, %v", n, err)
			}
			if err := readable(t, store, sealed, newer); err != nil {
				t.Errorf("with the new key alone: %v", err)
			}
			if err := readable(t, store, sealed, older); fault.KindOf(err) != fault.Invalid {
				t.Errorf("with the old key alone: %v, want to be refused", err)
			}
		})
	}
}

func TestARotationWithoutTheOldKeyChangesNothing(t *testing.T) {
	store, sealed := sealedBy(t, NewMasterKey())
	before := maps.Clone(store.keysets)
	if n, err := open(t, store, NewMasterKey()).Rewrap(t.Context(), store); fault.KindOf(err) != fault.Corrupt || n != 0 {
		t.Errorf("Rewrap of %d records = %d, %v", len(sealed), n, err)
	}
	if !maps.EqualFunc(before, store.keysets, slices.Equal) {
		t.Error("the store has changed")
	}
}
