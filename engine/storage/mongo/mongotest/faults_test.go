package mongotest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

func TestControlSetsFaults(t *testing.T) {
	server, collection := startServer(t, Options{})
	control := httptest.NewServer(server.Faults.Control())
	defer control.Close()
	post := func(path string, want int) {
		t.Helper()
		answer, err := http.Post(control.URL+path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Fatalf("POST %s: got %d, want %d", path, answer.StatusCode, want)
		}
	}
	post("/fail?command=insert&code=50&times=2", http.StatusNoContent)
	for i := range 3 {
		_, err := collection.InsertOne(t.Context(), bson.D{{Key: "_id", Value: i}})
		failed, _ := errors.AsType[mongo.CommandError](err)
		if want := int32(50); i < 2 && failed.Code != want || i == 2 && err != nil {
			t.Errorf("insert %d: got %v, want code %d twice, then none", i, err, want)
		}
	}
	post("/latency?ms=150", http.StatusNoContent)
	began := time.Now()
	mustCount(t, collection, bson.D{}, 1)
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("took %v, want at least 150ms", took)
	}
	post("/clock?ms=-60000", http.StatusNoContent)
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	if err := collection.Database().RunCommand(t.Context(), bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		t.Fatal(err)
	}
	if behind := time.Since(hello.LocalTime); behind < 59*time.Second || behind > 65*time.Second {
		t.Errorf("clock is %v behind, want one minute", behind)
	}
	post("/fail?command=find&code=50&times=9", http.StatusNoContent)
	post("/reset", http.StatusNoContent)
	if _, err := collection.Find(t.Context(), bson.D{}); err != nil {
		t.Errorf("a failure outlived the reset: %v", err)
	}
	post("/latency?ms=soon", http.StatusBadRequest)
	post("/fail?code=x", http.StatusBadRequest)
}

func TestDriverRepeatsAWriteAfterARetryableError(t *testing.T) {
	server, collection := startServer(t, Options{})
	const interruptedDueToStateChange = 11602
	server.Faults.Fail(Failure{Command: "insert", Code: interruptedDueToStateChange})
	mustInsert(t, collection, bson.D{{Key: "_id", Value: 1}})
	mustCount(t, collection, bson.D{}, 1)
}

func TestPortableOnly(t *testing.T) {
	_, collection := startServer(t, Options{})
	inTransaction := func() error {
		session, err := collection.Database().Client().StartSession()
		if err != nil {
			return nil
		}
		defer session.EndSession(t.Context())
		_, err = session.WithTransaction(t.Context(), func(ctx mongo.SessionContext) (any, error) {
			return collection.InsertOne(ctx, bson.D{})
		})
		return err
	}
	find := func(filter bson.D) func() error {
		return func() error { _, err := collection.Find(t.Context(), filter); return err }
	}
	update := func(filter bson.D, update any) func() error {
		return func() error { _, err := collection.UpdateOne(t.Context(), filter, update); return err }
	}
	unset := mongo.Pipeline{{{Key: "$unset", Value: "a"}}}
	tests := []struct {
		name string
		run  func() error
	}{
		{"transaction", inTransaction},
		{"regular expression", find(bson.D{{Key: "a", Value: bson.D{{Key: "$regex", Value: "^x"}}}})},
		{"$expr in an update", update(bson.D{{Key: "$expr", Value: bson.D{{Key: "$eq", Value: bson.A{"$a", 1}}}}}, bson.D{{Key: "$set", Value: bson.D{{Key: "a", Value: 1}}}})},
		{"$where", find(bson.D{{Key: "$where", Value: "true"}})},
		{"unknown update operator", update(bson.D{}, bson.D{{Key: "$bit", Value: bson.D{{Key: "a", Value: bson.D{{Key: "or", Value: 1}}}}}})},
		{"pipeline update", update(bson.D{}, unset)},
		{"pipeline find and update", func() error { return collection.FindOneAndUpdate(t.Context(), bson.D{}, unset).Err() }},
		{"change stream", func() error { _, err := collection.Watch(t.Context(), mongo.Pipeline{}); return err }},
		{"$lookup", func() error {
			_, err := collection.Aggregate(t.Context(), mongo.Pipeline{{{Key: "$lookup", Value: bson.D{}}}})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.run()
			if _, refused := errors.AsType[mongo.ServerError](err); !refused || errors.Is(err, mongo.ErrNoDocuments) {
				t.Errorf("got %v, want the server's refusal", err)
			}
		})
	}
}
