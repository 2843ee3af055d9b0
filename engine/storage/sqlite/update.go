package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// values returns what is written of a record, without its ref and revision: names of columns and
// their values. The record's times are cut to milliseconds.
func (k *kind[T]) values(record *T) (names []string, values []any, err error) {
	for _, t := range k.times(record) {
		*t = t.UTC().Truncate(time.Millisecond)
	}
	names, values = []string{"format"}, []any{format}
	if k.outbox != nil {
		outbox, oldest, err := encodeOutbox(*k.outbox(record))
		if err != nil {
			return nil, nil, err
		}
		names, values = append(names, "outbox", "outbox_at"), append(values, outbox, oldest)
	}
	if k.keptFields != nil {
		names, values = append(names, k.kept...), append(values, read(k.keptFields(record))...)
	}
	if k.foundValues != nil {
		names, values = append(names, k.found...), append(values, k.foundValues(record)...)
	}
	body, err := k.encode(record)
	if err != nil {
		return nil, nil, fmt.Errorf("encode %s: %w", k.name, err)
	}
	return append(names, "body"), append(values, body), nil
}

// create writes a new record with revision 1.
func (k *kind[T]) create(ctx context.Context, s *Store, record T) error {
	names, values, err := k.values(&record)
	if err != nil {
		return err
	}
	ref := k.ref(&record)
	query := "INSERT INTO " + k.table + " (tenant, id, revision, " + strings.Join(names, ", ") + ") VALUES (?, ?, 1" +
		strings.Repeat(", ?", len(names)) + ")"
	args := append([]any{ref.Tenant, ref.ID}, values...)
	return s.write(ctx, func(tx *transaction) error {
		_, err := tx.exec(query, args...)
		return err
	})
}

// maxAttempts is how often an update reads again before it gives up.
const maxAttempts = 200

// update applies change to the record and writes it if its revision is still the one that was read;
// otherwise it starts again.
func (k *kind[T]) update(ctx context.Context, s *Store, ref storage.Ref, change func(*T) error) (T, error) {
	for attempt := range maxAttempts {
		record, err := k.byRef(ctx, s, ref)
		if err != nil {
			return *new(T), err
		}
		revision := *k.revision(&record)
		if err := change(&record); err != nil {
			return *new(T), err
		}
		written, err := k.replace(ctx, s, ref, revision, &record)
		if fault.KindOf(err) != fault.NotFound {
			return written, err
		}
		if err := pause(ctx, attempt); err != nil {
			return *new(T), failure(err)
		}
	}
	return *new(T), moved(k.name)
}

// replace writes the record over the one with this revision, or fails with fault.NotFound.
func (k *kind[T]) replace(ctx context.Context, s *Store, ref storage.Ref, revision int64, record *T) (T, error) {
	names, values, err := k.values(record)
	if err != nil {
		return *new(T), err
	}
	query := "UPDATE " + k.table + " SET " + strings.Join(names, " = ?, ") + " = ?, revision = revision + 1" +
		" WHERE tenant = ? AND id = ? AND revision = ? RETURNING " + k.columns()
	return k.returning(ctx, s, query, append(values, ref.Tenant, ref.ID, revision)...)
}

// returning runs a statement that changes one record and returns its columns.
func (k *kind[T]) returning(ctx context.Context, s *Store, query string, args ...any) (T, error) {
	// Made in the job and handed over whole: a caller whose context ends does not share it.
	made := make(chan *row[T], 1)
	err := s.write(ctx, func(tx *transaction) error {
		r := &row[T]{}
		if err := tx.row(query, args, k.dest(r)...); err != nil {
			return err
		}
		made <- r
		return nil
	})
	if err != nil {
		return k.result(nil, err)
	}
	return k.result(<-made, nil)
}

// pause waits a little before the next attempt, longer the more there have been.
func pause(ctx context.Context, attempt int) error {
	longest := time.Duration(min(attempt+1, 20)) * time.Millisecond
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(longest)): //nolint:gosec // spreads attempts, keeps no secret
		return nil
	}
}
