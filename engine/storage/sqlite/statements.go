package sqlite

import (
	"context"
	"database/sql"
	"sync"
)

// statements keeps queries prepared. Queries are few: they are made of constants, never of values.
type statements struct {
	prepare  func(context.Context, string) (*sql.Stmt, error)
	mu       sync.RWMutex
	prepared map[string]*sql.Stmt
}

func newStatements(prepare func(context.Context, string) (*sql.Stmt, error)) *statements {
	return &statements{prepare: prepare, prepared: map[string]*sql.Stmt{}}
}

func (p *statements) get(query string) (*sql.Stmt, error) {
	p.mu.RLock()
	found := p.prepared[query]
	p.mu.RUnlock()
	if found != nil {
		return found, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if found = p.prepared[query]; found != nil {
		return found, nil
	}
	made, err := p.prepare(context.Background(), query)
	if err != nil {
		return nil, err
	}
	p.prepared[query] = made
	return made, nil
}

// exec runs a statement and returns how many rows it changed.
func (p *statements) exec(query string, args ...any) (int64, error) {
	statement, err := p.get(query)
	if err != nil {
		return 0, err
	}
	result, err := statement.Exec(args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row runs a statement that gives one row, or sql.ErrNoRows.
func (p *statements) row(query string, args []any, dest ...any) error {
	statement, err := p.get(query)
	if err != nil {
		return err
	}
	return statement.QueryRow(args...).Scan(dest...)
}

// readRow reads one row, or fails with sql.ErrNoRows.
//
// A read takes microseconds and is not interrupted when ctx ends: watching for it costs more.
func (s *Store) readRow(ctx context.Context, query string, args []any, dest ...any) error {
	if err := s.readable(ctx); err != nil {
		return err
	}
	defer s.lockOnly()()
	return s.reads.row(query, args, dest...)
}

// readRows calls scan for every row. What scan makes of a row must not hold on to it.
func (s *Store) readRows(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	if err := s.readable(ctx); err != nil {
		return err
	}
	defer s.lockOnly()()
	statement, err := s.reads.get(query)
	if err != nil {
		return failure(err)
	}
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return failure(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return failure(err)
		}
	}
	return failure(rows.Err())
}

func (s *Store) readable(ctx context.Context) error {
	select {
	case <-s.closing:
		return down(errClosed)
	default:
		return failure(ctx.Err())
	}
}

// lockOnly locks the connection if reads and writes share one, and returns how to unlock it.
func (s *Store) lockOnly() func() {
	if s.only == nil {
		return func() {}
	}
	s.only.Lock()
	return s.only.Unlock
}
