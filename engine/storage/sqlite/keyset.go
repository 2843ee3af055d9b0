package sqlite

import (
	"context"
	"database/sql"
)

// Keyset implements storage.Keysets.
func (s *Store) Keyset(ctx context.Context, tenant string) ([]byte, error) {
	var wrapped []byte
	err := s.readRow(ctx, "SELECT wrapped FROM keysets WHERE tenant = ?", []any{tenant}, &wrapped)
	return wrapped, found("keyset", err)
}

// CreateKeyset implements storage.Keysets.
func (s *Store) CreateKeyset(ctx context.Context, tenant string, wrapped []byte) error {
	return s.write(ctx, func(tx *transaction) error {
		_, err := tx.exec("INSERT INTO keysets (tenant, wrapped) VALUES (?, ?)", tenant, wrapped)
		return err
	})
}

// KeysetTenants implements storage.Keysets.
func (s *Store) KeysetTenants(ctx context.Context) ([]string, error) {
	var list []string
	err := s.readRows(ctx, "SELECT tenant FROM keysets", nil, func(rows *sql.Rows) error {
		var tenant string
		if err := rows.Scan(&tenant); err != nil {
			return err
		}
		list = append(list, tenant)
		return nil
	})
	return list, err
}

// ReplaceKeyset implements storage.Keysets.
func (s *Store) ReplaceKeyset(ctx context.Context, tenant string, old, wrapped []byte) error {
	return s.write(ctx, func(tx *transaction) error {
		n, err := tx.exec("UPDATE keysets SET wrapped = ? WHERE tenant = ? AND wrapped = ?", wrapped, tenant, old)
		if err == nil && n == 0 {
			err = moved("keyset")
		}
		return err
	})
}
