package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/storage"
)

// tenantRecord is a storage.Tenant as it is written: a record without an id inside its own tenant.
type tenantRecord struct {
	ID            string    `bson:"tenant"`
	Revision      int64     `bson:"revision"`
	Name          string    `bson:"name"`
	ReturnOrigins []string  `bson:"return_origins"`
	CreatedAt     time.Time `bson:"created_at"`
}

func tenants(db *driver.Database) *kind[storage.Tenant] {
	return &kind[storage.Tenant]{
		name: "tenant", collection: db.Collection("tenants"),
		record:   func(t *storage.Tenant) any { return (*tenantRecord)(t) },
		key:      func(t *storage.Tenant) string { return key(t.ID, "") },
		setRef:   func(t *storage.Tenant, r storage.Ref) { t.ID = r.Tenant },
		revision: func(t *storage.Tenant) *int64 { return &t.Revision },
	}
}

// CreateTenant implements storage.Tenants.
func (s *Store) CreateTenant(ctx context.Context, t storage.Tenant) error {
	return s.tenants.create(ctx, t)
}

// Tenant implements storage.Tenants.
func (s *Store) Tenant(ctx context.Context, id string) (storage.Tenant, error) {
	return s.tenants.byRef(ctx, storage.Ref{Tenant: id})
}

// UpdateTenant implements storage.Tenants.
func (s *Store) UpdateTenant(ctx context.Context, id string, change func(*storage.Tenant) error) (storage.Tenant, error) {
	return s.tenants.update(ctx, storage.Ref{Tenant: id}, change)
}

// Tenants implements storage.Tenants, in the order of their ids.
func (s *Store) Tenants(ctx context.Context) ([]storage.Tenant, error) {
	return s.tenants.list(ctx, bson.D{}, options.Find().SetSort(bson.D{pair("_id", 1)}))
}
