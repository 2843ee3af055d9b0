package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// apiKeyRecord is a storage.APIKey as it is written.
type apiKeyRecord struct {
	storage.Ref `bson:",inline"`
	Revision    int64         `bson:"revision"`
	Hash        string        `bson:"hash"`
	Prefix      string        `bson:"prefix"`
	Name        string        `bson:"name"`
	Scopes      []string      `bson:"scopes"`
	CreatedBy   string        `bson:"created_by"`
	Outbox      []audit.Event `bson:"outbox"`
	CreatedAt   time.Time     `bson:"created_at"`
	ExpiresAt   time.Time     `bson:"expires_at"`
	RevokedAt   time.Time     `bson:"revoked_at"`
	LastUsedAt  time.Time     `bson:"last_used_at"`
}

func apiKeys(db *driver.Database) *kind[storage.APIKey] {
	return &kind[storage.APIKey]{
		name: "API key", collection: db.Collection("api_keys"),
		record:   func(r *storage.APIKey) any { return (*apiKeyRecord)(r) },
		key:      func(r *storage.APIKey) string { return key(r.Tenant, r.ID) },
		setRef:   func(r *storage.APIKey, ref storage.Ref) { r.Ref = ref },
		revision: func(r *storage.APIKey) *int64 { return &r.Revision },
		outbox:   func(r *storage.APIKey) *[]audit.Event { return &r.Outbox },
	}
}

// CreateAPIKey implements storage.APIKeys.
func (s *Store) CreateAPIKey(ctx context.Context, k storage.APIKey) error {
	return s.apiKeys.create(ctx, k)
}

// APIKey implements storage.APIKeys.
func (s *Store) APIKey(ctx context.Context, hash string) (storage.APIKey, error) {
	return s.apiKeys.get(ctx, bson.D{pair("hash", hash)})
}

// APIKeys implements storage.APIKeys. The oldest comes first.
func (s *Store) APIKeys(ctx context.Context, tenant string) ([]storage.APIKey, error) {
	return s.apiKeys.list(ctx, bson.D{pair("tenant", tenant)}, oldestFirst())
}

// UpdateAPIKey implements storage.APIKeys.
func (s *Store) UpdateAPIKey(ctx context.Context, r storage.Ref, change func(*storage.APIKey) error) (storage.APIKey, error) {
	return s.apiKeys.update(ctx, r, change)
}
