package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/storage"
)

// definitionRecord is a storage.Definition as it is written.
type definitionRecord struct {
	Tenant    string    `bson:"tenant"`
	Connector string    `bson:"connector"`
	Version   string    `bson:"version"`
	Source    []byte    `bson:"source"`
	CreatedAt time.Time `bson:"created_at"`
}

func definitions(db *driver.Database) *kind[storage.Definition] {
	return &kind[storage.Definition]{
		name: "definition", collection: db.Collection("definitions"),
		record: func(d *storage.Definition) any { return (*definitionRecord)(d) },
		key:    func(d *storage.Definition) string { return key(d.Tenant, d.Connector, d.Version) },
	}
}

// CreateDefinition implements storage.Definitions.
func (s *Store) CreateDefinition(ctx context.Context, d storage.Definition) error {
	return s.definitions.create(ctx, d)
}

// Definition implements storage.Definitions.
func (s *Store) Definition(ctx context.Context, tenant, connector, version string) (storage.Definition, error) {
	return s.definitions.get(ctx, bson.D{pair("_id", key(tenant, connector, version))})
}

// Definitions implements storage.Definitions.
func (s *Store) Definitions(ctx context.Context, tenant, connector string) ([]storage.Definition, error) {
	filter := bson.D{pair("tenant", tenant)}
	if connector != "" {
		filter = append(filter, pair("connector", connector))
	}
	newest := bson.D{pair("created_at", -1), pair("connector", 1), pair("version", -1)}
	return s.definitions.list(ctx, filter, options.Find().SetSort(newest))
}
