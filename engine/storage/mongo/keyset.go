package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
)

// keysetRecord is the wrapped keyset of one tenant. It has no schema number: what is in Wrapped has
// its own.
type keysetRecord struct {
	Key     string `bson:"_id"`
	Tenant  string `bson:"tenant"`
	Wrapped []byte `bson:"wrapped"`
}

func (s *Store) keysets() *driver.Collection { return s.db.Collection("keysets") }

// Keyset implements storage.Keysets.
func (s *Store) Keyset(ctx context.Context, tenant string) ([]byte, error) {
	var record keysetRecord
	err := one(ctx, s.keysets(), bson.D{pair("_id", key(tenant, ""))}, &record)
	return record.Wrapped, found("keyset", err)
}

// CreateKeyset implements storage.Keysets.
func (s *Store) CreateKeyset(ctx context.Context, tenant string, wrapped []byte) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	_, err := s.keysets().InsertOne(ctx, keysetRecord{Key: key(tenant, ""), Tenant: tenant, Wrapped: wrapped})
	return failure(err)
}
