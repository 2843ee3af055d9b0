package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// outboxTables are the tables whose records have an outbox.
func outboxTables() []string {
	return []string{"connections", "flows", "connect_sessions", "apps", "api_keys"}
}

// ClaimOutbox implements audit.Outbox. A claim does not move the record's revision, and an update of
// the record leaves the claim alone.
func (s *Store) ClaimOutbox(ctx context.Context, holder string, ttl time.Duration) (audit.Parcel, bool, error) {
	now := time.Now()
	for _, table := range outboxTables() {
		// Looked for among the reads first: most of the time there is nothing to claim.
		waiting := " FROM " + table + " WHERE outbox_at IS NOT NULL AND outbox_until <= ? AND format <= ?" +
			" ORDER BY outbox_at LIMIT 1"
		var one int
		err := s.readRow(ctx, "SELECT 1"+waiting, []any{millis(now), format}, &one)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return audit.Parcel{}, false, failure(err)
		}
		p, ok, err := s.claim(ctx, "UPDATE "+table+" SET outbox_holder = ?, outbox_until = ? WHERE rowid = (SELECT rowid"+waiting+
			") RETURNING tenant, id, outbox", holder, millis(now.Add(ttl)), millis(now), format)
		if err != nil || ok {
			return p, ok, err
		}
	}
	return audit.Parcel{}, false, nil
}

func (s *Store) claim(ctx context.Context, query string, args ...any) (audit.Parcel, bool, error) {
	type claimed struct {
		tenant, id string
		outbox     []byte
	}
	made := make(chan claimed, 1)
	err := s.write(ctx, func(tx *transaction) error {
		var c claimed
		err := tx.row(query, args, &c.tenant, &c.id, &c.outbox)
		made <- c
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Parcel{}, false, nil
	}
	if err != nil {
		return audit.Parcel{}, false, failure(err)
	}
	c := <-made
	p := audit.Parcel{Tenant: c.tenant, Record: c.id}
	if err := json.Unmarshal(c.outbox, &p.Events); err != nil {
		return audit.Parcel{}, false, fault.E(fault.Corrupt, "the events of a record can not be read", err)
	}
	return p, true, nil
}

// ClearOutbox implements audit.Outbox. It moves the revision, so that an update that has read the
// events before does not write them back.
func (s *Store) ClearOutbox(ctx context.Context, p audit.Parcel) error {
	return s.writeAll(ctx, func(tx *transaction) error {
		for _, table := range outboxTables() {
			if err := tx.clear(table, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// clear removes the events of p from the record in this table, if there is one that has them.
func (t *transaction) clear(table string, p audit.Parcel) error {
	const ref = " WHERE tenant = ? AND id = ?"
	events, err := t.outbox(table, storage.Ref{Tenant: p.Tenant, ID: p.Record})
	if err != nil || len(events) == 0 {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(events), func(e audit.Event) bool {
		return slices.ContainsFunc(p.Events, func(told audit.Event) bool { return told.ID == e.ID })
	})
	if len(left) == len(events) {
		return nil
	}
	outbox, oldest, err := encodeOutbox(left)
	if err != nil {
		return err
	}
	_, err = t.exec("UPDATE "+table+" SET outbox = ?, outbox_at = ?, outbox_holder = NULL, outbox_until = 0,"+
		" revision = revision + 1"+ref, outbox, oldest, p.Tenant, p.Record)
	return err
}

// outbox reads the outbox of a record; a record that is not there has none.
func (t *transaction) outbox(table string, r storage.Ref) ([]audit.Event, error) {
	var outbox []byte
	err := t.row("SELECT outbox FROM "+table+" WHERE tenant = ? AND id = ?", []any{r.Tenant, r.ID}, &outbox)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && len(outbox) == 0) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var events []audit.Event
	if err := json.Unmarshal(outbox, &events); err != nil {
		return nil, fault.E(fault.Corrupt, "the events of a record can not be read", err)
	}
	return events, nil
}

// remove deletes a record; what is left in its outbox goes to the log in the same transaction.
func (k *kind[T]) remove(ctx context.Context, s *Store, r storage.Ref) error {
	return s.writeAll(ctx, func(tx *transaction) error {
		events, err := tx.outbox(k.table, r)
		if err != nil {
			return err
		}
		if err := tx.append(events); err != nil {
			return err
		}
		removed, err := tx.exec("DELETE FROM "+k.table+" WHERE tenant = ? AND id = ?", r.Tenant, r.ID)
		if err == nil && removed == 0 {
			err = missing(k.name)
		}
		return err
	})
}
