package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// connectSessionRecord is a storage.ConnectSession as it is written.
type connectSessionRecord struct {
	storage.Ref  `bson:",inline"`
	Revision     int64         `bson:"revision"`
	TicketHash   string        `bson:"ticket_hash"`
	EndUser      string        `bson:"end_user"`
	Connectors   []string      `bson:"connectors"`
	Connection   string        `bson:"connection"`
	ReturnURL    string        `bson:"return_url"`
	OpenerOrigin string        `bson:"opener_origin"`
	BrowserHash  string        `bson:"browser_hash"`
	Flow         string        `bson:"flow"`
	Used         bool          `bson:"used"`
	Result       string        `bson:"result"`
	CreatedBy    string        `bson:"created_by"`
	Outbox       []audit.Event `bson:"outbox"`
	CreatedAt    time.Time     `bson:"created_at"`
	ExpiresAt    time.Time     `bson:"expires_at"`
}

func connectSessions(db *driver.Database) *kind[storage.ConnectSession] {
	return &kind[storage.ConnectSession]{
		name: "connect session", collection: db.Collection("connect_sessions"),
		record:   func(r *storage.ConnectSession) any { return (*connectSessionRecord)(r) },
		key:      func(r *storage.ConnectSession) string { return key(r.Tenant, r.ID) },
		setRef:   func(r *storage.ConnectSession, ref storage.Ref) { r.Ref = ref },
		revision: func(r *storage.ConnectSession) *int64 { return &r.Revision },
		outbox:   func(r *storage.ConnectSession) *[]audit.Event { return &r.Outbox },
	}
}

// CreateConnectSession implements storage.ConnectSessions.
func (s *Store) CreateConnectSession(ctx context.Context, session storage.ConnectSession) error {
	return s.connectSessions.create(ctx, session)
}

// ConnectSession implements storage.ConnectSessions.
func (s *Store) ConnectSession(ctx context.Context, ticketHash string) (storage.ConnectSession, error) {
	return s.connectSessions.get(ctx, bson.D{pair("ticket_hash", ticketHash)})
}

// ConnectSessionByRef implements storage.ConnectSessions.
func (s *Store) ConnectSessionByRef(ctx context.Context, r storage.Ref) (storage.ConnectSession, error) {
	return s.connectSessions.byRef(ctx, r)
}

// UpdateConnectSession implements storage.ConnectSessions.
func (s *Store) UpdateConnectSession(
	ctx context.Context, r storage.Ref, change func(*storage.ConnectSession) error,
) (storage.ConnectSession, error) {
	return s.connectSessions.update(ctx, r, change)
}

// SweepConnectSessions implements storage.ConnectSessions.
func (s *Store) SweepConnectSessions(ctx context.Context, before time.Time) (int, error) {
	return s.connectSessions.sweep(ctx, before)
}
