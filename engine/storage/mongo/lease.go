package mongo

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/storage"
)

// AcquireLease implements storage.Leases. It goes by the database's clock, which all instances share.
func (s *Store) AcquireLease(
	ctx context.Context, c storage.Connection, a *storage.Attempt, holder string, ttl time.Duration,
) (storage.Lease, bool, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	now, err := s.clock.now(ctx)
	if err != nil {
		return storage.Lease{}, false, err
	}
	filter := bson.D{
		pair("_id", key(c.Tenant, c.ID)),
		pair("revision", c.Revision),
		// Not "$lte": a document without the field is free as well.
		pair("lease.until", bson.D{pair("$not", bson.D{pair("$gt", now)})}),
		readable(),
	}
	change := bson.D{
		pair("$set", bson.D{pair("lease.holder", holder), pair("lease.until", now.Add(ttl)), pair("attempt", a)}),
		pair("$inc", bson.D{pair("lease.fence", 1), pair("revision", 1)}),
	}
	var document struct{ Lease storage.Lease }
	if err := s.changeOne(ctx, filter, change, &document); errors.Is(err, driver.ErrNoDocuments) {
		return storage.Lease{}, false, s.notAcquired(ctx, c.Ref, now)
	} else if err != nil {
		return storage.Lease{}, false, failure(err)
	}
	document.Lease.Ref = c.Ref
	return document.Lease, true, nil
}

// notAcquired says why a lease was not to be had; nil means that somebody else holds it.
func (s *Store) notAcquired(ctx context.Context, r storage.Ref, now time.Time) error {
	c, err := s.Connection(ctx, r)
	if err == nil && !c.Lease.Until.After(now) {
		return moved("connection")
	}
	return err
}

// changeOne changes one connection and reads its lease as it is then. The whole record comes along: not
// every server that speaks the protocol can choose fields here.
func (s *Store) changeOne(ctx context.Context, filter, change bson.D, into any) error {
	o := options.FindOneAndUpdate().SetReturnDocument(options.After)
	return s.connections.collection.FindOneAndUpdate(ctx, filter, change, o).Decode(into)
}

// UpdateLeased implements storage.Leases.
func (s *Store) UpdateLeased(
	ctx context.Context, l storage.Lease, change func(*storage.Connection) error,
) (storage.Connection, error) {
	return s.connections.update(ctx, l.Ref, func(c *storage.Connection) error {
		// Every lease and every raised fence moves the revision, so this still holds when it is written.
		if c.Lease.Fence != l.Fence {
			return lost()
		}
		return keepLease(change)(c)
	})
}

// ReleaseLease implements storage.Leases.
func (s *Store) ReleaseLease(ctx context.Context, l storage.Lease) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	_, err := s.connections.collection.UpdateOne(ctx,
		bson.D{pair("_id", key(l.Ref.Tenant, l.Ref.ID)), pair("lease.fence", l.Fence), readable()},
		bson.D{
			pair("$set", bson.D{pair("lease.holder", ""), pair("lease.until", time.Time{})}),
			pair("$inc", bson.D{pair("revision", 1)}),
		})
	return failure(err)
}
