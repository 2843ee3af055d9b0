package mongotest

import (
	"slices"
	"time"

	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

func createIndexes(s *store, c command) (bson.D, error) {
	collection := s.ensure(c.namespace())
	for _, specified := range asArray(c.get("indexes")) {
		if err := collection.createIndex(asDocument(specified)); err != nil {
			return nil, err
		}
	}
	return bson.D{}, nil
}

// createIndex builds an index out of its specification. The same index again is
// no error; another one of the same name or keys is.
func (c *collection) createIndex(specified bson.D) error {
	built, err := specifiedIndex(specified)
	if err != nil {
		return err
	}
	for _, other := range c.indexes {
		sameKeys := slices.Equal(other.columns, built.columns)
		switch {
		case other.name != built.name && !sameKeys:
		case !sameKeys:
			return refuse(codeIndexKeySpecs, "index %q exists with other keys", built.name)
		case other.name == "_id_" || other.sameAs(built):
			return nil
		default:
			return refuse(codeIndexOptions, "index %q exists as %q with other options", built.name, other.name)
		}
	}
	var failed error
	c.each(func(r *record) bool {
		if !built.admits(r) {
			failed = refuse(codeDuplicateKey, "E11000 duplicate key error collection: %s index: %s", c.namespace, built.name)
			return false
		}
		built.add(r)
		return true
	})
	if failed != nil {
		return failed
	}
	c.indexes = append(c.indexes, built)
	c.journal.append(entry{Operation: "index", Namespace: c.namespace, Document: specified})
	return nil
}

func (i *index) sameAs(other *index) bool {
	if i.name != other.name || i.unique != other.unique || (i.expireAfter == nil) != (other.expireAfter == nil) {
		return false
	}
	return i.expireAfter == nil || *i.expireAfter == *other.expireAfter
}

func specifiedIndex(specified bson.D) (*index, error) {
	keys := asDocument(field(specified, "key"))
	columns, err := mongokit.Columns(&keys)
	if err != nil || len(columns) == 0 {
		return nil, refuse(codeNotImplemented, "index keys %v: only 1 and -1 are to be used", keys)
	}
	built := newIndex(asText(field(specified, "name")), columns)
	built.specified = specified
	for _, option := range specified {
		switch option.Key {
		case "key", "v", "background", "name":
		case "unique":
			built.unique = asTruth(option.Value)
		case "expireAfterSeconds":
			after := time.Duration(asNumber(option.Value)) * time.Second
			built.expireAfter = &after
		default:
			return nil, refuse(codeNotImplemented, "index option %q is not to be used", option.Key)
		}
	}
	if built.expireAfter != nil && len(columns) > 1 {
		return nil, refuse(67, "a TTL index has one field")
	}
	return built, nil
}

func dropIndexes(s *store, c command) (bson.D, error) {
	collection := s.collection(c.namespace())
	if collection == nil {
		return nil, refuse(codeNamespaceNotFound, "ns not found %s", c.namespace())
	}
	name, ok := c.get("index").(string)
	if !ok {
		return nil, refuse(codeNotImplemented, "indexes are dropped by name")
	}
	if name != "*" {
		if !collection.dropIndex(name) {
			return nil, refuse(codeIndexNotFound, "index not found with name [%s]", name)
		}
		return bson.D{}, nil
	}
	for _, index := range collection.indexes[1:] {
		collection.dropIndex(index.name)
	}
	return bson.D{}, nil
}

func (c *collection) dropIndex(name string) bool {
	kept := make([]*index, 0, len(c.indexes))
	for _, index := range c.indexes {
		if index.name != name || name == "_id_" {
			kept = append(kept, index)
		}
	}
	dropped := len(kept) < len(c.indexes)
	c.indexes = kept
	if dropped {
		c.journal.append(entry{Operation: "dropIndex", Namespace: c.namespace, Name: name})
	}
	return dropped
}

func (s *Server) listIndexes(c command) (bson.D, error) {
	s.store.mutex.RLock()
	defer s.store.mutex.RUnlock()
	collection := s.store.collection(c.namespace())
	if collection == nil {
		return nil, refuse(codeNamespaceNotFound, "ns does not exist: %s", c.namespace())
	}
	listed := bsonkit.List{{{Key: "v", Value: int32(2)}, {Key: "key", Value: bson.D{{Key: "_id", Value: int32(1)}}}, {Key: "name", Value: "_id_"}}}
	for _, index := range collection.indexes[1:] {
		shown := append(bson.D{{Key: "v", Value: int32(2)}}, index.specified...)
		listed = append(listed, &shown)
	}
	return s.cursors.first(c, c.namespace(), listed)
}
