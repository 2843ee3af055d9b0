package mongotest

import (
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// change is an update or a replacement of one or all documents found.
type change struct {
	query
	update       bson.D
	arrayFilters bson.A
	upsert       bool
}

// outcome is what a change did. Before and after hold one record for each
// match; after an upsert only after does.
type outcome struct {
	before, after []*record
	modified      int
	upserted      bool
}

// change runs ch. An error leaves the documents changed before it changed, and
// the one it is about untouched.
func (c *collection) change(ch change) (outcome, error) {
	if hasOperators(ch.update) {
		if err := checkUpdate(ch.update); err != nil {
			return outcome{}, err
		}
	}
	found, err := c.find(ch.query)
	if err != nil {
		return outcome{}, err
	}
	if len(found) == 0 && ch.upsert {
		added, err := c.upsert(ch)
		if err != nil {
			return outcome{}, err
		}
		return outcome{after: []*record{added}, upserted: true}, nil
	}
	var done outcome
	for _, old := range found {
		document, err := ch.apply(*bsonkit.Clone(old.document), false)
		if err != nil {
			return done, err
		}
		changed := old
		if !sameBytes(*old.document, document) {
			if changed, err = c.replace(old, document); err != nil {
				return done, err
			}
			done.modified++
		}
		done.before, done.after = append(done.before, old), append(done.after, changed)
	}
	return done, nil
}

func (c *collection) upsert(ch change) (*record, error) {
	known, err := mongokit.Extract(&ch.filter)
	if err != nil {
		return nil, err
	}
	document, err := ch.apply(*known, true)
	if err != nil {
		return nil, err
	}
	return c.insert(document)
}

// apply makes the new document out of base, which is its own to change.
func (ch change) apply(base bson.D, inserting bool) (bson.D, error) {
	if !hasOperators(ch.update) {
		return replacement(base, ch.update), nil
	}
	filters := make(bsonkit.List, 0, len(ch.arrayFilters))
	for _, filter := range ch.arrayFilters {
		document := asDocument(filter)
		filters = append(filters, &document)
	}
	if _, err := mongokit.Apply(&base, &ch.filter, &ch.update, inserting, filters); err != nil {
		return nil, err
	}
	return base, nil
}

// replacement is document under the _id that base has, if it brings none.
func replacement(base, document bson.D) bson.D {
	if bsonkit.Get(&document, "_id") != bsonkit.Missing {
		return document
	}
	id := bsonkit.Get(&base, "_id")
	if id == bsonkit.Missing {
		id = primitive.NewObjectID()
	}
	return append(bson.D{{Key: "_id", Value: id}}, document...)
}
