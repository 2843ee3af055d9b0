package sqlite

import (
	"context"
	"fmt"

	"dowel/engine/fault"
)

const (
	// applicationID marks a file as Dowel's: "Dowl" in ASCII.
	applicationID = 0x446f776c
	// format is the number of the format records are written in. A record with a higher one was
	// written by a newer version, and is refused and left as it is.
	format = 1
)

// schema holds the statements that lead from one version of the schema to the next: the first
// element leads from an empty file to version 1. What is released is not changed any more.
var schema = []string{schema1, schema2}

const schema2 = `
CREATE TABLE publications (
	tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, format INTEGER NOT NULL, body BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	outbox BLOB, outbox_at INTEGER, outbox_holder TEXT, outbox_until INTEGER NOT NULL DEFAULT 0,
	UNIQUE (tenant, id)
);
CREATE INDEX publications_oldest ON publications (tenant, created_at, id);
CREATE INDEX publications_outbox ON publications (outbox_at, outbox_until) WHERE outbox_at IS NOT NULL;
`

const schema1 = `
CREATE TABLE connections (
	tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, format INTEGER NOT NULL, body BLOB NOT NULL,
	credential BLOB, previous BLOB,
	lease_holder TEXT NOT NULL, lease_until INTEGER NOT NULL, lease_fence INTEGER NOT NULL,
	connector TEXT NOT NULL, end_user TEXT NOT NULL, status TEXT NOT NULL, app TEXT NOT NULL, subject TEXT NOT NULL,
	version INTEGER NOT NULL, created_at INTEGER NOT NULL, due_at INTEGER,
	outbox BLOB, outbox_at INTEGER, outbox_holder TEXT, outbox_until INTEGER NOT NULL DEFAULT 0,
	UNIQUE (tenant, id)
);
CREATE INDEX connections_newest ON connections (tenant, created_at, id);
CREATE INDEX connections_end_user ON connections (tenant, end_user, created_at, id);
CREATE INDEX connections_subject ON connections (tenant, subject, created_at, id) WHERE subject <> '';
CREATE INDEX connections_app ON connections (tenant, app, created_at, id) WHERE app <> '';
CREATE INDEX connections_status ON connections (tenant, status, created_at, id);
CREATE INDEX connections_due ON connections (due_at, tenant, id, version, connector) WHERE due_at IS NOT NULL;
CREATE INDEX connections_outbox ON connections (outbox_at, outbox_until) WHERE outbox_at IS NOT NULL;

CREATE TABLE flows (
	tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, format INTEGER NOT NULL, body BLOB NOT NULL,
	pending BLOB, status TEXT NOT NULL,
	state_hash TEXT NOT NULL UNIQUE, expires_at INTEGER NOT NULL,
	outbox BLOB, outbox_at INTEGER, outbox_holder TEXT, outbox_until INTEGER NOT NULL DEFAULT 0,
	UNIQUE (tenant, id)
);
CREATE INDEX flows_pending ON flows (tenant, expires_at) WHERE status = 'pending';
CREATE INDEX flows_expiry ON flows (expires_at);
CREATE INDEX flows_outbox ON flows (outbox_at, outbox_until) WHERE outbox_at IS NOT NULL;

CREATE TABLE connect_sessions (
	tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, format INTEGER NOT NULL, body BLOB NOT NULL,
	ticket_hash TEXT NOT NULL UNIQUE, expires_at INTEGER NOT NULL,
	outbox BLOB, outbox_at INTEGER, outbox_holder TEXT, outbox_until INTEGER NOT NULL DEFAULT 0,
	UNIQUE (tenant, id)
);
CREATE INDEX connect_sessions_expiry ON connect_sessions (expires_at);
CREATE INDEX connect_sessions_outbox ON connect_sessions (outbox_at, outbox_until) WHERE outbox_at IS NOT NULL;

CREATE TABLE apps (
	tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, format INTEGER NOT NULL, body BLOB NOT NULL,
	secrets BLOB,
	connector TEXT NOT NULL, created_at INTEGER NOT NULL,
	outbox BLOB, outbox_at INTEGER, outbox_holder TEXT, outbox_until INTEGER NOT NULL DEFAULT 0,
	UNIQUE (tenant, id)
);
CREATE INDEX apps_oldest ON apps (tenant, created_at, id);
CREATE INDEX apps_outbox ON apps (outbox_at, outbox_until) WHERE outbox_at IS NOT NULL;

CREATE TABLE api_keys (
	tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, format INTEGER NOT NULL, body BLOB NOT NULL,
	hash TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
	outbox BLOB, outbox_at INTEGER, outbox_holder TEXT, outbox_until INTEGER NOT NULL DEFAULT 0,
	UNIQUE (tenant, id)
);
CREATE INDEX api_keys_oldest ON api_keys (tenant, created_at, id);
CREATE INDEX api_keys_outbox ON api_keys (outbox_at, outbox_until) WHERE outbox_at IS NOT NULL;

CREATE TABLE sessions (
	tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, format INTEGER NOT NULL, body BLOB NOT NULL,
	hash TEXT NOT NULL UNIQUE, expires_at INTEGER NOT NULL,
	UNIQUE (tenant, id)
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE tenants (
	tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, format INTEGER NOT NULL, body BLOB NOT NULL,
	UNIQUE (tenant, id)
);

CREATE TABLE definitions (
	tenant TEXT NOT NULL, connector TEXT NOT NULL, version TEXT NOT NULL,
	source BLOB NOT NULL, created_at INTEGER NOT NULL,
	PRIMARY KEY (tenant, connector, version)
);

CREATE TABLE keysets (tenant TEXT PRIMARY KEY NOT NULL, wrapped BLOB NOT NULL);

CREATE TABLE audit (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
	tenant TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX audit_newest ON audit (tenant, at, seq);
CREATE INDEX audit_subject ON audit (tenant, subject, at, seq);
CREATE INDEX audit_kind ON audit (tenant, kind, at, seq);
`

// migrate brings the schema up to date. It looks and writes in one transaction: two processes may
// open a fresh file at once.
func (s *Store) migrate(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return failure(err)
	}
	var refused error
	err := s.inTransaction(func(tx *transaction) error {
		version, err := tx.schemaVersion()
		if err != nil {
			refused = err
			return err
		}
		for ; version < len(schema); version++ {
			if _, err := tx.exec(schema[version]); err != nil {
				return fmt.Errorf("schema %d: %w", version+1, err)
			}
		}
		_, err = tx.exec(fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
	if refused != nil {
		return failure(refused)
	}
	return failure(err)
}

// schemaVersion returns the version of the file's schema, and marks a fresh file as ours.
func (t *transaction) schemaVersion() (version int, err error) {
	var application, tables int
	for pragma, value := range map[string]*int{
		"PRAGMA user_version": &version, "PRAGMA application_id": &application,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := t.row(pragma, nil, value); err != nil {
			return 0, err
		}
	}
	switch {
	case tables == 0:
		_, err := t.exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID))
		return 0, err
	case application != applicationID:
		return 0, fault.E(fault.Misconfigured, "the store's file belongs to another program", nil)
	case version > len(schema):
		return 0, fault.E(fault.Misconfigured, fmt.Sprintf(
			"the store was written by a newer version of Dowel (schema %d, this one knows %d)", version, len(schema)), nil)
	}
	return version, nil
}
