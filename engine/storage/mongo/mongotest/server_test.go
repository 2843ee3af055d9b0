package mongotest

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// startServer runs a server for one test and gives a collection on it.
func startServer(t *testing.T, serverOptions Options) (*Server, *mongo.Collection) {
	t.Helper()
	server, err := Start(serverOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, connect(t, server.URI())
}

func connect(t testing.TB, uri string) *mongo.Collection {
	t.Helper()
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(uri).SetServerSelectionTimeout(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return client.Database("dowel").Collection("connections")
}

func mustInsert(t testing.TB, collection *mongo.Collection, documents ...any) {
	t.Helper()
	if _, err := collection.InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
}

func mustIndex(t testing.TB, collection *mongo.Collection, keys bson.D, indexOptions *options.IndexOptions) {
	t.Helper()
	if _, err := collection.Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: keys, Options: indexOptions}); err != nil {
		t.Fatal(err)
	}
}

// mustFind gives the document with this _id, without the _id.
func mustFind(t *testing.T, collection *mongo.Collection, id any) bson.D {
	t.Helper()
	var found bson.D
	err := collection.FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&found)
	if err != nil {
		t.Fatal(err)
	}
	return found[1:]
}

func mustCount(t *testing.T, collection *mongo.Collection, filter bson.D, want int64) {
	t.Helper()
	got, err := collection.CountDocuments(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("count %v: got %d, want %d", filter, got, want)
	}
}
