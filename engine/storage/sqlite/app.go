package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"dowel/engine/audit"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// appBody is a storage.App as it is written.
type appBody struct {
	storage.Ref      `json:"-"`
	Revision         int64             `json:"-"`
	Connector        string            `json:"connector,omitzero"`
	Auth             string            `json:"auth,omitzero"`
	Environment      string            `json:"environment,omitzero"`
	Name             string            `json:"name,omitzero"`
	ClientID         string            `json:"client_id,omitzero"`
	Secrets          secret.Sealed     `json:"-"`
	Fields           map[string]string `json:"fields,omitempty"`
	SecretNames      []string          `json:"secret_names,omitempty"`
	Scopes           []string          `json:"scopes,omitempty"`
	Issuer           string            `json:"issuer,omitzero"`
	RegisteringUntil time.Time         `json:"registering_until,omitzero"`
	SecretExpiresAt  time.Time         `json:"secret_expires_at,omitzero"`
	Refused          time.Time         `json:"refused,omitzero"`
	RetryAt          time.Time         `json:"retry_at,omitzero"`
	RefusedReason    string            `json:"refused_reason,omitzero"`
	Outbox           []audit.Event     `json:"-"`
	CreatedAt        time.Time         `json:"created_at,omitzero"`
	UpdatedAt        time.Time         `json:"updated_at,omitzero"`
}

func apps() *kind[storage.App] {
	return &kind[storage.App]{
		name: "app", table: "apps",
		ref:      func(a *storage.App) *storage.Ref { return &a.Ref },
		revision: func(a *storage.App) *int64 { return &a.Revision },
		outbox:   func(a *storage.App) *[]audit.Event { return &a.Outbox },
		encode:   func(a *storage.App) ([]byte, error) { return json.Marshal((*appBody)(a)) },
		decode:   func(b []byte, a *storage.App) error { return json.Unmarshal(b, (*appBody)(a)) },
		times: func(a *storage.App) []*time.Time {
			return []*time.Time{&a.RegisteringUntil, &a.SecretExpiresAt, &a.Refused, &a.RetryAt, &a.CreatedAt, &a.UpdatedAt}
		},
		kept:        []string{"secrets"},
		keptFields:  func(a *storage.App) []any { return []any{(*[]byte)(&a.Secrets)} },
		found:       []string{"connector", "created_at"},
		foundValues: func(a *storage.App) []any { return []any{a.Connector, millis(a.CreatedAt)} },
	}
}

// CreateApp implements storage.Apps.
func (s *Store) CreateApp(ctx context.Context, a storage.App) error { return s.apps.create(ctx, s, a) }

// App implements storage.Apps.
func (s *Store) App(ctx context.Context, r storage.Ref) (storage.App, error) {
	return s.apps.byRef(ctx, s, r)
}

// UpdateApp implements storage.Apps.
func (s *Store) UpdateApp(ctx context.Context, r storage.Ref, change func(*storage.App) error) (storage.App, error) {
	return s.apps.update(ctx, s, r, change)
}

// DeleteApp implements storage.Apps. Events still in its outbox are in the log before it is gone.
func (s *Store) DeleteApp(ctx context.Context, r storage.Ref) error { return s.apps.remove(ctx, s, r) }

// Apps implements storage.Apps.
func (s *Store) Apps(ctx context.Context, tenant, connector string) ([]storage.App, error) {
	return s.apps.list(ctx, s, "WHERE tenant = ? AND ? IN ('', connector) ORDER BY created_at, id", tenant, connector)
}
