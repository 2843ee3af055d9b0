package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"dowel/engine/storage"
)

// cache keeps answers for a moment, sealed with a key that lives and dies with the process, so that a
// memory dump or a swap file holds no token for having served one.
type cache struct {
	once    sync.Once
	aead    cipher.AEAD
	seed    maphash.Seed
	entries sync.Map // storage.Ref → *cached
	size    atomic.Int64
	purged  atomic.Int64 // when it was last looked what has aged, in Unix nanoseconds
	drops   [256]atomic.Uint64
}

type cached struct {
	at        time.Time
	version   int64
	expiresAt time.Time
	goodUntil time.Time // for a reader without a wish
	warning   string
	sealed    []byte // nonce and ciphertext
}

// maxCached bounds how many answers are kept; beyond it nothing more is kept until some have aged.
const maxCached = 20_000

func (k *cache) ready() {
	k.once.Do(func() {
		k.seed = maphash.MakeSeed()
		var key [32]byte
		_, _ = rand.Read(key[:]) // never fails, see crypto/rand
		block, err := aes.NewCipher(key[:])
		if err != nil {
			return // a key of 32 bytes is always accepted; without a cipher nothing is kept
		}
		k.aead, _ = cipher.NewGCMWithRandomNonce(block)
	})
}

// get returns an answer no older than ttl that suits a reader who wants minTTL.
func (k *cache) get(r storage.Ref, ttl, minTTL time.Duration, now time.Time) (Live, bool) {
	e := k.fresh(r, ttl, minTTL, now)
	if e == nil {
		return Live{}, false
	}
	b, err := k.aead.Open(make([]byte, 0, len(e.sealed)), nil, e.sealed, nil)
	if err != nil {
		k.remove(r)
		return Live{}, false
	}
	return Live{Ref: r, Version: e.version, ExpiresAt: e.expiresAt, Warning: e.warning, written: b}, true
}

// open is get for a caller who wants the answer in a buffer of its own.
func (k *cache) open(dst []byte, r storage.Ref, ttl, minTTL time.Duration, now time.Time) ([]byte, bool) {
	e := k.fresh(r, ttl, minTTL, now)
	if e == nil {
		return dst, false
	}
	b, err := k.aead.Open(dst, nil, e.sealed, nil)
	return b, err == nil
}

func (k *cache) fresh(r storage.Ref, ttl, minTTL time.Duration, now time.Time) *cached {
	v, ok := k.entries.Load(r)
	if !ok {
		return nil
	}
	e := v.(*cached)
	if now.Sub(e.at) > ttl {
		k.remove(r)
		return nil
	}
	if !e.goodUntil.IsZero() && !now.Before(e.goodUntil) || minTTL > 0 && !e.expiresAt.IsZero() && e.expiresAt.Sub(now) <= minTTL {
		return nil
	}
	return e
}

// mark is a moment before a record was read: what was read may be kept as of then, if nothing was
// dropped since.
type mark struct {
	at    time.Time
	drops uint64
}

func (k *cache) mark(r storage.Ref) mark {
	k.ready()
	return mark{time.Now(), k.slot(r).Load()}
}

// slot counts the drops of r, and of some others.
func (k *cache) slot(r storage.Ref) *atomic.Uint64 {
	return &k.drops[maphash.Comparable(k.seed, r)%uint64(len(k.drops))]
}

// put keeps l, the written answer from c, which was read after m. It never puts an older version in the place
// of a newer one.
func (k *cache) put(l Live, c storage.Connection, m mark, ttl time.Duration) {
	if ttl <= 0 || k.aead == nil || k.size.Load() >= maxCached && !k.purge(ttl, time.Now()) {
		return
	}
	e := &cached{at: m.at, version: l.Version, expiresAt: l.ExpiresAt, warning: l.Warning, sealed: k.aead.Seal(nil, nil, l.written, nil)}
	if !l.ExpiresAt.IsZero() {
		// Until the renewal is due; later reads look again, and set it going.
		e.goodUntil = l.ExpiresAt.Add(-leeway(c))
		if !c.RefreshAt.IsZero() && c.RefreshAt.Before(e.goodUntil) && m.at.Before(c.RefreshAt) {
			e.goodUntil = c.RefreshAt
		}
	}
	for {
		old, loaded := k.entries.LoadOrStore(l.Ref, e)
		if !loaded {
			k.size.Add(1)
			break
		}
		if old.(*cached).version > e.version {
			return
		}
		if k.entries.CompareAndSwap(l.Ref, old, e) {
			break
		}
	}
	// Looked at last: a drop counts first and deletes then, so one of the two sees the other.
	if k.slot(l.Ref).Load() != m.drops {
		k.remove(l.Ref)
	}
}

// purge drops what has aged and reports whether there is room. It looks once in a while only: when
// everything is fresh, looking again at each read would cost more than the cache saves.
func (k *cache) purge(ttl time.Duration, now time.Time) bool {
	last := k.purged.Load()
	if now.UnixNano()-last < int64(ttl) || !k.purged.CompareAndSwap(last, now.UnixNano()) {
		return false
	}
	k.entries.Range(func(r, v any) bool {
		if now.Sub(v.(*cached).at) > ttl {
			k.remove(r.(storage.Ref))
		}
		return true
	})
	return k.size.Load() < maxCached
}

// drop forgets r, and what is being read of it at the moment.
func (k *cache) drop(r storage.Ref) {
	k.ready()
	k.slot(r).Add(1)
	k.remove(r)
}

func (k *cache) remove(r storage.Ref) {
	if _, ok := k.entries.LoadAndDelete(r); ok {
		k.size.Add(-1)
	}
}
