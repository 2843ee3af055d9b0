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

// flowRecord is a storage.Flow as it is written.
type flowRecord struct {
	storage.Ref      `bson:",inline"`
	Revision         int64              `bson:"revision"`
	StateHash        string             `bson:"state_hash"`
	BrowserHash      string             `bson:"browser_hash"`
	Intent           string             `bson:"intent"`
	Connector        string             `bson:"connector"`
	ConnectorVersion string             `bson:"connector_version"`
	Auth             string             `bson:"auth"`
	App              string             `bson:"app"`
	EndUser          string             `bson:"end_user"`
	Target           string             `bson:"target"`
	Session          string             `bson:"session"`
	Pending          secret.Sealed      `bson:"pending"`
	Status           storage.FlowStatus `bson:"status"`
	Step             string             `bson:"step"`
	PollAt           time.Time          `bson:"poll_at"`
	Result           string             `bson:"result"`
	Code             string             `bson:"code"`
	Message          string             `bson:"message"`
	Reference        string             `bson:"reference"`
	Provider         string             `bson:"provider"`
	ProviderCode     string             `bson:"provider_code"`
	Warnings         []string           `bson:"warnings"`
	ReturnURL        string             `bson:"return_url"`
	OpenerOrigin     string             `bson:"opener_origin"`
	Outbox           []audit.Event      `bson:"outbox"`
	CreatedAt        time.Time          `bson:"created_at"`
	ExpiresAt        time.Time          `bson:"expires_at"`
}

func flows(db *driver.Database) *kind[storage.Flow] {
	return &kind[storage.Flow]{
		name: "flow", collection: db.Collection("flows"),
		record:   func(r *storage.Flow) any { return (*flowRecord)(r) },
		key:      func(r *storage.Flow) string { return key(r.Tenant, r.ID) },
		setRef:   func(r *storage.Flow, ref storage.Ref) { r.Ref = ref },
		revision: func(r *storage.Flow) *int64 { return &r.Revision },
		outbox:   func(r *storage.Flow) *[]audit.Event { return &r.Outbox },
	}
}

// CreateFlow implements storage.Flows.
func (s *Store) CreateFlow(ctx context.Context, f storage.Flow) error { return s.flows.create(ctx, f) }

// TakeFlow implements storage.Flows.
func (s *Store) TakeFlow(ctx context.Context, stateHash string, now time.Time) (storage.Flow, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	filter := bson.D{
		pair("state_hash", stateHash), pair("status", storage.FlowPending),
		pair("expires_at", bson.D{pair("$gt", now)}), readable(),
	}
	change := bson.D{
		pair("$set", bson.D{pair("status", storage.FlowTaken)}), pair("$inc", bson.D{pair("revision", 1)}),
	}
	return s.flows.result(s.flows.collection.FindOneAndUpdate(ctx, filter, change,
		options.FindOneAndUpdate().SetReturnDocument(options.After)))
}

// FlowByState implements storage.Flows.
func (s *Store) FlowByState(ctx context.Context, stateHash string) (storage.Flow, error) {
	return s.flows.get(ctx, bson.D{pair("state_hash", stateHash)})
}

// Flow implements storage.Flows.
func (s *Store) Flow(ctx context.Context, r storage.Ref) (storage.Flow, error) {
	return s.flows.byRef(ctx, r)
}

// UpdateFlow implements storage.Flows.
func (s *Store) UpdateFlow(ctx context.Context, r storage.Ref, change func(*storage.Flow) error) (storage.Flow, error) {
	return s.flows.update(ctx, r, change)
}

// SweepFlows implements storage.Flows.
func (s *Store) SweepFlows(ctx context.Context, before time.Time) (int, error) {
	return s.flows.sweep(ctx, before)
}

// CountPendingFlows implements storage.Flows.
func (s *Store) CountPendingFlows(ctx context.Context, tenant string, now time.Time) (int, error) {
	return s.flows.count(ctx, bson.D{
		pair("tenant", tenant), pair("status", storage.FlowPending), pair("expires_at", bson.D{pair("$gt", now)}),
	})
}
