package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// apiKeyBody is a storage.APIKey as it is written.
type apiKeyBody struct {
	storage.Ref `json:"-"`
	Revision    int64         `json:"-"`
	Hash        string        `json:"hash,omitzero"`
	Prefix      string        `json:"prefix,omitzero"`
	Name        string        `json:"name,omitzero"`
	Scopes      []string      `json:"scopes,omitempty"`
	CreatedBy   string        `json:"created_by,omitzero"`
	Outbox      []audit.Event `json:"-"`
	CreatedAt   time.Time     `json:"created_at,omitzero"`
	ExpiresAt   time.Time     `json:"expires_at,omitzero"`
	RevokedAt   time.Time     `json:"revoked_at,omitzero"`
	LastUsedAt  time.Time     `json:"last_used_at,omitzero"`
}

func apiKeys() *kind[storage.APIKey] {
	return &kind[storage.APIKey]{
		name: "API key", table: "api_keys",
		ref:      func(k *storage.APIKey) *storage.Ref { return &k.Ref },
		revision: func(k *storage.APIKey) *int64 { return &k.Revision },
		outbox:   func(k *storage.APIKey) *[]audit.Event { return &k.Outbox },
		encode:   func(k *storage.APIKey) ([]byte, error) { return json.Marshal((*apiKeyBody)(k)) },
		decode:   func(b []byte, k *storage.APIKey) error { return json.Unmarshal(b, (*apiKeyBody)(k)) },
		times: func(k *storage.APIKey) []*time.Time {
			return []*time.Time{&k.CreatedAt, &k.ExpiresAt, &k.RevokedAt, &k.LastUsedAt}
		},
		found:       []string{"hash", "created_at"},
		foundValues: func(k *storage.APIKey) []any { return []any{k.Hash, millis(k.CreatedAt)} },
	}
}

// CreateAPIKey implements storage.APIKeys.
func (s *Store) CreateAPIKey(ctx context.Context, k storage.APIKey) error {
	return s.apiKeys.create(ctx, s, k)
}

// APIKey implements storage.APIKeys.
func (s *Store) APIKey(ctx context.Context, hash string) (storage.APIKey, error) {
	return s.apiKeys.get(ctx, s, "hash = ?", hash)
}

// APIKeys implements storage.APIKeys. The oldest comes first.
func (s *Store) APIKeys(ctx context.Context, tenant string) ([]storage.APIKey, error) {
	return s.apiKeys.list(ctx, s, "WHERE tenant = ? ORDER BY created_at, id", tenant)
}

// UpdateAPIKey implements storage.APIKeys.
func (s *Store) UpdateAPIKey(ctx context.Context, r storage.Ref, change func(*storage.APIKey) error) (storage.APIKey, error) {
	return s.apiKeys.update(ctx, s, r, change)
}
