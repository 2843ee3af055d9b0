package mongotest

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func TestRestartKeepsWhatWasWritten(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first, err := Start(Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	collection := connect(t, first.URI())
	mustIndex(t, collection, bson.D{{Key: "issuer", Value: 1}, {Key: "subject", Value: 1}}, options.Index().SetUnique(true))
	mustInsert(t, collection, identity("1", "a", "x"), identity("2", "a", "y"), identity("3", "a", "z"))
	if _, err := collection.UpdateByID(t.Context(), "1", bson.D{{Key: "$inc", Value: bson.D{{Key: "version", Value: int64(1)}}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := collection.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: "2"}}); err != nil {
		t.Fatal(err)
	}
	gone := collection.Database().Collection("gone")
	mustInsert(t, gone, bson.D{})
	if err := gone.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	address := first.listener.Addr().String()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	tear(t, data)

	second, err := Start(Options{Data: data, Listen: address})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	want := bson.D{{Key: "issuer", Value: "a"}, {Key: "subject", Value: "x"}, {Key: "version", Value: int64(1)}}
	if got := mustFind(t, collection, "1"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	mustCount(t, collection, bson.D{}, 2)
	mustCount(t, gone, bson.D{}, 0)
	_, err = collection.InsertOne(t.Context(), identity("4", "a", "x"))
	wantDuplicate(t, err)
	mustInsert(t, collection, identity("5", "a", "y"))
}

// tear leaves the beginning of an entry at the end of the file, as a kill in
// the middle of a write does.
func tear(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write([]byte{200, 0, 0, 0, 2, 'o', 'p'}); err != nil {
		t.Fatal(err)
	}
}
