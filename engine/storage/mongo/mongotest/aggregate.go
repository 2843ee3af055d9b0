package mongotest

import (
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

// aggregate knows what a driver's CountDocuments sends: $match, $skip, $limit,
// and a group that counts.
func (s *Server) aggregate(c command) (bson.D, error) {
	stages := asArray(c.get("pipeline"))
	var q query
	if len(stages) > 0 {
		if filter, ok := field(asDocument(stages[0]), "$match").(bson.D); ok {
			q.filter, stages = filter, stages[1:]
		}
	}
	if err := checkFilter(q.filter); err != nil {
		return nil, err
	}
	found, err := s.store.find(c.namespace(), q)
	if err != nil {
		return nil, err
	}
	documents := documentsOf(found)
	for _, stage := range stages {
		if documents, err = runStage(documents, asDocument(stage)); err != nil {
			return nil, err
		}
	}
	return s.cursors.first(c, c.namespace(), documents)
}

func runStage(documents bsonkit.List, stage bson.D) (bsonkit.List, error) {
	if len(stage) != 1 {
		return nil, refuse(codeBadValue, "a stage has one field, not %d", len(stage))
	}
	name, value := stage[0].Key, stage[0].Value
	length := int64(len(documents))
	switch name {
	case "$sort":
		order := asDocument(value)
		return mongokit.Sort(documents, &order)
	case "$skip":
		return documents[min(asNumber(value), length):], nil
	case "$limit":
		return documents[:min(asNumber(value), length)], nil
	case "$group":
		group := asDocument(value)
		counts := len(group) == 2 && asNumber(field(group, "_id")) == 1 && asNumber(field(asDocument(field(group, "n")), "$sum")) == 1
		if !counts {
			return nil, refuse(codeNotImplemented, "$group other than a count")
		}
		if length == 0 {
			return nil, nil
		}
		return bsonkit.List{{{Key: "_id", Value: int32(1)}, {Key: "n", Value: int32(length)}}}, nil
	}
	return nil, refuse(codeNotImplemented, "stage %s is not to be used", name)
}
