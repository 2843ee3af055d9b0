package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"dowel/engine/storage"
)

// sessionBody is a storage.Session as it is written.
type sessionBody struct {
	storage.Ref `json:"-"`
	Hash        string    `json:"hash,omitzero"`
	Operator    string    `json:"operator,omitzero"`
	Link        bool      `json:"link,omitzero"`
	CSRF        string    `json:"csrf,omitzero"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
}

func sessions() *kind[storage.Session] {
	return &kind[storage.Session]{
		name: "session", table: "sessions",
		ref:         func(s *storage.Session) *storage.Ref { return &s.Ref },
		encode:      func(s *storage.Session) ([]byte, error) { return json.Marshal((*sessionBody)(s)) },
		decode:      func(b []byte, s *storage.Session) error { return json.Unmarshal(b, (*sessionBody)(s)) },
		times:       func(s *storage.Session) []*time.Time { return []*time.Time{&s.CreatedAt, &s.ExpiresAt} },
		found:       []string{"hash", "expires_at"},
		foundValues: func(s *storage.Session) []any { return []any{s.Hash, millis(s.ExpiresAt)} },
	}
}

// CreateSession implements storage.Sessions.
func (s *Store) CreateSession(ctx context.Context, session storage.Session) error {
	return s.sessions.create(ctx, s, session)
}

// Session implements storage.Sessions.
func (s *Store) Session(ctx context.Context, hash string) (storage.Session, error) {
	return s.sessions.get(ctx, s, "hash = ?", hash)
}

// TakeSession implements storage.Sessions.
func (s *Store) TakeSession(ctx context.Context, hash string) (storage.Session, error) {
	return s.sessions.returning(ctx, s,
		"DELETE FROM sessions WHERE hash = ? AND format <= ? RETURNING "+s.sessions.columns(), hash, format)
}

// DeleteSession implements storage.Sessions. A session that is gone already is no error.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	return s.write(ctx, func(tx *transaction) error {
		_, err := tx.exec("DELETE FROM sessions WHERE hash = ?", hash)
		return err
	})
}

// SweepSessions implements storage.Sessions.
func (s *Store) SweepSessions(ctx context.Context, before time.Time) (int, error) {
	return s.sweep(ctx, "DELETE FROM sessions WHERE expires_at < ?", before)
}
