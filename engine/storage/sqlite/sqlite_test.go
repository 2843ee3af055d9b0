package sqlite

import (
	"path/filepath"
	"testing"

	"dowel/engine/storage"
	"dowel/engine/storage/storagetest"
)

func TestStoreInMemoryKeepsTheContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		s, err := OpenMemory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestStoreInAFileKeepsTheContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, newPath(t)) })
}

func TestStoreKeepsTheContractUnderContention(t *testing.T) {
	storagetest.RunContention(t, func(t *testing.T) (a, b storage.Store) {
		path := newPath(t)
		return open(t, path), open(t, path)
	})
}

// newPath is a file in a folder that does not exist yet, with a name that has to be escaped.
func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "data ?#%41", "dowel.db") }

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
