package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"dowel/engine/storage"
)

// DueConnections implements storage.Connections. It walks the index of due connections in steps of
// limit rows; tenants that have had their share are left out of the next step, so one tenant's
// backlog does not hide the others.
func (s *Store) DueConnections(ctx context.Context, before time.Time, perTenant, limit int) ([]storage.Due, error) {
	if perTenant < 1 || perTenant > limit {
		perTenant = limit
	}
	var list []storage.Due
	var full []any
	share := map[string]int{}
	last := storage.Due{}
	for len(list) < limit {
		step, err := s.dueStep(ctx, before, last, full, limit)
		if err != nil {
			return nil, err
		}
		for _, due := range step {
			if share[due.Tenant]++; share[due.Tenant] > perTenant || len(list) == limit {
				continue
			}
			if share[due.Tenant] == perTenant {
				full = append(full, due.Tenant)
			}
			list = append(list, due)
		}
		if len(step) < limit {
			break
		}
		last = step[len(step)-1]
	}
	return list, nil
}

// dueStep reads the next due connections after last, none of them of the full tenants.
func (s *Store) dueStep(
	ctx context.Context, before time.Time, last storage.Due, full []any, limit int,
) ([]storage.Due, error) {
	query := "SELECT tenant, id, version, connector, due_at FROM connections" +
		" WHERE due_at IS NOT NULL AND due_at <= ? AND (due_at, tenant, id) > (?, ?, ?)"
	args := []any{before.UnixMilli(), millis(last.At), last.Tenant, last.ID}
	if len(full) > 0 {
		query += " AND tenant NOT IN (?" + strings.Repeat(", ?", len(full)-1) + ")"
		args = append(args, full...)
	}
	var list []storage.Due
	err := s.readRows(ctx, query+" ORDER BY due_at, tenant, id LIMIT ?", append(args, limit), func(rows *sql.Rows) error {
		var due storage.Due
		err := rows.Scan(&due.Tenant, &due.ID, &due.Version, &due.Connector, (*moment)(&due.At))
		list = append(list, due)
		return err
	})
	return list, err
}
