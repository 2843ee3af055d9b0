package sqlite

import (
	"context"
	"database/sql"

	"dowel/engine/storage"
)

// CreateDefinition implements storage.Definitions.
func (s *Store) CreateDefinition(ctx context.Context, d storage.Definition) error {
	return s.write(ctx, func(tx *transaction) error {
		_, err := tx.exec("INSERT INTO definitions (tenant, connector, version, source, created_at) VALUES (?, ?, ?, ?, ?)",
			d.Tenant, d.Connector, d.Version, d.Source, millis(d.CreatedAt))
		return err
	})
}

// Definition implements storage.Definitions.
func (s *Store) Definition(ctx context.Context, tenant, connector, version string) (storage.Definition, error) {
	d := storage.Definition{Tenant: tenant, Connector: connector, Version: version}
	err := s.readRow(ctx, "SELECT source, created_at FROM definitions WHERE tenant = ? AND connector = ? AND version = ?",
		[]any{tenant, connector, version}, &d.Source, (*moment)(&d.CreatedAt))
	if err := found("definition", err); err != nil {
		return storage.Definition{}, err
	}
	return d, nil
}

// Definitions implements storage.Definitions.
func (s *Store) Definitions(ctx context.Context, tenant, connector string) ([]storage.Definition, error) {
	var list []storage.Definition
	err := s.readRows(ctx, "SELECT connector, version, source, created_at FROM definitions WHERE tenant = ? AND ? IN ('', connector)"+
		" ORDER BY created_at DESC, connector, version DESC", []any{tenant, connector}, func(rows *sql.Rows) error {
		d := storage.Definition{Tenant: tenant}
		err := rows.Scan(&d.Connector, &d.Version, &d.Source, (*moment)(&d.CreatedAt))
		list = append(list, d)
		return err
	})
	return list, err
}
