package mongo

import (
	"context"
	"crypto/rand"
	"os"
	"testing"

	"dowel/engine/storage"
	"dowel/engine/storage/mongo/mongotestproc"
	"dowel/engine/storage/storagetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	eachServer(t, func(t *testing.T, uri string) {
		storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, uri, newDatabase(t, uri)) })
	})
}

func TestStoreKeepsTheContractUnderContention(t *testing.T) {
	eachServer(t, func(t *testing.T, uri string) {
		storagetest.RunContention(t, func(t *testing.T) (a, b storage.Store) {
			name := newDatabase(t, uri)
			return open(t, uri, name), open(t, uri, name)
		})
	})
}

// eachServer runs a test on the test server, and on the database that DOWEL_TEST_MONGODB_URI names.
func eachServer(t *testing.T, test func(t *testing.T, uri string)) {
	t.Run("mongotest", func(t *testing.T) { test(t, mongotestproc.Start(t).URI()) })
	t.Run("mongodb", func(t *testing.T) {
		uri := os.Getenv("DOWEL_TEST_MONGODB_URI")
		if uri == "" {
			t.Skip("not run: DOWEL_TEST_MONGODB_URI is not set")
		}
		test(t, uri)
	})
}

// newDatabase names a database that is not there yet, and removes it at the end of the test.
func newDatabase(t *testing.T, uri string) string {
	name := "dowel_test_" + rand.Text()
	t.Cleanup(func() {
		s, err := Open(context.Background(), uri, Options{Database: name})
		if err != nil {
			return // The server is gone, and the database with it.
		}
		if err := s.db.Drop(context.Background()); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
		_ = s.Close()
	})
	return name
}

func open(t *testing.T, uri, database string) *Store {
	t.Helper()
	s, err := Open(t.Context(), uri, Options{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
