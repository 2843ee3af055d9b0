package mongotest

import (
	"slices"
	"strings"

	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

func createCollection(s *store, c command) (bson.D, error) {
	if s.collection(c.namespace()) != nil {
		return nil, refuse(48, "collection already exists: %s", c.namespace())
	}
	s.ensure(c.namespace())
	return bson.D{}, nil
}

func dropCollection(s *store, c command) (bson.D, error) {
	s.drop(c.namespace())
	return bson.D{}, nil
}

func dropDatabase(s *store, c command) (bson.D, error) {
	for namespace := range s.collections {
		if c.inDatabase(namespace) {
			s.drop(namespace)
		}
	}
	return bson.D{}, nil
}

func (s *Server) listCollections(c command) (bson.D, error) {
	s.store.mutex.RLock()
	defer s.store.mutex.RUnlock()
	var names []string
	for namespace := range s.store.collections {
		if c.inDatabase(namespace) {
			names = append(names, strings.TrimPrefix(namespace, c.database+"."))
		}
	}
	slices.Sort(names)
	var listed bsonkit.List
	for _, name := range names {
		listed = append(listed, &bson.D{
			{Key: "name", Value: name},
			{Key: "type", Value: "collection"},
			{Key: "options", Value: bson.D{}},
			{Key: "info", Value: bson.D{{Key: "readOnly", Value: false}}},
		})
	}
	filter := c.document("filter")
	listed, err := mongokit.Filter(listed, &filter, 0)
	if err != nil {
		return nil, err
	}
	return s.cursors.first(c, c.database+".$cmd.listCollections", listed)
}
