package mongo

import (
	"context"
	"crypto/rand"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// TestCallsCostFewCommands counts what the database is sent for the calls of which there are many.
func TestCallsCostFewCommands(t *testing.T) {
	uri := mongotestproc.Start(t).URI()
	var mu sync.Mutex
	var sent []string
	s, err := Open(t.Context(), uri, Options{OnCommand: func(name string, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, name)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := storagetest.Connection("acme", "one")
	if err := s.CreateConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var lease storage.Lease
	for _, tt := range []struct {
		name string
		call func() error
		want []string
	}{
		{"first lease", func() error {
			c.Revision = 1
			lease, _, err = s.AcquireLease(t.Context(), c, nil, "me", time.Minute)
			return err
		}, []string{"hello", "findAndModify"}},
		{"read", func() error { _, err := s.Connection(t.Context(), c.Ref); return err }, []string{"find"}},
		{"leased update", func() error {
			_, err := s.UpdateLeased(t.Context(), lease, func(*storage.Connection) error { return nil })
			return err
		}, []string{"find", "update"}},
		{"release", func() error { return s.ReleaseLease(t.Context(), lease) }, []string{"update"}},
		{"second lease", func() error {
			c.Revision = 4 // created, leased, updated, released
			_, _, err := s.AcquireLease(t.Context(), c, nil, "me", time.Minute)
			return err
		}, []string{"findAndModify"}},
		{"due", func() error { _, err := s.DueConnections(t.Context(), time.Now(), 10, 100); return err }, []string{"find"}},
	} {
		sent = nil
		if err := tt.call(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, sent); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
