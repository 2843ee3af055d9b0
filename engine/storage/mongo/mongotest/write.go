package mongotest

import (
	"github.com/256dpi/lungo/bsonkit"
	"go.mongodb.org/mongo-driver/bson"
)

func insertDocuments(s *store, c command) (bson.D, error) {
	collection := s.ensure(c.namespace())
	inserted := 0
	failures := c.eachStatement("documents", func(_ int, document bson.D) error {
		if _, err := collection.insert(document); err != nil {
			return err
		}
		inserted++
		return nil
	})
	return withFailures(bson.D{{Key: "n", Value: int32(inserted)}}, failures), nil
}

func updateDocuments(s *store, c command) (bson.D, error) {
	collection := s.ensure(c.namespace())
	var matched, modified int
	var upserts bson.A
	failures := c.eachStatement("updates", func(i int, statement bson.D) error {
		ch := change{
			query:        query{filter: asDocument(field(statement, "q"))},
			upsert:       asTruth(field(statement, "upsert")),
			arrayFilters: asArray(field(statement, "arrayFilters")),
		}
		var plain bool
		if ch.update, plain = field(statement, "u").(bson.D); !plain {
			return refuse(codeNotImplemented, "pipeline updates are not to be used")
		}
		if !asTruth(field(statement, "multi")) {
			ch.limit = 1
		}
		done, err := collection.change(ch)
		matched, modified = matched+len(done.after), modified+done.modified
		if done.upserted {
			id := bsonkit.Get(done.after[0].document, "_id")
			upserts = append(upserts, bson.D{{Key: "index", Value: int32(i)}, {Key: "_id", Value: id}})
		}
		return err
	})
	reply := bson.D{{Key: "n", Value: int32(matched)}, {Key: "nModified", Value: int32(modified)}}
	if upserts != nil {
		reply = append(reply, bson.E{Key: "upserted", Value: upserts})
	}
	return withFailures(reply, failures), nil
}

func deleteDocuments(s *store, c command) (bson.D, error) {
	deleted := 0
	failures := c.eachStatement("deletes", func(_ int, statement bson.D) error {
		collection := s.collection(c.namespace())
		if collection == nil {
			return nil
		}
		found, err := collection.find(query{filter: asDocument(field(statement, "q")), limit: asNumber(field(statement, "limit"))})
		for _, old := range found {
			collection.remove(old)
		}
		deleted += len(found)
		return err
	})
	return withFailures(bson.D{{Key: "n", Value: int32(deleted)}}, failures), nil
}

// eachStatement runs a command's statements and lists what failed; an ordered
// command ends at the first failure.
func (c command) eachStatement(key string, run func(int, bson.D) error) bson.A {
	var failures bson.A
	for i, statement := range asArray(c.get(key)) {
		if err := run(i, asDocument(statement)); err != nil {
			failures = append(failures, writeError(i, err))
			if c.isOrdered() {
				break
			}
		}
	}
	return failures
}

func withFailures(reply bson.D, failures bson.A) bson.D {
	if failures == nil {
		return reply
	}
	return append(reply, bson.E{Key: "writeErrors", Value: failures})
}
