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

// connectionRecord is a storage.Connection as it is written. The two convert into each other only
// while they have the same fields.
type connectionRecord struct {
	storage.Ref      `bson:",inline"`
	Revision         int64             `bson:"revision"`
	Connector        string            `bson:"connector"`
	ConnectorVersion string            `bson:"connector_version"`
	Auth             string            `bson:"auth"`
	Kind             string            `bson:"kind"`
	App              string            `bson:"app"`
	EndUser          string            `bson:"end_user"`
	Name             string            `bson:"name"`
	Status           storage.Status    `bson:"status"`
	StatusReason     string            `bson:"status_reason"`
	Identity         storage.Identity  `bson:"identity"`
	Inputs           map[string]string `bson:"inputs"`
	Captured         map[string]string `bson:"captured"`
	Discovered       map[string]string `bson:"discovered"`
	RequestedScopes  []string          `bson:"requested_scopes"`
	GrantedScopes    []string          `bson:"granted_scopes"`
	Credential       secret.Sealed     `bson:"credential"`
	Previous         secret.Sealed     `bson:"previous"`
	PreviousUntil    time.Time         `bson:"previous_until"`
	Version          int64             `bson:"version"`
	ObtainedAt       time.Time         `bson:"obtained_at"`
	ExpiresAt        time.Time         `bson:"expires_at"`
	RefreshExpiresAt time.Time         `bson:"refresh_expires_at"`
	RefreshAt        time.Time         `bson:"refresh_at"`
	Unverified       bool              `bson:"unverified"`
	Lease            storage.Lease     `bson:"lease"`
	Attempt          *storage.Attempt  `bson:"attempt"`
	Health           storage.Health    `bson:"health"`
	Outbox           []audit.Event     `bson:"outbox"`
	CreatedAt        time.Time         `bson:"created_at"`
	UpdatedAt        time.Time         `bson:"updated_at"`
}

func connections(db *driver.Database) *kind[storage.Connection] {
	return &kind[storage.Connection]{
		name: "connection", collection: db.Collection("connections"),
		record:   func(c *storage.Connection) any { return (*connectionRecord)(c) },
		key:      func(c *storage.Connection) string { return key(c.Tenant, c.ID) },
		setRef:   func(c *storage.Connection, r storage.Ref) { c.Ref = r },
		revision: func(c *storage.Connection) *int64 { return &c.Revision },
		outbox:   func(c *storage.Connection) *[]audit.Event { return &c.Outbox },
		derived:  func(c *storage.Connection) bson.D { return bson.D{pair("due_at", dueAt(c))} },
	}
}

// dueAt returns when the sweep has to look at c, or nil.
func dueAt(c *storage.Connection) any {
	if at := c.DueAt(); !at.IsZero() {
		return at
	}
	return nil
}

// CreateConnection implements storage.Connections.
func (s *Store) CreateConnection(ctx context.Context, c storage.Connection) error {
	return s.connections.create(ctx, c)
}

// Connection implements storage.Connections.
func (s *Store) Connection(ctx context.Context, r storage.Ref) (storage.Connection, error) {
	return s.connections.byRef(ctx, r)
}

// UpdateConnection implements storage.Connections.
func (s *Store) UpdateConnection(
	ctx context.Context, r storage.Ref, change func(*storage.Connection) error,
) (storage.Connection, error) {
	return s.connections.update(ctx, r, keepLease(change))
}

// DeleteConnection implements storage.Connections.
func (s *Store) DeleteConnection(ctx context.Context, r storage.Ref) error {
	return s.connections.remove(ctx, s, r)
}

// Connections implements storage.Connections.
func (s *Store) Connections(ctx context.Context, q storage.ConnectionQuery) ([]storage.Connection, error) {
	filter := bson.D{pair("tenant", q.Tenant)}
	for _, field := range []struct{ name, value string }{
		{"connector", q.Connector},
		{"end_user", q.EndUser},
		{"status", string(q.Status)},
		{"app", q.App},
		{"identity.subject", q.Subject},
	} {
		if field.value != "" {
			filter = append(filter, pair(field.name, field.value))
		}
	}
	if q.Before != "" {
		var last struct {
			CreatedAt time.Time `bson:"created_at"`
		}
		err := one(ctx, s.connections.collection, bson.D{pair("_id", key(q.Tenant, q.Before))}, &last)
		if err := found("connection to continue after", err); err != nil {
			return nil, err
		}
		filter = append(filter, after("$lt", pair("created_at", last.CreatedAt), pair("id", q.Before)))
	}
	newest := bson.D{pair("created_at", -1), pair("id", -1)}
	return s.connections.list(ctx, filter, options.Find().SetSort(newest).SetLimit(pageSize(q.Limit)))
}

// pageSize brings the number of records asked for into bounds; none asked for means the most.
func pageSize(limit int) int64 {
	const most = 200
	if limit < 1 || limit > most {
		return most
	}
	return int64(limit)
}

// after returns the condition that a document comes behind another in the order of the fields, all
// of which are sorted in the direction of compare: "$lt" or "$gt".
func after(compare string, fields ...bson.E) bson.E {
	var either bson.A
	for i, field := range fields {
		either = append(either, append(append(bson.D{}, fields[:i]...), pair(field.Key, bson.D{pair(compare, field.Value)})))
	}
	return pair("$or", either)
}

// one reads into a struct the fields it has of one document.
func one(ctx context.Context, collection *driver.Collection, filter bson.D, into any) error {
	ctx, cancel := boundedRead(ctx)
	defer cancel()
	return collection.FindOne(ctx, filter).Decode(into)
}

// CountConnections implements storage.Connections.
func (s *Store) CountConnections(ctx context.Context, tenant string) (map[storage.Status]int, error) {
	counts := map[storage.Status]int{}
	for _, status := range []storage.Status{storage.Active, storage.NeedsReauth, storage.Revoked, storage.Disabled} {
		n, err := s.connections.count(ctx, bson.D{pair("tenant", tenant), pair("status", status)})
		if err != nil {
			return nil, err
		}
		counts[status] = n
	}
	return counts, nil
}
