package mongo

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// maxAttempts is how often an update reads again before it gives up.
const maxAttempts = 200

// again calls try until it says that it is done, with a little pause in between. try is to answer
// false, nil when somebody else was first.
func again(ctx context.Context, what string, try func() (done bool, err error)) error {
	for attempt := range maxAttempts {
		done, err := try()
		if done || err != nil {
			return err
		}
		longest := time.Duration(min(attempt+1, 20)) * time.Millisecond
		select {
		case <-ctx.Done():
			return failure(ctx.Err())
		case <-time.After(rand.N(longest)): // spreads attempts, keeps no secret
		}
	}
	return moved(what)
}

// update applies change to the record and writes it if its revision is still the one that was read;
// otherwise it starts again.
func (k *kind[T]) update(ctx context.Context, r storage.Ref, change func(*T) error) (written T, err error) {
	err = again(ctx, k.name, func() (bool, error) {
		record, err := k.byRef(ctx, r)
		if err != nil {
			return false, err
		}
		revision := *k.revision(&record)
		if err := change(&record); err != nil {
			return false, err
		}
		k.setRef(&record, r)
		*k.revision(&record) = revision + 1
		fields, own, err := k.fields(&record)
		if err != nil {
			return false, err
		}
		done, err := k.replace(ctx, r, revision, fields)
		if done {
			written, err = k.open(own)
		}
		return done, err
	})
	if err != nil {
		return *new(T), err
	}
	return written, nil
}

// replace sets the fields of the document with this revision. The claim on its outbox is not among
// them.
func (k *kind[T]) replace(ctx context.Context, r storage.Ref, revision int64, fields bson.D) (bool, error) {
	fields = slices.DeleteFunc(fields, func(field bson.E) bool { return field.Key == "tenant" || field.Key == "id" })
	ctx, cancel := bounded(ctx)
	defer cancel()
	result, err := k.collection.UpdateOne(ctx,
		bson.D{pair("_id", key(r.Tenant, r.ID)), pair("revision", revision)}, bson.D{pair("$set", fields)})
	if err != nil {
		return false, failure(err)
	}
	return result.MatchedCount == 1, nil
}

// remove deletes a record. Events in its outbox are put into the log before: doing that again, when
// the record has moved meanwhile, is doing it once.
func (k *kind[T]) remove(ctx context.Context, s *Store, r storage.Ref) error {
	return again(ctx, k.name, func() (bool, error) {
		record, err := k.byRef(ctx, r)
		if err != nil {
			return false, err
		}
		if err := s.AppendEvents(ctx, *k.outbox(&record)); err != nil {
			return false, err
		}
		ctx, cancel := bounded(ctx)
		defer cancel()
		result, err := k.collection.DeleteOne(ctx,
			bson.D{pair("_id", key(r.Tenant, r.ID)), pair("revision", *k.revision(&record))})
		if err != nil {
			return false, failure(err)
		}
		return result.DeletedCount == 1, nil
	})
}

// keepLease lets change do nothing to the lease but raise its fence. An acquired lease moves the
// revision, so the fence that is raised here is the newest.
func keepLease(change func(*storage.Connection) error) func(*storage.Connection) error {
	return func(c *storage.Connection) error {
		before := c.Lease
		if err := change(c); err != nil {
			return err
		}
		if c.Lease.Fence > before.Fence {
			c.Lease = storage.Lease{Fence: c.Lease.Fence}
		} else {
			c.Lease = before
		}
		return nil
	}
}

// lost is the answer to a holder whose lease is not the newest any more.
func lost() error {
	return fault.E(fault.Conflict, "somebody else has taken over the refresh of this connection", nil)
}
