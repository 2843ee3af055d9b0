package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
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
	entries sync.Map // storage.Ref → *cached
	size    atomic.Int64
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
		k.drop(r)
		return Live{}, false
	}
	return Live{Ref: r, Version: e.version, ExpiresAt: e.expiresAt, Warning: e.warning, JSON: b}, true
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
		k.drop(r)
		return nil
	}
	if !e.goodUntil.IsZero() && !now.Before(e.goodUntil) || minTTL > 0 && !e.expiresAt.IsZero() && e.expiresAt.Sub(now) <= minTTL {
		return nil
	}
	return e
}

func (k *cache) put(l Live, c storage.Connection, ttl time.Duration, now time.Time) {
	if ttl <= 0 {
		return
	}
	k.ready()
	if k.aead == nil || k.size.Load() >= maxCached && !k.purge(ttl, now) {
		return
	}
	e := &cached{at: now, version: l.Version, expiresAt: l.ExpiresAt, warning: l.Warning, sealed: k.aead.Seal(nil, nil, l.JSON, nil)}
	if !l.ExpiresAt.IsZero() {
		// Until the renewal is due; later reads look again, and set it going.
		e.goodUntil = l.ExpiresAt.Add(-skew)
		if life := lifetime(c); life > 0 {
			e.goodUntil = l.ExpiresAt.Add(-min(skew, life/5))
		}
		if !c.RefreshAt.IsZero() && c.RefreshAt.Before(e.goodUntil) && now.Before(c.RefreshAt) {
			e.goodUntil = c.RefreshAt
		}
	}
	if _, old := k.entries.Swap(l.Ref, e); !old {
		k.size.Add(1)
	}
}

// purge drops what has aged and reports whether there is room.
func (k *cache) purge(ttl time.Duration, now time.Time) bool {
	k.entries.Range(func(r, v any) bool {
		if now.Sub(v.(*cached).at) > ttl {
			k.drop(r.(storage.Ref))
		}
		return true
	})
	return k.size.Load() < maxCached
}

func (k *cache) drop(r storage.Ref) {
	if _, ok := k.entries.LoadAndDelete(r); ok {
		k.size.Add(-1)
	}
}
