package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"dowel/engine/audit"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// connectionBody is a storage.Connection as it is written. The two convert into each other only
// while they have the same fields.
type connectionBody struct {
	storage.Ref      `json:"-"`
	Revision         int64             `json:"-"`
	Connector        string            `json:"connector,omitzero"`
	ConnectorVersion string            `json:"connector_version,omitzero"`
	Auth             string            `json:"auth,omitzero"`
	Kind             string            `json:"kind,omitzero"`
	App              string            `json:"app,omitzero"`
	EndUser          string            `json:"end_user,omitzero"`
	Name             string            `json:"name,omitzero"`
	Status           storage.Status    `json:"status,omitzero"`
	StatusReason     string            `json:"status_reason,omitzero"`
	Identity         storage.Identity  `json:"identity,omitzero"`
	Inputs           map[string]string `json:"inputs,omitempty"`
	Captured         map[string]string `json:"captured,omitempty"`
	Discovered       map[string]string `json:"discovered,omitempty"`
	RequestedScopes  []string          `json:"requested_scopes,omitempty"`
	GrantedScopes    []string          `json:"granted_scopes,omitempty"`
	Credential       secret.Sealed     `json:"-"`
	Previous         secret.Sealed     `json:"-"`
	PreviousUntil    time.Time         `json:"previous_until,omitzero"`
	Version          int64             `json:"version,omitzero"`
	ObtainedAt       time.Time         `json:"obtained_at,omitzero"`
	ExpiresAt        time.Time         `json:"expires_at,omitzero"`
	RefreshExpiresAt time.Time         `json:"refresh_expires_at,omitzero"`
	RefreshAt        time.Time         `json:"refresh_at,omitzero"`
	Unverified       bool              `json:"unverified,omitzero"`
	Lease            storage.Lease     `json:"-"`
	Attempt          *storage.Attempt  `json:"attempt,omitzero"`
	Health           storage.Health    `json:"health,omitzero"`
	Outbox           []audit.Event     `json:"-"`
	CreatedAt        time.Time         `json:"created_at,omitzero"`
	UpdatedAt        time.Time         `json:"updated_at,omitzero"`
}

func connections() *kind[storage.Connection] {
	return &kind[storage.Connection]{
		name: "connection", table: "connections",
		ref:      func(c *storage.Connection) *storage.Ref { return &c.Ref },
		revision: func(c *storage.Connection) *int64 { return &c.Revision },
		outbox:   func(c *storage.Connection) *[]audit.Event { return &c.Outbox },
		encode:   func(c *storage.Connection) ([]byte, error) { return json.Marshal((*connectionBody)(c)) },
		decode:   func(b []byte, c *storage.Connection) error { return json.Unmarshal(b, (*connectionBody)(c)) },
		times:    connectionTimes,
		kept:     []string{"credential", "previous", "lease_holder", "lease_until", "lease_fence"},
		keptFields: func(c *storage.Connection) []any {
			return []any{
				(*[]byte)(&c.Credential), (*[]byte)(&c.Previous),
				&c.Lease.Holder, (*moment)(&c.Lease.Until), &c.Lease.Fence,
			}
		},
		found: []string{"connector", "end_user", "status", "app", "subject", "version", "created_at", "due_at"},
		foundValues: func(c *storage.Connection) []any {
			return []any{
				c.Connector, c.EndUser, string(c.Status), c.App, c.Identity.Subject, c.Version, millis(c.CreatedAt),
				dueAt(c),
			}
		},
	}
}

func connectionTimes(c *storage.Connection) []*time.Time {
	times := []*time.Time{
		&c.PreviousUntil, &c.ObtainedAt, &c.ExpiresAt, &c.RefreshExpiresAt, &c.RefreshAt, &c.Lease.Until,
		&c.Health.LastRefreshAt, &c.Health.LastTestAt, &c.CreatedAt, &c.UpdatedAt,
	}
	if c.Attempt != nil {
		// Copied: the caller may hold on to his.
		attempt := *c.Attempt
		c.Attempt = &attempt
		times = append(times, &c.Attempt.At)
	}
	return times
}

// dueAt returns when the sweep has to look at c, or NULL.
func dueAt(c *storage.Connection) any {
	if at := c.DueAt(); !at.IsZero() {
		return millis(at)
	}
	return nil
}

// CreateConnection implements storage.Connections.
func (s *Store) CreateConnection(ctx context.Context, c storage.Connection) error {
	return s.connections.create(ctx, s, c)
}

// Connection implements storage.Connections.
func (s *Store) Connection(ctx context.Context, r storage.Ref) (storage.Connection, error) {
	return s.connections.byRef(ctx, s, r)
}

// UpdateConnection implements storage.Connections.
func (s *Store) UpdateConnection(
	ctx context.Context, r storage.Ref, change func(*storage.Connection) error,
) (storage.Connection, error) {
	return s.connections.update(ctx, s, r, keepLease(change))
}

// keepLease lets change do nothing to the lease but raise its fence. An acquired lease moves the
// revision, so the fence that is raised here is the newest.
func keepLease(change func(*storage.Connection) error) func(*storage.Connection) error {
	return func(c *storage.Connection) error {
		before := c.Lease
		if err := change(c); err != nil {
			return err
		}
		if c.Lease.Fence > before.Fence {
			c.Lease = storage.Lease{Fence: c.Lease.Fence}
		} else {
			c.Lease = before
		}
		return nil
	}
}

// DeleteConnection implements storage.Connections.
func (s *Store) DeleteConnection(ctx context.Context, r storage.Ref) error {
	return s.connections.remove(ctx, s, r)
}

// Connections implements storage.Connections.
func (s *Store) Connections(ctx context.Context, q storage.ConnectionQuery) ([]storage.Connection, error) {
	where, args := []string{"tenant = ?"}, []any{q.Tenant}
	for _, filter := range []struct{ where, value string }{
		{"connector = ?", q.Connector},
		{"end_user = ?", q.EndUser},
		{"status = ?", string(q.Status)},
		{"app <> '' AND app = ?", q.App},
		{"subject <> '' AND subject = ?", q.Subject},
	} {
		if filter.value != "" {
			where, args = append(where, filter.where), append(args, filter.value)
		}
	}
	if q.Before != "" {
		var createdAt int64
		err := s.readRow(ctx, "SELECT created_at FROM connections WHERE tenant = ? AND id = ?", []any{q.Tenant, q.Before}, &createdAt)
		if err := found("connection to continue after", err); err != nil {
			return nil, err
		}
		where, args = append(where, "(created_at, id) < (?, ?)"), append(args, createdAt, q.Before)
	}
	return s.connections.list(ctx, s, "WHERE "+strings.Join(where, " AND ")+" ORDER BY created_at DESC, id DESC LIMIT ?",
		append(args, pageSize(q.Limit))...)
}

// pageSize brings the number of records asked for into bounds; none asked for means the most.
func pageSize(limit int) int {
	const most = 200
	if limit < 1 || limit > most {
		return most
	}
	return limit
}

// CountConnections implements storage.Connections.
func (s *Store) CountConnections(ctx context.Context, tenant string) (map[storage.Status]int, error) {
	counts := map[storage.Status]int{}
	err := s.readRows(ctx, "SELECT status, count(*) FROM connections WHERE tenant = ? GROUP BY status", []any{tenant},
		func(rows *sql.Rows) error {
			var status storage.Status
			var count int
			if err := rows.Scan(&status, &count); err != nil {
				return err
			}
			counts[status] = count
			return nil
		})
	if err != nil {
		return nil, err
	}
	return counts, nil
}
