package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/audit"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// appRecord is a storage.App as it is written.
type appRecord struct {
	storage.Ref      `bson:",inline"`
	Revision         int64             `bson:"revision"`
	Connector        string            `bson:"connector"`
	Auth             string            `bson:"auth"`
	Environment      string            `bson:"environment"`
	Name             string            `bson:"name"`
	ClientID         string            `bson:"client_id"`
	Secrets          secret.Sealed     `bson:"secrets"`
	Fields           map[string]string `bson:"fields"`
	SecretNames      []string          `bson:"secret_names"`
	Scopes           []string          `bson:"scopes"`
	Issuer           string            `bson:"issuer"`
	RegisteringUntil time.Time         `bson:"registering_until"`
	SecretExpiresAt  time.Time         `bson:"secret_expires_at"`
	Refused          time.Time         `bson:"refused"`
	RetryAt          time.Time         `bson:"retry_at"`
	RefusedReason    string            `bson:"refused_reason"`
	Outbox           []audit.Event     `bson:"outbox"`
	CreatedAt        time.Time         `bson:"created_at"`
	UpdatedAt        time.Time         `bson:"updated_at"`
}

func apps(db *driver.Database) *kind[storage.App] {
	return &kind[storage.App]{
		name: "app", collection: db.Collection("apps"),
		record:   func(r *storage.App) any { return (*appRecord)(r) },
		key:      func(r *storage.App) string { return key(r.Tenant, r.ID) },
		setRef:   func(r *storage.App, ref storage.Ref) { r.Ref = ref },
		revision: func(r *storage.App) *int64 { return &r.Revision },
		outbox:   func(r *storage.App) *[]audit.Event { return &r.Outbox },
	}
}

// CreateApp implements storage.Apps.
func (s *Store) CreateApp(ctx context.Context, a storage.App) error { return s.apps.create(ctx, a) }

// App implements storage.Apps.
func (s *Store) App(ctx context.Context, r storage.Ref) (storage.App, error) {
	return s.apps.byRef(ctx, r)
}

// UpdateApp implements storage.Apps.
func (s *Store) UpdateApp(ctx context.Context, r storage.Ref, change func(*storage.App) error) (storage.App, error) {
	return s.apps.update(ctx, r, change)
}

// DeleteApp implements storage.Apps. Events still in its outbox are in the log before it is gone.
func (s *Store) DeleteApp(ctx context.Context, r storage.Ref) error { return s.apps.remove(ctx, s, r) }

// Apps implements storage.Apps.
func (s *Store) Apps(ctx context.Context, tenant, connector string) ([]storage.App, error) {
	filter := bson.D{pair("tenant", tenant)}
	if connector != "" {
		filter = append(filter, pair("connector", connector))
	}
	return s.apps.list(ctx, filter, oldestFirst())
}

func oldestFirst() *options.FindOptions {
	return options.Find().SetSort(bson.D{pair("created_at", 1), pair("id", 1)})
}
