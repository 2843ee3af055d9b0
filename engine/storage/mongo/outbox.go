package mongo

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/audit"
)

// outboxCollections are the collections whose records have an outbox.
func outboxCollections() []string {
	return []string{"connections", "flows", "connect_sessions", "apps", "api_keys", "publications"}
}

// outboxDocument is the part of a record's document that has to do with its outbox.
type outboxDocument struct {
	Tenant, ID string
	Revision   int64
	Outbox     []audit.Event
}

// ClaimOutbox implements audit.Outbox. A claim does not move the record's revision, and an update of
// the record leaves the claim alone.
func (s *Store) ClaimOutbox(ctx context.Context, holder string, ttl time.Duration) (audit.Parcel, bool, error) {
	now, err := s.databaseNow(ctx)
	if err != nil {
		return audit.Parcel{}, false, err
	}
	collections := outboxCollections()
	// Each call begins with another collection, so one that is never empty does not hold up the rest.
	first := int(s.claims.Add(1) % uint64(len(collections)))
	for i := range collections {
		collection := s.db.Collection(collections[(first+i)%len(collections)])
		claimed, err := claim(ctx, collection, holder, now, now.Add(ttl))
		if errors.Is(err, driver.ErrNoDocuments) {
			continue
		}
		if err != nil {
			return audit.Parcel{}, false, failure(err)
		}
		return audit.Parcel{Tenant: claimed.Tenant, Record: claimed.ID, Events: claimed.Outbox}, true, nil
	}
	return audit.Parcel{}, false, nil
}

// databaseNow is the time by the database's clock.
func (s *Store) databaseNow(ctx context.Context) (time.Time, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return s.clock.now(ctx)
}

// claim takes the record of the collection whose events have waited longest. Each collection has its
// own time, or a slow database would never get to the last.
func claim(
	ctx context.Context, collection *driver.Collection, holder string, now, until time.Time,
) (claimed outboxDocument, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	// Null, where there is nothing to tell, is no time.
	filter := bson.D{
		pair("outbox_at", bson.D{pair("$gte", time.Time{})}), pair("outbox_until", bson.D{pair("$lte", now)}), readable(),
	}
	o := options.FindOneAndUpdate().
		SetSort(bson.D{pair("outbox_at", 1)}).
		SetReturnDocument(options.After)
	change := bson.D{pair("$set", bson.D{pair("outbox_holder", holder), pair("outbox_until", until)})}
	err = collection.FindOneAndUpdate(ctx, filter, change, o).Decode(&claimed)
	return claimed, err
}

// ClearOutbox implements audit.Outbox. It moves the revision, so that an update that has read the
// events before does not write them back.
func (s *Store) ClearOutbox(ctx context.Context, p audit.Parcel) error {
	for _, name := range outboxCollections() {
		var had bool
		err := again(ctx, "record", func() (done bool, err error) {
			done, had, err = clear(ctx, s.db.Collection(name), p)
			return done, err
		})
		// A parcel is of one record.
		if err != nil || had {
			return err
		}
	}
	return nil
}

// clear removes the events of p from the record in this collection, if there is one that had them.
// It is done unless somebody has changed the record meanwhile.
func clear(ctx context.Context, collection *driver.Collection, p audit.Parcel) (done, had bool, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	told := make([]string, len(p.Events))
	for i, e := range p.Events {
		told[i] = e.ID
	}
	id := pair("_id", key(p.Tenant, p.Record))
	var document outboxDocument
	err = collection.FindOne(ctx, bson.D{id, pair("outbox.id", bson.D{pair("$in", told)})}).Decode(&document)
	if errors.Is(err, driver.ErrNoDocuments) {
		return true, false, nil
	}
	if err != nil {
		return false, false, failure(err)
	}
	left := slices.DeleteFunc(document.Outbox, func(e audit.Event) bool { return slices.Contains(told, e.ID) })
	result, err := collection.UpdateOne(ctx, bson.D{id, pair("revision", document.Revision)}, bson.D{
		pair("$set", bson.D{
			pair("outbox", left), pair("outbox_at", oldest(left)),
			pair("outbox_holder", ""), pair("outbox_until", time.UnixMilli(0)),
		}),
		pair("$inc", bson.D{pair("revision", 1)}),
	})
	if err != nil {
		return false, false, failure(err)
	}
	return result.MatchedCount == 1, true, nil
}
