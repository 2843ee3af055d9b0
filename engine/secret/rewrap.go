package secret

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/keyset"

	"dowel/engine/fault"
)

// A RewrapStore is a KeysetStore that also tells whose keysets it has, and takes new wrappings of them.
type RewrapStore interface {
	KeysetStore
	// KeysetTenants lists who has a keyset.
	KeysetTenants(ctx context.Context) ([]string, error)
	// ReplaceKeyset puts wrapped in the place of old, or fails with fault.Conflict if something else is there.
	ReplaceKeyset(ctx context.Context, tenant string, old, wrapped []byte) error
}

// WrappedBy counts the keysets of a store by the ID of the master key that wraps them.
func WrappedBy(ctx context.Context, store RewrapStore) (map[string]int, error) {
	tenants, err := store.KeysetTenants(ctx)
	if err != nil {
		return nil, fmt.Errorf("list keysets: %w", err)
	}
	counts := map[string]int{}
	for _, tenant := range tenants {
		wrapped, err := store.Keyset(ctx, tenant)
		if err != nil {
			return nil, fmt.Errorf("read keyset: %w", err)
		}
		if tenant != checkTenant {
			counts[wrapper(wrapped)]++
		}
	}
	return counts, nil
}

// Rewrap wraps with the first master key what another of them wraps, and returns how many keysets it has
// changed; nothing that is sealed changes. It may be stopped at any time and run again: until it is through,
// the key-check value is the old key's, so that no process starts without that. Keysets of instances that
// still wrap with the old key come in until all have been given the new one first.
func (k *Keyring) Rewrap(ctx context.Context, store RewrapStore) (changed int, err error) {
	for {
		tenants, err := store.KeysetTenants(ctx)
		if err != nil {
			return changed, fmt.Errorf("list keysets: %w", err)
		}
		before := changed
		for _, tenant := range tenants {
			if tenant == checkTenant {
				continue
			}
			did, err := rewrap(ctx, store, tenant, k.masters.rewrapKeyset)
			if err != nil {
				return changed, fmt.Errorf("wrap the keys of tenant %q: %w", tenant, err)
			}
			if did {
				changed++
			}
		}
		if changed == before {
			break
		}
	}
	if _, err := rewrap(ctx, store, checkTenant, k.masters.rewrapCheck); err != nil {
		return changed, fmt.Errorf("wrap key-check value: %w", err)
	}
	return changed, nil
}

// rewrap replaces one record by what again makes of it, or leaves it if that is nothing.
func rewrap(ctx context.Context, store RewrapStore, tenant string, again func(tenant string, wrapped []byte) ([]byte, error)) (bool, error) {
	old, err := store.Keyset(ctx, tenant)
	if err != nil {
		return false, err
	}
	wrapped, err := again(tenant, old)
	if err != nil || wrapped == nil {
		return false, err
	}
	err = store.ReplaceKeyset(ctx, tenant, old, wrapped)
	if fault.KindOf(err) == fault.Conflict {
		return false, nil // somebody else rotates, too
	}
	return err == nil, err
}

// wrapper is the ID of the master key that wrapped was wrapped with; empty if it is in no form we know.
func wrapper(wrapped []byte) string {
	if len(wrapped) < wrappedHead || wrapped[0] != wrappedFormat {
		return ""
	}
	return hex.EncodeToString(wrapped[1:wrappedHead])
}

// rewrapKeyset wraps a keyset with the first master key; nil if that wraps it.
func (m masters) rewrapKeyset(tenant string, wrapped []byte) ([]byte, error) {
	if wrapper(wrapped) == m.first {
		return nil, nil
	}
	handle, err := m.unwrap(tenant, wrapped)
	if err != nil {
		return nil, err
	}
	return m.wrap(tenant, handle)
}

// rewrapCheck is rewrapKeyset for the key-check value.
func (m masters) rewrapCheck(_ string, wrapped []byte) ([]byte, error) {
	if wrapper(wrapped) == m.first {
		return nil, nil
	}
	return m.newCheck()
}

// wrap writes a tenant's keyset for the store.
func (m masters) wrap(tenant string, handle *keyset.Handle) ([]byte, error) {
	var out bytes.Buffer
	out.Write(m.head())
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&out), m.byID[m.first], keysetData(tenant)); err != nil {
		return nil, fmt.Errorf("wrap keyset: %w", err)
	}
	return out.Bytes(), nil
}

// unwrap reads what wrap returned, with whichever master key that took.
func (m masters) unwrap(tenant string, wrapped []byte) (*keyset.Handle, error) {
	kek, body, err := m.kek(wrapped)
	if err != nil {
		return nil, err
	}
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(body)), kek, keysetData(tenant))
	if err != nil {
		return nil, fault.E(fault.Corrupt, "a tenant's keys do not open", err)
	}
	return handle, nil
}

func keysetData(tenant string) []byte {
	return Binding{Tenant: tenant, Kind: "keyset"}.associatedData()
}
