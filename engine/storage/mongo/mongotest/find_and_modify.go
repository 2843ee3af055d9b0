package mongotest

import (
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

func findAndModify(s *store, c command) (bson.D, error) {
	found := query{filter: c.document("query"), sort: c.document("sort"), limit: 1}
	if asTruth(c.get("remove")) {
		return findAndRemove(s, c, found)
	}
	update, plain := c.get("update").(bson.D)
	if !plain {
		return nil, refuse(codeNotImplemented, "pipeline updates are not to be used")
	}
	done, err := s.ensure(c.namespace()).change(change{
		query:        found,
		update:       update,
		arrayFilters: asArray(c.get("arrayFilters")),
		upsert:       asTruth(c.get("upsert")),
	})
	if err != nil {
		return nil, err
	}
	shown := done.before
	if asTruth(c.get("new")) {
		shown = done.after
	}
	status := bson.D{{Key: "n", Value: int32(len(done.after))}, {Key: "updatedExisting", Value: len(done.before) > 0}}
	if done.upserted {
		status = append(status, bson.E{Key: "upserted", Value: bsonkit.Get(done.after[0].document, "_id")})
	}
	return modifyReply(c, status, shown)
}

func findAndRemove(s *store, c command, q query) (bson.D, error) {
	var found []*record
	if collection := s.collection(c.namespace()); collection != nil {
		var err error
		if found, err = collection.find(q); err != nil {
			return nil, err
		}
		for _, old := range found {
			collection.remove(old)
		}
	}
	return modifyReply(c, bson.D{{Key: "n", Value: int32(len(found))}}, found)
}

func modifyReply(c command, status bson.D, shown []*record) (bson.D, error) {
	var value any
	if len(shown) > 0 {
		document, err := project(shown[0].document, c.document("fields"))
		if err != nil {
			return nil, err
		}
		value = *document
	}
	return bson.D{{Key: "lastErrorObject", Value: status}, {Key: "value", Value: value}}, nil
}

func project(document bsonkit.Doc, fields bson.D) (bsonkit.Doc, error) {
	if len(fields) == 0 {
		return document, nil
	}
	return mongokit.Project(document, &fields)
}
