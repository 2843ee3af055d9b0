package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// kind says how one sort of record lies in its collection. A kind is made once, at start, and not
// changed.
type kind[T any] struct {
	name       string
	collection *driver.Collection
	// record returns the record as a struct with bson tags: the same memory, seen as another type.
	record func(*T) any
	key    func(*T) string
	// setRef puts back what a change must not touch; revision is nil for records never updated.
	setRef   func(*T, storage.Ref)
	revision func(*T) *int64
	outbox   func(*T) *[]audit.Event // nil: without one
	// derived are further fields the record is found by.
	derived func(*T) bson.D
}

// pair is short for one field of a document.
func pair(key string, value any) bson.E { return bson.E{Key: key, Value: value} }

// readable is the part of a filter that leaves alone what a newer version wrote.
func readable() bson.E { return pair("schema", bson.D{pair("$lte", schema)}) }

// open decodes a document.
func (k *kind[T]) open(document bson.Raw) (T, error) {
	var record T
	if number, ok := document.Lookup("schema").AsInt64OK(); ok && number > schema {
		return record, fault.E(fault.Corrupt, "this "+k.name+" was written by a newer version", nil).WithCode("record-newer")
	}
	if err := bson.Unmarshal(document, k.record(&record)); err != nil {
		return *new(T), fault.E(fault.Corrupt, "this "+k.name+" can not be read", err)
	}
	return record, nil
}

// fields returns what is written of a record, and the record's own bytes.
func (k *kind[T]) fields(record *T) (fields bson.D, own bson.Raw, err error) {
	own, err = bson.Marshal(k.record(record))
	if err != nil {
		return nil, nil, err
	}
	elements, err := own.Elements()
	if err != nil {
		return nil, nil, err
	}
	fields = make(bson.D, 0, len(elements)+4)
	for _, element := range elements {
		fields = append(fields, pair(element.Key(), element.Value()))
	}
	fields = append(fields, pair("schema", schema))
	if k.outbox != nil {
		fields = append(fields, pair("outbox_at", oldest(*k.outbox(record))))
	}
	if k.derived != nil {
		fields = append(fields, k.derived(record)...)
	}
	return fields, own, nil
}

// oldest returns the time of the oldest event in an outbox, or nil.
func oldest(events []audit.Event) any {
	if len(events) == 0 {
		return nil
	}
	return events[0].At
}

// create writes a new record with revision 1.
func (k *kind[T]) create(ctx context.Context, record T) error {
	if k.revision != nil {
		*k.revision(&record) = 1
	}
	fields, _, err := k.fields(&record)
	if err != nil {
		return err
	}
	document := append(bson.D{pair("_id", k.key(&record))}, fields...)
	if k.outbox != nil {
		document = append(document, pair("outbox_holder", ""), pair("outbox_until", time.UnixMilli(0)))
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	_, err = k.collection.InsertOne(ctx, document)
	return failure(err)
}

// get reads the one record the filter selects.
func (k *kind[T]) get(ctx context.Context, filter bson.D) (T, error) {
	ctx, cancel := boundedRead(ctx)
	defer cancel()
	return k.result(k.collection.FindOne(ctx, filter))
}

func (k *kind[T]) byRef(ctx context.Context, r storage.Ref) (T, error) {
	return k.get(ctx, bson.D{pair("_id", key(r.Tenant, r.ID))})
}

// result decodes the outcome of a command that gives one document.
func (k *kind[T]) result(single *driver.SingleResult) (T, error) {
	document, err := single.Raw()
	if err := found(k.name, err); err != nil {
		return *new(T), err
	}
	return k.open(document)
}

// list reads the records the filter selects.
func (k *kind[T]) list(ctx context.Context, filter bson.D, o *options.FindOptions) ([]T, error) {
	var list []T
	err := each(ctx, k.collection, filter, o, func(document bson.Raw) error {
		record, err := k.open(document)
		list = append(list, record)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// each calls visit for every document the filter selects. What visit makes of a document must not
// hold on to its bytes.
func each(
	ctx context.Context, collection *driver.Collection, filter bson.D, o *options.FindOptions, visit func(bson.Raw) error,
) error {
	ctx, cancel := boundedRead(ctx)
	defer cancel()
	cursor, err := collection.Find(ctx, filter, o)
	if err != nil {
		return failure(err)
	}
	defer func() { _ = cursor.Close(ctx) }()
	for cursor.Next(ctx) {
		if err := visit(cursor.Current); err != nil {
			return err
		}
	}
	return failure(cursor.Err())
}

// count counts the documents the filter selects.
func (k *kind[T]) count(ctx context.Context, filter bson.D) (int, error) {
	ctx, cancel := boundedRead(ctx)
	defer cancel()
	n, err := k.collection.CountDocuments(ctx, filter)
	return int(n), failure(err)
}

// sweep deletes what expired before the given time. Records whose events are still to be told are
// left for the next time.
func (k *kind[T]) sweep(ctx context.Context, before time.Time) (int, error) {
	filter := bson.D{pair("expires_at", bson.D{pair("$lt", before)}), readable()}
	if k.outbox != nil {
		filter = append(filter, pair("outbox_at", nil))
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	result, err := k.collection.DeleteMany(ctx, filter)
	if err != nil {
		return 0, failure(err)
	}
	return int(result.DeletedCount), nil
}
