package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// kind says how one sort of record lies in its table. A kind is made once, at start, and not changed.
type kind[T any] struct {
	name, table string
	ref         func(*T) *storage.Ref
	revision    func(*T) *int64         // nil: records of this kind are never updated
	outbox      func(*T) *[]audit.Event // nil: without one
	// encode and decode make and read body: everything that is not in kept.
	encode func(*T) ([]byte, error)
	decode func([]byte, *T) error
	times  func(*T) []*time.Time // all of them, to be cut to milliseconds
	// kept are columns that hold a part of the record instead of body, with where they are read to.
	kept       []string
	keptFields func(*T) []any
	// found are further columns the record is found by.
	found       []string
	foundValues func(*T) []any
}

// columns lists what is read of a record, in the order of dest.
func (k *kind[T]) columns() string {
	return strings.Join(append([]string{"tenant", "id", "revision", "format", "body", k.outboxColumn()}, k.kept...), ", ")
}

func (k *kind[T]) outboxColumn() string {
	if k.outbox == nil {
		return "NULL"
	}
	return "outbox"
}

// row is a record as it was read, before its body is decoded.
type row[T any] struct {
	record   T
	revision int64
	format   int
	body     []byte
	outbox   []byte
}

// dest returns where the columns are read to.
func (k *kind[T]) dest(r *row[T]) []any {
	ref := k.ref(&r.record)
	dest := []any{&ref.Tenant, &ref.ID, &r.revision, &r.format, &r.body, &r.outbox}
	if k.keptFields != nil {
		dest = append(dest, k.keptFields(&r.record)...)
	}
	return dest
}

// open decodes a row.
func (k *kind[T]) open(r *row[T]) (T, error) {
	if r.format > format {
		return *new(T), fault.E(fault.Corrupt, "this "+k.name+" was written by a newer version", nil).WithCode("record-newer")
	}
	if err := k.decode(r.body, &r.record); err != nil {
		return *new(T), fault.E(fault.Corrupt, "this "+k.name+" can not be read", err)
	}
	if k.revision != nil {
		*k.revision(&r.record) = r.revision
	}
	if len(r.outbox) > 0 {
		if err := json.Unmarshal(r.outbox, k.outbox(&r.record)); err != nil {
			return *new(T), fault.E(fault.Corrupt, "the events of this "+k.name+" can not be read", err)
		}
	}
	return r.record, nil
}

// result turns the outcome of reading one row into a record.
func (k *kind[T]) result(r *row[T], err error) (T, error) {
	if err := found(k.name, err); err != nil {
		return *new(T), err
	}
	return k.open(r)
}

// get reads the one record that where selects.
func (k *kind[T]) get(ctx context.Context, s *Store, where string, args ...any) (T, error) {
	var r row[T]
	err := s.readRow(ctx, "SELECT "+k.columns()+" FROM "+k.table+" WHERE "+where, args, k.dest(&r)...)
	return k.result(&r, err)
}

// list reads the records that rest, beginning with WHERE, selects and sorts.
func (k *kind[T]) list(ctx context.Context, s *Store, rest string, args ...any) ([]T, error) {
	var list []T
	err := s.readRows(ctx, "SELECT "+k.columns()+" FROM "+k.table+" "+rest, args, func(rows *sql.Rows) error {
		var r row[T]
		if err := rows.Scan(k.dest(&r)...); err != nil {
			return err
		}
		record, err := k.open(&r)
		list = append(list, record)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func (k *kind[T]) byRef(ctx context.Context, s *Store, r storage.Ref) (T, error) {
	return k.get(ctx, s, "tenant = ? AND id = ?", r.Tenant, r.ID)
}
