package mongotest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func wantDuplicate(t *testing.T, err error) {
	t.Helper()
	if !mongo.IsDuplicateKeyError(err) {
		t.Errorf("got %v, want error 11000", err)
	}
}

func identity(id, issuer, subject string) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "issuer", Value: issuer}, {Key: "subject", Value: subject}}
}

func TestUniqueIndexRefusesADuplicate(t *testing.T) {
	_, collection := startServer(t, Options{})
	mustIndex(t, collection, bson.D{{Key: "issuer", Value: 1}, {Key: "subject", Value: 1}}, options.Index().SetUnique(true))
	mustInsert(t, collection, identity("1", "a", "x"), identity("2", "a", "y"), identity("3", "b", "x"))
	subject := func(value string) bson.D {
		return bson.D{{Key: "$set", Value: bson.D{{Key: "subject", Value: value}}}}
	}

	_, err := collection.InsertOne(t.Context(), identity("4", "a", "x"))
	wantDuplicate(t, err)
	_, err = collection.InsertOne(t.Context(), identity("1", "c", "x"))
	wantDuplicate(t, err)
	_, err = collection.UpdateByID(t.Context(), "2", subject("x"))
	wantDuplicate(t, err)
	wantDuplicate(t, collection.FindOneAndUpdate(t.Context(), bson.D{{Key: "_id", Value: "2"}}, subject("x")).Err())
	_, err = collection.ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: "2"}}, identity("2", "b", "x"))
	wantDuplicate(t, err)
	mustCount(t, collection, bson.D{}, 3)

	if _, err := collection.UpdateByID(t.Context(), "1", subject("x")); err != nil {
		t.Errorf("a document stands in its own way: %v", err)
	}
	if _, err := collection.UpdateByID(t.Context(), "1", subject("z")); err != nil {
		t.Fatal(err)
	}
	if _, err := collection.InsertOne(t.Context(), identity("4", "a", "x")); err != nil {
		t.Errorf("a value given up is still taken: %v", err)
	}
}

func TestRacingInsertsOfOneKeyHaveOneWinner(t *testing.T) {
	_, collection := startServer(t, Options{})
	mustIndex(t, collection, bson.D{{Key: "issuer", Value: 1}, {Key: "subject", Value: 1}}, options.Index().SetUnique(true))
	var winners atomic.Int32
	var racing sync.WaitGroup
	for i := range 32 {
		racing.Go(func() {
			_, err := collection.InsertOne(t.Context(), identity(string(rune('a'+i)), "a", "x"))
			if err == nil {
				winners.Add(1)
			} else if !mongo.IsDuplicateKeyError(err) {
				t.Error(err)
			}
		})
	}
	racing.Wait()
	if got := winners.Load(); got != 1 {
		t.Errorf("got %d winners, want 1", got)
	}
}

func TestUnorderedInsertGoesOnAfterADuplicate(t *testing.T) {
	_, collection := startServer(t, Options{})
	mustInsert(t, collection, bson.D{{Key: "_id", Value: "2"}})
	batch := []any{bson.D{{Key: "_id", Value: "1"}}, bson.D{{Key: "_id", Value: "2"}}, bson.D{{Key: "_id", Value: "3"}}}
	_, err := collection.InsertMany(t.Context(), batch, options.InsertMany().SetOrdered(false))
	wantDuplicate(t, err)
	mustCount(t, collection, bson.D{}, 3)
}

func TestIndexCreatedAgain(t *testing.T) {
	_, collection := startServer(t, Options{})
	due := bson.D{{Key: "refresh_at", Value: 1}}
	mustIndex(t, collection, due, nil)
	mustIndex(t, collection, due, nil)
	names, err := collection.Indexes().ListSpecifications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 2 {
		t.Errorf("got %d indexes, want 2", len(names))
	}
	if _, err := collection.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: due, Options: options.Index().SetUnique(true)}); err == nil {
		t.Error("an index with other options was tolerated")
	}
	mustInsert(t, collection, identity("1", "a", "x"), identity("2", "a", "x"))
	_, err = collection.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.D{{Key: "issuer", Value: 1}}, Options: options.Index().SetUnique(true)})
	wantDuplicate(t, err)
}

func TestTTLIndexSweepsExpiredDocuments(t *testing.T) {
	_, collection := startServer(t, Options{})
	mustIndex(t, collection, bson.D{{Key: "expires", Value: 1}}, options.Index().SetExpireAfterSeconds(0))
	mustInsert(t, collection,
		bson.D{{Key: "_id", Value: "old"}, {Key: "expires", Value: time.Now().Add(-time.Minute)}},
		bson.D{{Key: "_id", Value: "new"}, {Key: "expires", Value: time.Now().Add(time.Hour)}},
		bson.D{{Key: "_id", Value: "never"}},
	)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if n, err := collection.CountDocuments(t.Context(), bson.D{}); err != nil {
			t.Fatal(err)
		} else if n < 3 {
			break
		}
	}
	if ids := findIDs(t, collection, bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}})); len(ids) != 2 || ids[0] != "never" || ids[1] != "new" {
		t.Errorf("got %v, want [never new]", ids)
	}
}
