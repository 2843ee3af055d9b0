package secret

import (
	"context"
	"fmt"
	"sync"

	"dowel/engine/fault"
)

// A KeysetStore keeps the wrapped keyset of each tenant. What it keeps is
// encrypted; only its wrapping may change, see RewrapStore.
type KeysetStore interface {
	// Keyset returns what CreateKeyset stored, or fails with fault.NotFound.
	Keyset(ctx context.Context, tenant string) ([]byte, error)
	// CreateKeyset stores the first keyset of a tenant, or fails with
	// fault.Conflict if there is one, whoever made it.
	CreateKeyset(ctx context.Context, tenant string, wrapped []byte) error
}

// maxCached is how many tenants' keysets stay unwrapped in memory; each takes
// about 2 KiB. Beyond it, any other one makes room.
const maxCached = 10_000

// A Keyring seals and opens records. It is safe for concurrent use, and any
// number of Keyrings may work on one store at once.
type Keyring struct {
	store   KeysetStore
	masters masters

	mu     sync.RWMutex
	cached map[string]*tenantKeys
}

// NewKeyring returns a Keyring over store. The first key wraps new keysets; the
// others open what they wrapped. Call Check before the first Seal.
func NewKeyring(store KeysetStore, keys ...MasterKey) (*Keyring, error) {
	m, err := newMasters(keys)
	if err != nil {
		return nil, err
	}
	return &Keyring{store: store, masters: m, cached: map[string]*tenantKeys{}}, nil
}

// Seal encrypts plaintext for the place b names. The first call for a tenant
// makes its keyset. Errors of the store pass through.
func (k *Keyring) Seal(ctx context.Context, b Binding, plaintext []byte) (Sealed, error) {
	keys, err := k.keys(ctx, b.Tenant)
	if fault.KindOf(err) == fault.NotFound {
		keys, err = k.create(ctx, b.Tenant)
	}
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", b.Kind, err)
	}
	ciphertext, err := keys.aead.Encrypt(plaintext, b.associatedData())
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", b.Kind, err)
	}
	return append([]byte{sealedFormat}, ciphertext...), nil
}

// Open decrypts what Seal returned for the same Binding. Anything else, be it
// cut, changed, moved from another place or sealed with a key that is not
// there, fails with fault.Corrupt and names the key. Errors of the store pass
// through.
func (k *Keyring) Open(ctx context.Context, b Binding, s Sealed) ([]byte, error) {
	id, ok := s.keyID()
	if !ok {
		return nil, fault.E(fault.Corrupt, "a stored secret is cut short or of another version", nil)
	}
	keys, err := k.keysWith(ctx, b.Tenant, id)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", b.Kind, err)
	}
	plaintext, err := keys.aead.Decrypt(s[1:], b.associatedData())
	if err != nil {
		return nil, fault.E(fault.Corrupt, fmt.Sprintf("a stored secret does not open (key %08x)", id), err)
	}
	return plaintext, nil
}

// keysWith returns the tenant's keys, which must hold the key id.
func (k *Keyring) keysWith(ctx context.Context, tenant string, id uint32) (*tenantKeys, error) {
	keys, err := k.keys(ctx, tenant)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.E(fault.Corrupt, fmt.Sprintf("a stored secret has lost its key (key %08x)", id), err)
	}
	if err == nil && !keys.ids[id] {
		// Another instance may have added a key since ours were read.
		keys, err = k.load(ctx, tenant)
	}
	if err != nil {
		return nil, err
	}
	if !keys.ids[id] {
		return nil, fault.E(fault.Corrupt, fmt.Sprintf("a stored secret names an unknown key (key %08x)", id), nil)
	}
	return keys, nil
}

func (k *Keyring) keys(ctx context.Context, tenant string) (*tenantKeys, error) {
	k.mu.RLock()
	keys := k.cached[tenant]
	k.mu.RUnlock()
	if keys != nil {
		return keys, nil
	}
	return k.load(ctx, tenant)
}

func (k *Keyring) load(ctx context.Context, tenant string) (*tenantKeys, error) {
	wrapped, err := k.store.Keyset(ctx, tenant)
	if err != nil {
		return nil, err
	}
	keys, err := k.masters.openKeyset(tenant, wrapped)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for other := range k.cached {
		if len(k.cached) < maxCached {
			break
		}
		delete(k.cached, other)
	}
	k.cached[tenant] = keys
	return keys, nil
}

// create makes the tenant's keyset. What the store holds afterwards counts: if
// another instance was first, its keyset is the tenant's.
func (k *Keyring) create(ctx context.Context, tenant string) (*tenantKeys, error) {
	if tenant == checkTenant {
		return nil, fault.E(fault.Invalid, "this tenant name is reserved", nil)
	}
	wrapped, err := k.masters.newKeyset(tenant)
	if err != nil {
		return nil, err
	}
	err = k.store.CreateKeyset(ctx, tenant, wrapped)
	if err != nil && fault.KindOf(err) != fault.Conflict {
		return nil, err
	}
	return k.load(ctx, tenant)
}
