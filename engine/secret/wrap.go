package secret

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"dowel/engine/fault"
)

// A wrapped record is one format byte, the four bytes of the master key's id,
// and what that key encrypted.
const (
	wrappedFormat = 1
	masterIDSize  = 4
	wrappedHead   = 1 + masterIDSize
)

// masters are the master keys of this process, by id. The first one seals.
type masters struct {
	first string
	byID  map[string]tink.AEAD
}

func newMasters(keys []MasterKey) (masters, error) {
	if len(keys) == 0 {
		return masters{}, errors.New("no master key; make one with `dowel keys new`")
	}
	m := masters{first: keys[0].ID(), byID: map[string]tink.AEAD{}}
	for _, key := range keys {
		kek, err := subtle.NewAESGCM([]byte(key.text.Reveal()))
		if err != nil {
			return masters{}, fmt.Errorf("use master key: %w", err)
		}
		m.byID[key.ID()] = kek
	}
	return m, nil
}

// kek returns the key that wrapped was wrapped with and the rest of the record.
func (m masters) kek(wrapped []byte) (tink.AEAD, []byte, error) {
	id := wrapper(wrapped)
	if id == "" {
		return nil, nil, fault.E(fault.Corrupt, "a stored key is not in a form this version reads", nil)
	}
	kek, ok := m.byID[id]
	if !ok {
		return nil, nil, fault.E(fault.Corrupt, fmt.Sprintf(
			"a stored key was wrapped with master key %s, and this process holds %s",
			id, strings.Join(slices.Sorted(maps.Keys(m.byID)), ", ")), nil)
	}
	return kek, wrapped[wrappedHead:], nil
}

// head starts a wrapped record of the first master key.
func (m masters) head() []byte {
	id, _ := hex.DecodeString(m.first) // Made by EncodeToString.
	return append([]byte{wrappedFormat}, id...)
}

// newKeyset makes a keyset for tenant and returns it wrapped.
//
// XAES-256-GCM draws 192-bit nonces: a tenant may seal without a limit, where
// plain AES-GCM would have to change its key after 2^32 records.
func (m masters) newKeyset(tenant string) (wrapped []byte, err error) {
	handle, err := keyset.NewHandle(aead.XAES256GCM192BitNonceKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make keyset: %w", err)
	}
	return m.wrap(tenant, handle)
}

// openKeyset unwraps what newKeyset returned.
func (m masters) openKeyset(tenant string, wrapped []byte) (*tenantKeys, error) {
	handle, err := m.unwrap(tenant, wrapped)
	if err != nil {
		return nil, err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fault.E(fault.Corrupt, "a tenant's keys cannot be used", err)
	}
	keys := &tenantKeys{aead: primitive, ids: map[uint32]bool{}}
	for _, info := range handle.KeysetInfo().GetKeyInfo() {
		keys.ids[info.GetKeyId()] = true
	}
	return keys, nil
}

// tenantKeys is an unwrapped keyset, ready for use.
type tenantKeys struct {
	aead tink.AEAD
	ids  map[uint32]bool
}
