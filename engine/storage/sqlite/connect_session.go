package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// connectSessionBody is a storage.ConnectSession as it is written.
type connectSessionBody struct {
	storage.Ref  `json:"-"`
	Revision     int64         `json:"-"`
	TicketHash   string        `json:"ticket_hash,omitzero"`
	EndUser      string        `json:"end_user,omitzero"`
	Connectors   []string      `json:"connectors,omitempty"`
	Connection   string        `json:"connection,omitzero"`
	ReturnURL    string        `json:"return_url,omitzero"`
	OpenerOrigin string        `json:"opener_origin,omitzero"`
	BrowserHash  string        `json:"browser_hash,omitzero"`
	Flow         string        `json:"flow,omitzero"`
	Used         bool          `json:"used,omitzero"`
	Result       string        `json:"result,omitzero"`
	CreatedBy    string        `json:"created_by,omitzero"`
	Outbox       []audit.Event `json:"-"`
	CreatedAt    time.Time     `json:"created_at,omitzero"`
	ExpiresAt    time.Time     `json:"expires_at,omitzero"`
}

func connectSessions() *kind[storage.ConnectSession] {
	return &kind[storage.ConnectSession]{
		name: "connect session", table: "connect_sessions",
		ref:      func(s *storage.ConnectSession) *storage.Ref { return &s.Ref },
		revision: func(s *storage.ConnectSession) *int64 { return &s.Revision },
		outbox:   func(s *storage.ConnectSession) *[]audit.Event { return &s.Outbox },
		encode:   func(s *storage.ConnectSession) ([]byte, error) { return json.Marshal((*connectSessionBody)(s)) },
		decode:   func(b []byte, s *storage.ConnectSession) error { return json.Unmarshal(b, (*connectSessionBody)(s)) },
		times:    func(s *storage.ConnectSession) []*time.Time { return []*time.Time{&s.CreatedAt, &s.ExpiresAt} },
		found:    []string{"ticket_hash", "expires_at"},
		foundValues: func(s *storage.ConnectSession) []any {
			return []any{s.TicketHash, millis(s.ExpiresAt)}
		},
	}
}

// CreateConnectSession implements storage.ConnectSessions.
func (s *Store) CreateConnectSession(ctx context.Context, session storage.ConnectSession) error {
	return s.connectSessions.create(ctx, s, session)
}

// ConnectSession implements storage.ConnectSessions.
func (s *Store) ConnectSession(ctx context.Context, ticketHash string) (storage.ConnectSession, error) {
	return s.connectSessions.get(ctx, s, "ticket_hash = ?", ticketHash)
}

// ConnectSessionByRef implements storage.ConnectSessions.
func (s *Store) ConnectSessionByRef(ctx context.Context, r storage.Ref) (storage.ConnectSession, error) {
	return s.connectSessions.byRef(ctx, s, r)
}

// UpdateConnectSession implements storage.ConnectSessions.
func (s *Store) UpdateConnectSession(
	ctx context.Context, r storage.Ref, change func(*storage.ConnectSession) error,
) (storage.ConnectSession, error) {
	return s.connectSessions.update(ctx, s, r, change)
}

// SweepConnectSessions implements storage.ConnectSessions.
func (s *Store) SweepConnectSessions(ctx context.Context, before time.Time) (int, error) {
	return s.sweep(ctx, "DELETE FROM connect_sessions WHERE expires_at < ? AND outbox_at IS NULL", before)
}
