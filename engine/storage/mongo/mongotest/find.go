package mongotest

import (
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

func (s *Server) find(c command) (bson.D, error) {
	found, err := s.store.find(c.namespace(), query{
		filter: c.document("filter"),
		sort:   c.document("sort"),
		skip:   asNumber(c.get("skip")),
		limit:  asNumber(c.get("limit")),
	})
	if err != nil {
		return nil, err
	}
	shown := make(bsonkit.List, 0, len(found))
	for _, r := range found {
		document, err := project(r.document, c.document("projection"))
		if err != nil {
			return nil, err
		}
		shown = append(shown, document)
	}
	return s.cursors.first(c, c.namespace(), shown)
}

func (s *Server) count(c command) (bson.D, error) {
	found, err := s.store.find(c.namespace(), query{
		filter: c.document("query"),
		skip:   asNumber(c.get("skip")),
		limit:  asNumber(c.get("limit")),
	})
	return bson.D{{Key: "n", Value: int32(len(found))}}, err
}

func (s *Server) distinct(c command) (bson.D, error) {
	found, err := s.store.find(c.namespace(), query{filter: c.document("query")})
	if err != nil {
		return nil, err
	}
	return bson.D{{Key: "values", Value: mongokit.Distinct(documentsOf(found), asText(c.get("key")))}}, nil
}

func documentsOf(records []*record) bsonkit.List {
	documents := make(bsonkit.List, 0, len(records))
	for _, r := range records {
		documents = append(documents, r.document)
	}
	return documents
}
