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
)

// outboxTables are the tables whose records have an outbox.
func outboxTables() []string {
	return []string{"connections", "flows", "connect_sessions", "apps", "api_keys", "publications"}
}

// ClaimOutbox implements audit.Outbox. A claim does not move the record's revision, and an update of
// the record leaves the claim alone.
func (s *Store) ClaimOutbox(ctx context.Context, holder string, ttl time.Duration) (audit.Parcel, bool, error) {
	now := time.Now()
	tables := outboxTables()
	// Each call begins with another table, so one that is never empty does not hold up the rest.
	first := int(s.claims.Add(1) % uint64(len(tables)))
	for i := range tables {
		table := tables[(first+i)%len(tables)]
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
	var outbox []byte
	err := t.row("SELECT outbox FROM "+table+" WHERE tenant = ? AND id = ?", []any{p.Tenant, p.Record}, &outbox)
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(outbox) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	var events []audit.Event
	if err := json.Unmarshal(outbox, &events); err != nil {
		return fault.E(fault.Corrupt, "the events of a record can not be read", err)
	}
	before := len(events)
	left := slices.DeleteFunc(events, func(e audit.Event) bool {
		return slices.ContainsFunc(p.Events, func(told audit.Event) bool { return told.ID == e.ID })
	})
	if len(left) == before {
		return nil
	}
	encoded, oldest, err := encodeOutbox(left)
	if err != nil {
		return err
	}
	_, err = t.exec("UPDATE "+table+" SET outbox = ?, outbox_at = ?, outbox_holder = NULL, outbox_until = 0,"+
		" revision = revision + 1 WHERE tenant = ? AND id = ?", encoded, oldest, p.Tenant, p.Record)
	return err
}
