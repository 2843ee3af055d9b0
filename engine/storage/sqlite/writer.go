package sqlite

import (
	"context"
	"errors"
	"runtime"
	"time"
)

const (
	// maxGroup is how many writes are committed together at most.
	maxGroup = 256
	// settleAfter is how long the store has to be at rest before its write-ahead log is emptied: what
	// was deleted or overwritten is in there until then.
	settleAfter = time.Second
)

// job is one write. It runs in a transaction together with others, and is answered when that is on
// the disk.
type job struct {
	ctx    context.Context
	run    func(*transaction) error
	atomic bool
	done   chan error
}

// write runs a job of one statement. SQLite undoes a statement that fails by itself. When ctx ends
// first, the write may or may not happen; run must not share variables with a caller that goes on.
func (s *Store) write(ctx context.Context, run func(*transaction) error) error {
	return s.enqueue(&job{ctx: ctx, run: run, done: make(chan error, 1)})
}

// writeAll runs a job of several statements, all of which happen or none.
func (s *Store) writeAll(ctx context.Context, run func(*transaction) error) error {
	return s.enqueue(&job{ctx: ctx, run: run, atomic: true, done: make(chan error, 1)})
}

func (s *Store) enqueue(j *job) error {
	if err := j.ctx.Err(); err != nil {
		return failure(err)
	}
	select {
	case <-s.closing:
		return down(errClosed)
	default:
	}
	select {
	case s.jobs <- j:
	case <-s.closing:
		return down(errClosed)
	case <-j.ctx.Done():
		return failure(j.ctx.Err())
	}
	select {
	case err := <-j.done:
		return failure(err)
	case <-j.ctx.Done():
		return failure(j.ctx.Err())
	}
}

// runWriter commits jobs in groups until the store closes.
func (s *Store) runWriter() {
	settle := time.NewTimer(settleAfter)
	defer settle.Stop()
	for {
		select {
		case first := <-s.jobs:
			s.commit(s.group(first))
			settle.Reset(settleAfter)
		case <-settle.C:
			s.settle()
		case <-s.closing:
			s.refuseWaiting()
			return
		}
	}
}

// group takes along the jobs that came while the last group was written.
func (s *Store) group(first *job) []*job {
	group := []*job{first}
	for len(group) < maxGroup {
		select {
		case next := <-s.jobs:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

// commit runs the jobs in one transaction and answers them.
func (s *Store) commit(group []*job) {
	answers := make([]error, len(group))
	err := s.inTransaction(func(tx *transaction) error {
		for i, j := range group {
			if answers[i] = j.ctx.Err(); answers[i] == nil {
				answers[i] = tx.runJob(j)
			}
			if tx.broken != nil {
				return tx.broken
			}
		}
		return nil
	})
	for i, j := range group {
		j.done <- errors.Join(answers[i], err)
	}
	// Whoever was answered waits on this processor, which the next commit would keep to itself while it
	// waits for the disk.
	runtime.Gosched()
}

func (s *Store) inTransaction(run func(*transaction) error) error {
	defer s.lockOnly()()
	if _, err := s.writes.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := run(&transaction{statements: s.writes})
	if err == nil {
		_, err = s.writes.exec("COMMIT")
	}
	if err != nil {
		// SQLite may have rolled back by itself; then there is nothing to undo.
		_, _ = s.writes.exec("ROLLBACK")
	}
	return err
}

// settle moves the write-ahead log into the file and cuts it to nothing. Not succeeding is no harm:
// another process may be reading, and the log is emptied as it grows anyway.
func (s *Store) settle() {
	if s.only == nil {
		_, _ = s.writes.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
}

// refuseWaiting answers the jobs nobody will run.
func (s *Store) refuseWaiting() {
	for {
		select {
		case j := <-s.jobs:
			j.done <- down(errClosed)
		default:
			return
		}
	}
}

// transaction is what a job may do.
type transaction struct {
	*statements
	// broken says that the transaction as a whole can not go on.
	broken error
}

func (t *transaction) runJob(j *job) error {
	if !j.atomic {
		return j.run(t)
	}
	if _, t.broken = t.exec("SAVEPOINT job"); t.broken != nil {
		return t.broken
	}
	err := j.run(t)
	if err != nil {
		_, t.broken = t.exec("ROLLBACK TO job")
	}
	if t.broken == nil {
		_, t.broken = t.exec("RELEASE job")
	}
	return err
}
