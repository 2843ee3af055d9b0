package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// publicationRecord is a storage.Publication as it is written.
type publicationRecord struct {
	storage.Ref `bson:",inline"`
	Revision    int64         `bson:"revision"`
	Version     string        `bson:"version"`
	Outbox      []audit.Event `bson:"outbox"`
	CreatedAt   time.Time     `bson:"created_at"`
	UpdatedAt   time.Time     `bson:"updated_at"`
}

func publications(db *driver.Database) *kind[storage.Publication] {
	return &kind[storage.Publication]{
		name: "publication", collection: db.Collection("publications"),
		record:   func(r *storage.Publication) any { return (*publicationRecord)(r) },
		key:      func(r *storage.Publication) string { return key(r.Tenant, r.ID) },
		setRef:   func(r *storage.Publication, ref storage.Ref) { r.Ref = ref },
		revision: func(r *storage.Publication) *int64 { return &r.Revision },
		outbox:   func(r *storage.Publication) *[]audit.Event { return &r.Outbox },
	}
}

// CreatePublication implements storage.Publications.
func (s *Store) CreatePublication(ctx context.Context, p storage.Publication) error {
	return s.publications.create(ctx, p)
}

// Publication implements storage.Publications.
func (s *Store) Publication(ctx context.Context, r storage.Ref) (storage.Publication, error) {
	return s.publications.byRef(ctx, r)
}

// UpdatePublication implements storage.Publications.
func (s *Store) UpdatePublication(ctx context.Context, r storage.Ref, change func(*storage.Publication) error) (storage.Publication, error) {
	return s.publications.update(ctx, r, change)
}

// Publications implements storage.Publications. The oldest comes first.
func (s *Store) Publications(ctx context.Context, tenant string) ([]storage.Publication, error) {
	return s.publications.list(ctx, bson.D{pair("tenant", tenant)}, oldestFirst())
}
