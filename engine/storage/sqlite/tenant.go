package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"dowel/engine/storage"
)

// tenantBody is a storage.Tenant as it is written.
type tenantBody struct {
	ID            string    `json:"-"`
	Revision      int64     `json:"-"`
	Name          string    `json:"name,omitzero"`
	ReturnOrigins []string  `json:"return_origins,omitempty"`
	CreatedAt     time.Time `json:"created_at,omitzero"`
}

// tenantRecord is a storage.Tenant with a ref: a tenant is the record without an id inside itself.
type tenantRecord struct {
	ref    storage.Ref
	tenant storage.Tenant
}

func tenants() *kind[tenantRecord] {
	return &kind[tenantRecord]{
		name: "tenant", table: "tenants",
		ref:      func(t *tenantRecord) *storage.Ref { return &t.ref },
		revision: func(t *tenantRecord) *int64 { return &t.tenant.Revision },
		encode:   func(t *tenantRecord) ([]byte, error) { return json.Marshal((*tenantBody)(&t.tenant)) },
		decode: func(b []byte, t *tenantRecord) error {
			t.tenant.ID = t.ref.Tenant
			return json.Unmarshal(b, (*tenantBody)(&t.tenant))
		},
		times: func(t *tenantRecord) []*time.Time { return []*time.Time{&t.tenant.CreatedAt} },
	}
}

// CreateTenant implements storage.Tenants.
func (s *Store) CreateTenant(ctx context.Context, t storage.Tenant) error {
	return s.tenants.create(ctx, s, tenantRecord{ref: storage.Ref{Tenant: t.ID}, tenant: t})
}

// Tenant implements storage.Tenants.
func (s *Store) Tenant(ctx context.Context, id string) (storage.Tenant, error) {
	t, err := s.tenants.byRef(ctx, s, storage.Ref{Tenant: id})
	return t.tenant, err
}

// UpdateTenant implements storage.Tenants.
func (s *Store) UpdateTenant(ctx context.Context, id string, change func(*storage.Tenant) error) (storage.Tenant, error) {
	t, err := s.tenants.update(ctx, s, storage.Ref{Tenant: id}, func(t *tenantRecord) error { return change(&t.tenant) })
	return t.tenant, err
}

// Tenants implements storage.Tenants, in the order of their ids.
func (s *Store) Tenants(ctx context.Context) ([]storage.Tenant, error) {
	records, err := s.tenants.list(ctx, s, "ORDER BY tenant")
	if err != nil {
		return nil, err
	}
	list := make([]storage.Tenant, len(records))
	for i, record := range records {
		list[i] = record.tenant
	}
	return list, nil
}
