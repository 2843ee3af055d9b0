// Package sqlite keeps Dowel's records in one SQLite file: the store of a single machine, and the
// one tests use in memory.
//
// A record lies in one row: what it is found by, and what is changed by itself (lease, outbox,
// status of a flow), in columns; the rest as JSON in body, with the number of its format beside it.
// Reads go through a pool of connections and never wait for writes (WAL). Writes go through one
// goroutine that commits many of them at once, synced to the disk before anyone is answered.
// Updates read, change and write back only if the record's revision is still the one that was read.
//
// What the records mean, and what is in the sealed bytes, is not known here.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"dowel/engine/storage"
)

var _ storage.Store = (*Store)(nil)

// busyTimeout is how long a statement waits for another process that is using the file.
const busyTimeout = 2500 * time.Millisecond

// Store is a storage.Store in one file. It is safe for concurrent use, also by several processes.
type Store struct {
	reads, writes *statements
	db            []*sql.DB
	jobs          chan *job
	closing       chan struct{}
	closeOnce     sync.Once
	writer        sync.WaitGroup
	claims        atomic.Uint64 // where the next ClaimOutbox begins to look
	// only is locked around reads and writes in memory, where both have one connection; nil for a file.
	only *sync.Mutex

	connections     *kind[storage.Connection]
	flows           *kind[storage.Flow]
	connectSessions *kind[storage.ConnectSession]
	apps            *kind[storage.App]
	publications    *kind[storage.Publication]
	apiKeys         *kind[storage.APIKey]
	sessions        *kind[storage.Session]
	tenants         *kind[tenantRecord]
}

// Open opens or creates the store in the file at path. Folders that are missing are created for the
// owner alone, and so is the file. A file of a newer version of Dowel, or of another program, is
// refused with fault.Misconfigured and left as it is.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := prepareFile(path); err != nil {
		return nil, down(fmt.Errorf("prepare %s: %w", path, err))
	}
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)",
		// What is deleted is overwritten, in the file and (by cutting it) in the log.
		"secure_delete(ON)", "journal_size_limit(0)",
	}
	name := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	s := &Store{}
	if err := s.openWriter(ctx, name, pragmas); err != nil {
		return nil, errors.Join(err, s.closeDatabases())
	}
	if err := s.openReaders(name, append(pragmas, "query_only(ON)")); err != nil {
		return nil, errors.Join(err, s.closeDatabases())
	}
	s.start()
	return s, nil
}

// OpenMemory opens an empty store that is gone when it is closed.
func OpenMemory(ctx context.Context) (*Store, error) {
	s := &Store{only: &sync.Mutex{}}
	if err := s.openWriter(ctx, ":memory:", nil); err != nil {
		return nil, errors.Join(err, s.closeDatabases())
	}
	s.reads = s.writes
	s.start()
	return s, nil
}

// openWriter opens the one connection that writes, and brings the schema up to date.
func (s *Store) openWriter(ctx context.Context, name string, pragmas []string) error {
	db, err := openDatabase(name, pragmas)
	if err != nil {
		return down(err)
	}
	s.db = append(s.db, db)
	conn, err := db.Conn(ctx)
	if err != nil {
		return down(err)
	}
	s.writes = newStatements(conn.PrepareContext)
	return s.migrate(ctx)
}

func (s *Store) openReaders(name string, pragmas []string) error {
	db, err := openDatabase(name, pragmas)
	if err != nil {
		return down(err)
	}
	s.db = append(s.db, db)
	size := max(4, 2*runtime.GOMAXPROCS(0))
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	s.reads = newStatements(db.PrepareContext)
	return nil
}

func openDatabase(name string, pragmas []string) (*sql.DB, error) {
	return sql.Open("sqlite", name+"?"+url.Values{"_pragma": pragmas}.Encode())
}

func (s *Store) start() {
	s.connections, s.flows, s.connectSessions = connections(), flows(), connectSessions()
	s.apps, s.apiKeys, s.sessions, s.tenants, s.publications = apps(), apiKeys(), sessions(), tenants(), publications()
	s.jobs, s.closing = make(chan *job, maxGroup), make(chan struct{})
	s.writer.Go(s.runWriter)
}

// prepareFile creates the file before SQLite does, which would let the whole machine read it. The
// files SQLite puts beside it get the same permissions.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator's own setting
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(0o600), file.Close())
}

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return failure(s.readRow(ctx, "SELECT 1", nil, &one))
}

// Close waits for the writes under way, refuses those that still wait, and closes the file.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { close(s.closing) })
	s.writer.Wait()
	return s.closeDatabases()
}

func (s *Store) closeDatabases() error {
	var errs []error
	for _, db := range s.db {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
