package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// publicationBody is a storage.Publication as it is written.
type publicationBody struct {
	storage.Ref `json:"-"`
	Revision    int64         `json:"-"`
	Version     string        `json:"version,omitzero"`
	Outbox      []audit.Event `json:"-"`
	CreatedAt   time.Time     `json:"created_at,omitzero"`
	UpdatedAt   time.Time     `json:"updated_at,omitzero"`
}

func publications() *kind[storage.Publication] {
	return &kind[storage.Publication]{
		name: "publication", table: "publications",
		ref:         func(p *storage.Publication) *storage.Ref { return &p.Ref },
		revision:    func(p *storage.Publication) *int64 { return &p.Revision },
		outbox:      func(p *storage.Publication) *[]audit.Event { return &p.Outbox },
		encode:      func(p *storage.Publication) ([]byte, error) { return json.Marshal((*publicationBody)(p)) },
		decode:      func(b []byte, p *storage.Publication) error { return json.Unmarshal(b, (*publicationBody)(p)) },
		times:       func(p *storage.Publication) []*time.Time { return []*time.Time{&p.CreatedAt, &p.UpdatedAt} },
		found:       []string{"created_at"},
		foundValues: func(p *storage.Publication) []any { return []any{millis(p.CreatedAt)} },
	}
}

// CreatePublication implements storage.Publications.
func (s *Store) CreatePublication(ctx context.Context, p storage.Publication) error {
	return s.publications.create(ctx, s, p)
}

// Publication implements storage.Publications.
func (s *Store) Publication(ctx context.Context, r storage.Ref) (storage.Publication, error) {
	return s.publications.byRef(ctx, s, r)
}

// UpdatePublication implements storage.Publications.
func (s *Store) UpdatePublication(ctx context.Context, r storage.Ref, change func(*storage.Publication) error) (storage.Publication, error) {
	return s.publications.update(ctx, s, r, change)
}

// Publications implements storage.Publications. The oldest comes first.
func (s *Store) Publications(ctx context.Context, tenant string) ([]storage.Publication, error) {
	return s.publications.list(ctx, s, "WHERE tenant = ? ORDER BY created_at, id", tenant)
}
