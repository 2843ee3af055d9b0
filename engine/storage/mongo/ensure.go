package mongo

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/bson"
	driver "go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/fault"
)

// index is one index Ensure makes sure of.
type index struct {
	collection, name string
	unique           bool
	fields           []string
}

// indexes lists every index there is, beside those on _id. Unique ones are on fields that every
// document has.
func indexes() []index {
	list := []index{
		{"connections", "newest", false, []string{"tenant", "created_at", "id"}},
		{"connections", "end_user", false, []string{"tenant", "end_user", "created_at", "id"}},
		{"connections", "subject", false, []string{"tenant", "identity.subject", "created_at", "id"}},
		{"connections", "app", false, []string{"tenant", "app", "created_at", "id"}},
		{"connections", "status", false, []string{"tenant", "status", "created_at", "id"}},
		{"connections", "due", false, []string{"due_at", "tenant", "id"}},
		{"flows", "state", true, []string{"state_hash"}},
		{"flows", "pending", false, []string{"tenant", "status", "expires_at"}},
		{"flows", "expiry", false, []string{"expires_at"}},
		{"connect_sessions", "ticket", true, []string{"ticket_hash"}},
		{"connect_sessions", "expiry", false, []string{"expires_at"}},
		{"apps", "oldest", false, []string{"tenant", "created_at", "id"}},
		{"api_keys", "hash", true, []string{"hash"}},
		{"api_keys", "oldest", false, []string{"tenant", "created_at", "id"}},
		{"sessions", "hash", true, []string{"hash"}},
		{"sessions", "expiry", false, []string{"expires_at"}},
		{"publications", "oldest", false, []string{"tenant", "created_at", "id"}},
		{"definitions", "newest", false, []string{"tenant", "created_at"}},
		{"audit", "newest", false, []string{"tenant", "at", "n", "_id"}},
		{"audit", "subject", false, []string{"tenant", "subject", "at", "n", "_id"}},
		{"audit", "kind", false, []string{"tenant", "kind", "at", "n", "_id"}},
	}
	for _, collection := range outboxCollections() {
		list = append(list, index{collection, "outbox", false, []string{"outbox_at", "outbox_until"}})
	}
	return list
}

// Ensure makes the indexes that are missing, one at a time: not every database takes several.
func Ensure(ctx context.Context, db *driver.Database) error {
	for _, i := range indexes() {
		if err := i.ensure(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

func (i index) ensure(ctx context.Context, db *driver.Database) error {
	keys := bson.D{}
	for _, field := range i.fields {
		keys = append(keys, bson.E{Key: field, Value: 1})
	}
	o := options.Index().SetName(i.name)
	if i.unique {
		o.SetUnique(true)
	}
	// Not bounded: an index on a large collection takes its time.
	_, err := db.Collection(i.collection).Indexes().CreateOne(ctx, driver.IndexModel{Keys: keys, Options: o})
	var answer driver.CommandError
	if errors.As(err, &answer) {
		switch {
		case i.tolerates(answer.Code):
			return nil
		case i.unique:
			return fault.E(fault.Misconfigured, "the unique index "+i.collection+"."+i.name+" can not be made", err)
		}
	}
	return failure(err)
}

// tolerates tells whether the answer says that there is such an index already, if under another name
// or with other options. A unique one has to be as we ask for it.
func (i index) tolerates(code int32) bool {
	const alreadyExists, optionsConflict, specsConflict = 68, 85, 86
	return code == alreadyExists || !i.unique && (code == optionsConflict || code == specsConflict)
}
