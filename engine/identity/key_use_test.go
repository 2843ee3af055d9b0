package identity

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dowel/engine/access"
	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// writes is a store that counts the writes of keys, and may refuse them.
type writes struct {
	storage.Store
	n    atomic.Int64
	down atomic.Bool
}

func (w *writes) UpdateAPIKey(ctx context.Context, r storage.Ref, change func(*storage.APIKey) error) (storage.APIKey, error) {
	w.n.Add(1)
	if w.down.Load() {
		return storage.APIKey{}, fault.E(fault.StoreDown, "the store does not answer", errors.New("refused"))
	}
	return w.Store.UpdateAPIKey(ctx, r, change)
}

func (w *writes) lastUsed(t *testing.T) time.Time {
	t.Helper()
	keys, err := w.APIKeys(t.Context(), "acme")
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	return keys[0].LastUsedAt
}

// used returns a service with one key that has just been shown, and its store.
func used(t *testing.T) (*Service, *writes) {
	t.Helper()
	memory, err := sqlite.OpenMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	store := &writes{Store: memory}
	s := &Service{Store: store, KeyCache: time.Nanosecond, Logger: slog.New(slog.DiscardHandler)}
	operator := access.Principal{Kind: access.Operator, Tenant: "acme", ID: "me"}
	key, _, err := s.CreateAPIKey(t.Context(), operator, "worker", []string{string(access.ReadTokens)}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.Workload(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if n := store.n.Load(); n != 0 {
		t.Fatalf("%d writes while the caller waits", n)
	}
	return s, store
}

func TestTheUseOfAKeyIsWrittenOnceAndNotWhileTheCallerWaits(t *testing.T) {
	s, store := used(t)
	for range 2 {
		if err := s.FlushKeyUses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := store.n.Load(); n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
	if last := store.lastUsed(t); time.Since(last) > 2*time.Minute || !last.Equal(last.Truncate(time.Minute)) {
		t.Errorf("last used at %v", last)
	}
}

func TestTheUseOfAKeyIsKeptWhileTheStoreIsDown(t *testing.T) {
	s, store := used(t)
	store.down.Store(true)
	if err := s.FlushKeyUses(t.Context()); fault.KindOf(err) != fault.StoreDown {
		t.Fatalf("flush: %v", err)
	}
	store.down.Store(false)
	if err := s.FlushKeyUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	if store.lastUsed(t).IsZero() {
		t.Error("the use was forgotten")
	}
}

func TestTheUseOfAKeyIsWrittenWhenTheHouseStops(t *testing.T) {
	s, store := used(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if store.lastUsed(t).IsZero() {
		t.Error("the use was lost")
	}
}
