package sqlite

import "context"

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
