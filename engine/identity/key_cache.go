package identity

import (
	"encoding/hex"
	"sync"
	"time"

	"dowel/engine/access"
)

// keyCache remembers for a moment which keys were found good, by their hash.
type keyCache struct {
	mu sync.RWMutex
	m  map[[32]byte]knownKey
}

type knownKey struct {
	p     access.Principal
	until time.Time
}

// maxKnown bounds the keys remembered; beyond it all are forgotten and looked up again.
const maxKnown = 10_000

func (k *keyCache) get(sum [32]byte, now time.Time) (access.Principal, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	known, ok := k.m[sum]
	if !ok || !now.Before(known.until) {
		return access.Principal{}, false
	}
	return known.p, true
}

func (k *keyCache) put(sum [32]byte, p access.Principal, until time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.m == nil || len(k.m) >= maxKnown {
		k.m = map[[32]byte]knownKey{}
	}
	k.m[sum] = knownKey{p, until}
}

// drop forgets a key by its hash in hex.
func (k *keyCache) drop(hash string) {
	b, err := hex.DecodeString(hash)
	if err != nil || len(b) != 32 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.m, [32]byte(b))
}
