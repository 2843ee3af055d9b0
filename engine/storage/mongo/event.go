package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/audit"
	"dowel/engine/fault"
)

// eventRecord is an audit.Event as it is written to the log. N is its place among those it was
// appended with: events of one millisecond keep their order.
type eventRecord struct {
	ID      string            `bson:"_id"`
	Tenant  string            `bson:"tenant"`
	Subject string            `bson:"subject"`
	Kind    audit.Kind        `bson:"kind"`
	Actor   string            `bson:"actor"`
	At      time.Time         `bson:"at"`
	N       int               `bson:"n"`
	Data    map[string]string `bson:"data"`
	Schema  int               `bson:"schema"`
}

func (s *Store) log() *driver.Collection { return s.db.Collection("audit") }

// AppendEvents implements audit.Log.
func (s *Store) AppendEvents(ctx context.Context, events []audit.Event) error {
	if len(events) == 0 {
		return nil
	}
	documents := make([]any, len(events))
	for n, e := range events {
		documents[n] = eventRecord{e.ID, e.Tenant, e.Subject, e.Kind, e.Actor, e.At, n, e.Data, schema}
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	_, err := s.log().InsertMany(ctx, documents, options.InsertMany().SetOrdered(false))
	if onlyDuplicates(err) {
		return nil
	}
	return failure(err)
}

// onlyDuplicates tells whether nothing went wrong but that some events were there already.
func onlyDuplicates(err error) bool {
	var bulk driver.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return false
	}
	for _, write := range bulk.WriteErrors {
		if !driver.IsDuplicateKeyError(write.WriteError) {
			return false
		}
	}
	return true
}

// Events implements audit.Log.
func (s *Store) Events(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	filter := bson.D{pair("tenant", q.Tenant)}
	if q.Subject != "" {
		filter = append(filter, pair("subject", q.Subject))
	}
	if q.Kind != "" {
		filter = append(filter, pair("kind", q.Kind))
	}
	if q.Before != "" {
		var last eventRecord
		err := one(ctx, s.log(), bson.D{pair("_id", q.Before), pair("tenant", q.Tenant)}, &last)
		if err := found("event to continue after", err); err != nil {
			return nil, err
		}
		filter = append(filter, after("$lt", pair("at", last.At), pair("n", last.N), pair("_id", last.ID)))
	}
	newest := bson.D{pair("at", -1), pair("n", -1), pair("_id", -1)}
	var list []audit.Event
	err := each(ctx, s.log(), filter, options.Find().SetSort(newest).SetLimit(pageSize(q.Limit)), func(document bson.Raw) error {
		var e eventRecord
		if err := bson.Unmarshal(document, &e); err != nil {
			return fault.E(fault.Corrupt, "an event can not be read", err)
		}
		list = append(list, audit.Event{
			ID: e.ID, Kind: e.Kind, Tenant: e.Tenant, Subject: e.Subject, Actor: e.Actor, At: e.At, Data: e.Data,
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
