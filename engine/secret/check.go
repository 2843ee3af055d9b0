package secret

import (
	"context"
	"fmt"

	"dowel/engine/fault"
)

// checkTenant is the reserved name under which the key-check value is stored.
const checkTenant = "~master-key-check"

// checkText is what the key-check value holds.
const checkText = "dowel master key check"

// Check makes sure that the store was sealed with one of our master keys, and
// marks a fresh store as ours. It is to be called before anything is written.
// It fails with fault.Invalid if the store belongs to another master key, and
// passes errors of the store through.
func (k *Keyring) Check(ctx context.Context) error {
	wrapped, err := k.store.Keyset(ctx, checkTenant)
	if fault.KindOf(err) == fault.NotFound {
		wrapped, err = k.createCheck(ctx)
	}
	if err != nil {
		return fmt.Errorf("read key-check value: %w", err)
	}
	kek, body, err := k.masters.kek(wrapped)
	if err == nil {
		var text []byte
		text, err = kek.Decrypt(body, Binding{Kind: "check"}.associatedData())
		if err == nil && string(text) == checkText {
			return nil
		}
	}
	return fault.E(fault.Invalid, "this store was sealed with another master key", err)
}

// createCheck stores the key-check value, and returns what the store holds then:
// another instance may have been first, with another key.
func (k *Keyring) createCheck(ctx context.Context) ([]byte, error) {
	// Keys without a check value are a store from which the check was lost:
	// the system's own keyset, if there is one, says whose it is.
	if _, err := k.load(ctx, ""); err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, fault.E(fault.Invalid, "this store was sealed with another master key", err)
	}
	value, err := k.masters.newCheck()
	if err != nil {
		return nil, err
	}
	err = k.store.CreateKeyset(ctx, checkTenant, value)
	if err != nil && fault.KindOf(err) != fault.Conflict {
		return nil, err
	}
	return k.store.Keyset(ctx, checkTenant)
}

// newCheck makes a key-check value of the first master key.
func (m masters) newCheck() ([]byte, error) {
	body, err := m.byID[m.first].Encrypt([]byte(checkText), Binding{Kind: "check"}.associatedData())
	if err != nil {
		return nil, fmt.Errorf("make key-check value: %w", err)
	}
	return append(m.head(), body...), nil
}
