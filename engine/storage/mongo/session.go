package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"

	"dowel/engine/storage"
)

// sessionRecord is a storage.Session as it is written.
type sessionRecord struct {
	storage.Ref `bson:",inline"`
	Hash        string    `bson:"hash"`
	Operator    string    `bson:"operator"`
	Link        bool      `bson:"link"`
	CSRF        string    `bson:"csrf"`
	CreatedAt   time.Time `bson:"created_at"`
	ExpiresAt   time.Time `bson:"expires_at"`
}

func sessions(db *driver.Database) *kind[storage.Session] {
	return &kind[storage.Session]{
		name: "session", collection: db.Collection("sessions"),
		record: func(r *storage.Session) any { return (*sessionRecord)(r) },
		key:    func(r *storage.Session) string { return key(r.Tenant, r.ID) },
	}
}

// CreateSession implements storage.Sessions.
func (s *Store) CreateSession(ctx context.Context, session storage.Session) error {
	return s.sessions.create(ctx, session)
}

// Session implements storage.Sessions.
func (s *Store) Session(ctx context.Context, hash string) (storage.Session, error) {
	return s.sessions.get(ctx, bson.D{pair("hash", hash)})
}

// TakeSession implements storage.Sessions.
func (s *Store) TakeSession(ctx context.Context, hash string) (storage.Session, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.sessions.result(s.sessions.collection.FindOneAndDelete(ctx, bson.D{pair("hash", hash), readable()}))
}

// DeleteSession implements storage.Sessions. A session that is gone already is no error.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	_, err := s.sessions.collection.DeleteOne(ctx, bson.D{pair("hash", hash)})
	return failure(err)
}

// SweepSessions implements storage.Sessions.
func (s *Store) SweepSessions(ctx context.Context, before time.Time) (int, error) {
	return s.sessions.sweep(ctx, before)
}
