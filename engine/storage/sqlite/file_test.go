package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
	"dowel/engine/storage/storagetest"
)

func TestFileIsForItsOwnerAlone(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	defer s.Close()
	if err := s.CreateTenant(t.Context(), storagetest.Tenant("acme")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		filepath.Dir(path): 0o700 | os.ModeDir, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s is %v, want %v", filepath.Base(name), info.Mode(), want)
		}
	}
}

// raw opens the file without the store.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestFileOfANewerVersionIsRefusedUntouched(t *testing.T) {
	for name, prepare := range map[string]func(path string){
		"newer schema": func(path string) {
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := raw(t, path).Exec("PRAGMA user_version = 99"); err != nil {
				t.Fatal(err)
			}
		},
		"other program": func(path string) {
			if _, err := raw(t, path).Exec("PRAGMA journal_mode = WAL; CREATE TABLE theirs (a)"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "dowel.db")
			prepare(path)
			before := dump(t, path)
			s, err := Open(t.Context(), path)
			if s != nil || fault.KindOf(err) != fault.Misconfigured {
				t.Fatalf("open: %v, want it refused as misconfigured", err)
			}
			if after := dump(t, path); after != before {
				t.Errorf("the file was changed:\n%s\nwas:\n%s", after, before)
			}
		})
	}
}

// dump returns what a file says of itself.
func dump(t *testing.T, path string) string {
	t.Helper()
	var version, application int
	var tables string
	err := raw(t, path).QueryRow("SELECT user_version, application_id, (SELECT group_concat(sql, ';') FROM sqlite_schema)"+
		" FROM pragma_user_version, pragma_application_id").Scan(&version, &application, &tables)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(version, application, tables)
}

// TestRecordOfANewerVersionIsRefusedUntouched is about a service that was rolled back.
func TestRecordOfANewerVersionIsRefusedUntouched(t *testing.T) {
	path, ctx := newPath(t), t.Context()
	s := open(t, path)
	defer s.Close()
	c, f, link := storagetest.Connection("acme", "new"), storagetest.Flow("acme", "new"), storagetest.Session("acme", "new")
	c.Emit(storagetest.Event("acme", "new", "event"))
	for _, err := range []error{
		s.CreateConnection(ctx, c), s.CreateConnection(ctx, storagetest.Connection("acme", "old")),
		s.CreateFlow(ctx, f), s.CreateSession(ctx, link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"connections", "flows", "sessions"} {
		if _, err := s.writes.exec("UPDATE " + table + " SET format = 2, body = 'from the future' WHERE id = 'new'"); err != nil {
			t.Fatal(err)
		}
	}
	before := newContent(t, s)
	wantRefused(t, s, c.Ref)
	if _, err := s.TakeFlow(ctx, f.StateHash, f.CreatedAt); fault.KindOf(err) != fault.NotFound {
		t.Errorf("take the flow: %v, want not found", err)
	}
	if _, err := s.TakeSession(ctx, link.Hash); fault.KindOf(err) != fault.NotFound {
		t.Errorf("take the link: %v, want not found", err)
	}
	if p, ok, err := s.ClaimOutbox(ctx, "me", time.Minute); ok || err != nil {
		t.Errorf("claimed %+v, %v", p, err)
	}
	if after := newContent(t, s); after != before {
		t.Errorf("records were changed to\n%swere\n%s", after, before)
	}
	if _, err := s.Connection(ctx, storage.Ref{Tenant: "acme", ID: "old"}); err != nil {
		t.Errorf("the other connection: %v", err)
	}
}

// wantRefused checks that nothing can be done with a connection of a newer version.
func wantRefused(t *testing.T, s *Store, ref storage.Ref) {
	t.Helper()
	ctx := t.Context()
	untouched := func(*storage.Connection) error { t.Error("change is called"); return nil }
	for what, call := range map[string]func() error{
		"read":   func() error { _, err := s.Connection(ctx, ref); return err },
		"update": func() error { _, err := s.UpdateConnection(ctx, ref, untouched); return err },
		"delete": func() error { return s.DeleteConnection(ctx, ref) },
		"acquire": func() error {
			_, _, err := s.AcquireLease(ctx, storage.Connection{Ref: ref, Revision: 1}, nil, "me", time.Minute)
			return err
		},
		"leased update": func() error {
			_, err := s.UpdateLeased(ctx, storage.Lease{Ref: ref}, untouched)
			return err
		},
	} {
		err := call()
		if fault.KindOf(err) != fault.Corrupt || fault.As(err).Code != "record-newer" {
			t.Errorf("%s: %v, want it refused as written by a newer version", what, err)
		}
	}
	if err := s.ReleaseLease(ctx, storage.Lease{Ref: ref}); err != nil {
		t.Error(err)
	}
}

// newContent returns all there is of the records called "new".
func newContent(t *testing.T, s *Store) (all string) {
	t.Helper()
	for _, from := range []struct{ table, columns string }{
		{"connections", "lease_fence, lease_holder, outbox_until, hex(outbox)"}, {"flows", "status"}, {"sessions", "hash"},
	} {
		var row string
		err := s.reads.row("SELECT concat_ws('|', revision, format, hex(body), "+from.columns+") FROM "+from.table+" WHERE id = 'new'", nil, &row)
		if err != nil {
			t.Errorf("%s: %v", from.table, err)
		}
		all += from.table + " " + row + "\n"
	}
	return all
}

func TestDeletedAndOverwrittenCiphertextIsGone(t *testing.T) {
	t.Parallel() // it waits most of the time
	path, ctx := newPath(t), t.Context()
	s := open(t, path)
	defer s.Close()
	marked := func(id, mark string) storage.Connection {
		c := storagetest.Connection("acme", id)
		// Larger than a page, so that it lies in overflow pages too.
		c.Credential, c.Previous = bytes.Repeat([]byte(mark), 1000), []byte(mark)
		return c
	}
	deleted, overwritten := marked("one", "DELETED!"), marked("two", "REPLACED")
	for _, c := range []storage.Connection{deleted, overwritten} {
		if err := s.CreateConnection(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(allFiles(t, path), "DELETED!") {
		t.Fatal("the ciphertext can not be found while it should be there")
	}
	if err := s.DeleteConnection(ctx, deleted.Ref); err != nil {
		t.Fatal(err)
	}
	_, err := s.UpdateConnection(ctx, overwritten.Ref, func(c *storage.Connection) error {
		c.Credential, c.Previous = []byte("new"), nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The store is still open: it cleans up by itself when it comes to rest.
	deadline := time.Now().Add(10 * settleAfter)
	for {
		content := allFiles(t, path)
		left := strings.Contains(content, "DELETED!") || strings.Contains(content, "REPLACED")
		if !left {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("ciphertext is left in the files")
		}
		time.Sleep(settleAfter / 10)
	}
}

// allFiles returns the content of the store's files.
func allFiles(t *testing.T, path string) string {
	t.Helper()
	var all strings.Builder
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

// soonest calls until an answer comes in time, and three times at most: a busy machine may keep one waiting.
func soonest(within time.Duration, call func() error) (err error, took time.Duration) {
	for range 3 {
		asked := time.Now()
		err = call()
		if took = time.Since(asked); took <= within {
			break
		}
	}
	return err, took
}

func TestFileInUseElsewhereIsStoreDownInTime(t *testing.T) {
	t.Parallel() // it waits most of the time
	path, ctx := newPath(t), t.Context()
	s := open(t, path)
	defer s.Close()
	c := storagetest.Connection("acme", "one")
	if err := s.CreateConnection(ctx, c); err != nil {
		t.Fatal(err)
	}
	other, err := raw(t, "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)).Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	err, took := soonest(3*time.Second, func() error { return s.CreateTenant(ctx, storagetest.Tenant("acme")) })
	if fault.KindOf(err) != fault.StoreDown || took > 3*time.Second {
		t.Errorf("write: %v after %v, want the store to be down within 3s", err, took)
	}
	if _, err := s.Connection(ctx, c.Ref); err != nil {
		t.Errorf("read meanwhile: %v", err)
	}
	// A caller that does not want to wait does not have to.
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	asked := time.Now()
	err = s.CreateTenant(short, storagetest.Tenant("hasty"))
	if took := time.Since(asked); fault.KindOf(err) != fault.StoreDown || took > time.Second {
		t.Errorf("write with a deadline: %v after %v", err, took)
	}
	if _, err := other.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateTenant(ctx, storagetest.Tenant("acme")); err != nil {
		t.Errorf("write afterwards: %v", err)
	}
}

func TestClosedStoreIsDown(t *testing.T) {
	s := open(t, newPath(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Connection(t.Context(), storage.Ref{Tenant: "acme", ID: "one"})
	if fault.KindOf(err) != fault.StoreDown {
		t.Errorf("read: %v", err)
	}
	if err := s.CreateTenant(t.Context(), storagetest.Tenant("acme")); fault.KindOf(err) != fault.StoreDown {
		t.Errorf("write: %v", err)
	}
}
