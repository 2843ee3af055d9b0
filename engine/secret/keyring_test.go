package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"dowel/engine/fault"
)

// memory is a KeysetStore that keeps its contract, and counts.
type memory struct {
	mu      sync.Mutex
	keysets map[string][]byte
	reads   int
	// missed, if set, is called after a Keyset found nothing.
	missed func()
	down   error
}

func newMemory() *memory { return &memory{keysets: map[string][]byte{}} }

func (m *memory) Keyset(_ context.Context, tenant string) ([]byte, error) {
	m.mu.Lock()
	m.reads++
	wrapped, ok := m.keysets[tenant]
	missed, down := m.missed, m.down
	m.mu.Unlock()
	if down != nil {
		return nil, down
	}
	if !ok {
		if missed != nil {
			missed()
		}
		return nil, fault.E(fault.NotFound, "no keyset", nil)
	}
	return slices.Clone(wrapped), nil
}

func (m *memory) CreateKeyset(_ context.Context, tenant string, wrapped []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return m.down
	}
	if _, ok := m.keysets[tenant]; ok {
		return fault.E(fault.Conflict, "there is a keyset", nil)
	}
	m.keysets[tenant] = slices.Clone(wrapped)
	return nil
}

func open(t testing.TB, store KeysetStore, keys ...MasterKey) *Keyring {
	t.Helper()
	k, err := NewKeyring(store, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedOpensInItsOwnPlaceOnly(t *testing.T) {
	k := open(t, newMemory(), NewMasterKey())
	home := Binding{Tenant: "t1", Kind: "credential", ID: "conn_1"}
	sealed, err := k.Seal(t.Context(), home, []byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte(canary)) {
		t.Fatal("the sealed form holds the plaintext")
	}
	if got, err := k.Open(t.Context(), home, sealed); err != nil || string(got) != canary {
		t.Fatalf("Open: %q, %v", got, err)
	}
	elsewhere := map[string]Binding{
		"another tenant":  {Tenant: "t2", Kind: "credential", ID: "conn_1"},
		"the system":      {Kind: "credential", ID: "conn_1"},
		"another kind":    {Tenant: "t1", Kind: "app_secret", ID: "conn_1"},
		"another record":  {Tenant: "t1", Kind: "credential", ID: "conn_2"},
		"letters shifted": {Tenant: "t1", Kind: "credentialc", ID: "onn_1"},
	}
	// Every tenant has keys of its own, so that it is not their absence which fails.
	for _, tenant := range []string{"t2", ""} {
		if _, err := k.Seal(t.Context(), Binding{Tenant: tenant}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range elsewhere {
		t.Run(name, func(t *testing.T) {
			if got, err := k.Open(t.Context(), b, sealed); fault.KindOf(err) != fault.Corrupt || got != nil {
				t.Errorf("Open under %+v: %q, %v; want it to be corrupt", b, got, err)
			}
		})
	}
}

func TestDamagedSealedIsCorrupt(t *testing.T) {
	k := open(t, newMemory(), NewMasterKey())
	b := Binding{Tenant: "t", Kind: "credential", ID: "1"}
	sealed, err := k.Seal(t.Context(), b, []byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	fails := func(damaged Sealed, what string) {
		got, err := k.Open(t.Context(), b, damaged)
		if fault.KindOf(err) != fault.Corrupt || got != nil || strings.Contains(fmt.Sprint(err), canary) {
			t.Errorf("%s: %q, %v; want it to be corrupt", what, got, err)
		}
	}
	for i := range sealed {
		fails(sealed[:i], fmt.Sprintf("cut to %d bytes", i))
		flipped := slices.Clone(sealed)
		flipped[i] ^= 0x10
		fails(flipped, fmt.Sprintf("byte %d changed", i))
	}
	last := slices.Clone(sealed)
	last[len(last)-1] ^= 1
	id, _ := sealed.keyID()
	if _, err := k.Open(t.Context(), b, last); !strings.Contains(err.Error(), fmt.Sprintf("%08x", id)) {
		t.Errorf("%v does not name the key %08x", err, id)
	}
}

// TestKeyringsThatMeetOnATenantsFirstUseAgree holds both back until each has
// seen that there is no keyset.
func TestKeyringsThatMeetOnATenantsFirstUseAgree(t *testing.T) {
	store, master := newMemory(), NewMasterKey()
	var both sync.WaitGroup
	both.Add(2)
	store.missed = func() { both.Done(); both.Wait() }
	rings := []*Keyring{open(t, store, master), open(t, store, master)}
	b := Binding{Tenant: "new", Kind: "credential", ID: "1"}
	sealed := make([]Sealed, 2)
	var group sync.WaitGroup
	for i, k := range rings {
		group.Go(func() {
			var err error
			if sealed[i], err = k.Seal(t.Context(), b, []byte(canary)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	fresh := open(t, store, master)
	for i := range sealed {
		for name, k := range map[string]*Keyring{"first": rings[0], "second": rings[1], "later": fresh} {
			if got, err := k.Open(t.Context(), b, sealed[i]); err != nil || string(got) != canary {
				t.Errorf("%s keyring opens what keyring %d sealed: %q, %v", name, i, got, err)
			}
		}
	}
}

func TestOpenReadsTheKeysetOnce(t *testing.T) {
	store, master := newMemory(), NewMasterKey()
	b := Binding{Tenant: "t", Kind: "credential", ID: "1"}
	sealed, err := open(t, store, master).Seal(t.Context(), b, []byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	k := open(t, store, master)
	store.reads = 0
	for range 100 {
		if _, err := k.Open(t.Context(), b, sealed); err != nil {
			t.Fatal(err)
		}
	}
	if store.reads != 1 {
		t.Errorf("%d reads of the keyset for 100 calls, want 1", store.reads)
	}
}

func TestErrorsOfTheStoreKeepTheirKind(t *testing.T) {
	store := newMemory()
	k := open(t, store, NewMasterKey())
	store.down = fault.E(fault.StoreDown, "the store does not answer", errors.New("refused"))
	if _, err := k.Seal(t.Context(), Binding{Tenant: "t"}, nil); fault.KindOf(err) != fault.StoreDown {
		t.Errorf("Seal: %v", err)
	}
	sealed := append(Sealed{sealedFormat, 1, 0, 0, 0, 1}, make([]byte, 60)...)
	if _, err := k.Open(t.Context(), Binding{Tenant: "t"}, sealed); fault.KindOf(err) != fault.StoreDown {
		t.Errorf("Open: %v; a store that is away must not make a record look corrupt", err)
	}
	if err := k.Check(t.Context()); fault.KindOf(err) != fault.StoreDown {
		t.Errorf("Check: %v", err)
	}
}

func TestOpenWithoutTheTenantsKeysIsCorruptAndMakesNone(t *testing.T) {
	store := newMemory()
	k := open(t, store, NewMasterKey())
	sealed := append(Sealed{sealedFormat, 1, 0xab, 0xcd, 0, 1}, make([]byte, 60)...)
	_, err := k.Open(t.Context(), Binding{Tenant: "t"}, sealed)
	if fault.KindOf(err) != fault.Corrupt || !strings.Contains(err.Error(), "abcd0001") || len(store.keysets) != 0 {
		t.Errorf("Open: %v, %d keysets stored", err, len(store.keysets))
	}
}

func TestALaterMasterKeyOpensWhatAnEarlierOneWrapped(t *testing.T) {
	store, older, newer := newMemory(), NewMasterKey(), NewMasterKey()
	b := Binding{Tenant: "t", Kind: "credential", ID: "1"}
	first := open(t, store, older)
	if err := first.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealed, err := first.Seal(t.Context(), b, []byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	both := open(t, store, newer, older)
	if err := both.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := both.Open(t.Context(), b, sealed); err != nil || string(got) != canary {
		t.Errorf("Open with both keys: %q, %v", got, err)
	}
	other := Binding{Tenant: "t2", Kind: "credential", ID: "1"}
	if _, err := both.Seal(t.Context(), other, nil); err != nil {
		t.Fatal(err)
	}
	_, err = open(t, store, newer).Open(t.Context(), b, sealed)
	if fault.KindOf(err) != fault.Corrupt || !strings.Contains(err.Error(), older.ID()) {
		t.Errorf("Open without the older key: %v, want its id %s", err, older.ID())
	}
	if string(store.keysets["t2"][1:wrappedHead]) == string(store.keysets["t"][1:wrappedHead]) {
		t.Error("a new keyset was not wrapped with the first key")
	}
}

func BenchmarkSeal(b *testing.B) {
	k := open(b, newMemory(), NewMasterKey())
	at, plain := Binding{Tenant: "t", Kind: "credential", ID: "conn_1"}, make([]byte, 2048)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Seal(b.Context(), at, plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	k := open(b, newMemory(), NewMasterKey())
	at := Binding{Tenant: "t", Kind: "credential", ID: "conn_1"}
	sealed, err := k.Seal(b.Context(), at, make([]byte, 2048))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(b.Context(), at, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
