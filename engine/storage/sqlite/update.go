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
// their values. What the record was found by already is left out: SQLite would write its indexes
// again. The record's times are cut to milliseconds.
func (k *kind[T]) values(record *T, foundBy []any) (names []string, values []any, err error) {
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
	for i, value := range k.findable(record) {
		if foundBy == nil || foundBy[i] != value {
			names, values = append(names, k.found[i]), append(values, value)
		}
	}
	body, err := k.encode(record)
	if err != nil {
		return nil, nil, fmt.Errorf("encode %s: %w", k.name, err)
	}
	return append(names, "body"), append(values, body), nil
}

// create writes a new record with revision 1.
func (k *kind[T]) create(ctx context.Context, s *Store, record T) error {
	query, args, err := k.insert(&record)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *transaction) error {
		_, err := tx.exec(query, args...)
		return err
	})
}

// findable returns the values of the found columns.
func (k *kind[T]) findable(record *T) []any {
	if k.foundValues == nil {
		return nil
	}
	return k.foundValues(record)
}

// insert returns the statement that writes a new record.
func (k *kind[T]) insert(record *T) (query string, args []any, err error) {
	names, values, err := k.values(record, nil)
	if err != nil {
		return "", nil, err
	}
	ref := k.ref(record)
	query = "INSERT INTO " + k.table + " (tenant, id, revision, " + strings.Join(names, ", ") + ") VALUES (?, ?, 1" +
		strings.Repeat(", ?", len(names)) + ")"
	return query, append([]any{ref.Tenant, ref.ID}, values...), nil
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
		revision, foundBy := *k.revision(&record), k.findable(&record)
		if err := change(&record); err != nil {
			return *new(T), err
		}
		written, err := k.replace(ctx, s, ref, revision, &record, foundBy)
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
func (k *kind[T]) replace(
	ctx context.Context, s *Store, ref storage.Ref, revision int64, record *T, foundBy []any,
) (T, error) {
	names, values, err := k.values(record, foundBy)
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
	case <-time.After(rand.N(longest)): // spreads attempts, keeps no secret
		return nil
	}
}

// remove deletes a record; what is left in its outbox goes to the log in the same transaction.
func (k *kind[T]) remove(ctx context.Context, s *Store, r storage.Ref) error {
	return s.writeAll(ctx, func(tx *transaction) error {
		var old row[T]
		err := tx.row("SELECT "+k.columns()+" FROM "+k.table+" WHERE tenant = ? AND id = ?", []any{r.Tenant, r.ID}, k.dest(&old)...)
		record, err := k.result(&old, err)
		if err != nil {
			return err
		}
		if err := tx.append(*k.outbox(&record)); err != nil {
			return err
		}
		_, err = tx.exec("DELETE FROM "+k.table+" WHERE tenant = ? AND id = ?", r.Tenant, r.ID)
		return err
	})
}
