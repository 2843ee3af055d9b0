package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"dowel/engine/audit"
	"dowel/engine/fault"
)

// AppendEvents implements audit.Log.
func (s *Store) AppendEvents(ctx context.Context, events []audit.Event) error {
	if len(events) == 0 {
		return nil
	}
	return s.writeAll(ctx, func(tx *transaction) error { return tx.append(events) })
}

func (t *transaction) append(events []audit.Event) error {
	for _, e := range events {
		e.At = e.At.UTC().Truncate(time.Millisecond)
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = t.exec("INSERT INTO audit (id, tenant, subject, kind, at, body) VALUES (?, ?, ?, ?, ?, ?)"+
			" ON CONFLICT (id) DO NOTHING", e.ID, e.Tenant, e.Subject, string(e.Kind), e.At.UnixMilli(), body)
		if err != nil {
			return err
		}
	}
	return nil
}

// Events implements audit.Log.
func (s *Store) Events(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	where, args := "tenant = ?", []any{q.Tenant}
	if q.Subject != "" {
		where, args = where+" AND subject = ?", append(args, q.Subject)
	}
	if q.Kind != "" {
		where, args = where+" AND kind = ?", append(args, string(q.Kind))
	}
	if q.Before != "" {
		var at, seq int64
		err := s.readRow(ctx, "SELECT at, seq FROM audit WHERE id = ? AND tenant = ?", []any{q.Before, q.Tenant}, &at, &seq)
		if err := found("event to continue after", err); err != nil {
			return nil, err
		}
		where, args = where+" AND (at, seq) < (?, ?)", append(args, at, seq)
	}
	var list []audit.Event
	query := "SELECT body FROM audit WHERE " + where + " ORDER BY at DESC, seq DESC LIMIT ?"
	err := s.readRows(ctx, query, append(args, pageSize(q.Limit)), func(rows *sql.Rows) error {
		var body sql.RawBytes
		if err := rows.Scan(&body); err != nil {
			return err
		}
		var e audit.Event
		if err := json.Unmarshal(body, &e); err != nil {
			return fault.E(fault.Corrupt, "an event can not be read", err)
		}
		list = append(list, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
