package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
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

// KeysetTenants implements storage.Keysets.
func (s *Store) KeysetTenants(ctx context.Context) ([]string, error) {
	ctx, cancel := boundedRead(ctx)
	defer cancel()
	cursor, err := s.keysets().Find(ctx, bson.D{}, options.Find().SetProjection(bson.D{pair("tenant", 1)}))
	if err != nil {
		return nil, failure(err)
	}
	var records []keysetRecord
	if err := cursor.All(ctx, &records); err != nil {
		return nil, failure(err)
	}
	list := make([]string, len(records))
	for i, r := range records {
		list[i] = r.Tenant
	}
	return list, nil
}

// ReplaceKeyset implements storage.Keysets.
func (s *Store) ReplaceKeyset(ctx context.Context, tenant string, old, wrapped []byte) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	result, err := s.keysets().UpdateOne(ctx,
		bson.D{pair("_id", key(tenant, "")), pair("wrapped", old)}, bson.D{pair("$set", bson.D{pair("wrapped", wrapped)})})
	if err != nil {
		return failure(err)
	}
	if result.MatchedCount == 0 {
		return moved("keyset")
	}
	return nil
}
