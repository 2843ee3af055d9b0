package mongotest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func TestRacingForAFreeLeaseHasOneWinner(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	tests := []struct {
		name  string
		lease bson.D
		want  int32
	}{
		{name: "never leased", lease: nil, want: 1},
		{name: "run out this very millisecond", lease: bson.D{{Key: "until", Value: now}}, want: 1},
		{name: "running for one more millisecond", lease: bson.D{{Key: "until", Value: now.Add(time.Millisecond)}}, want: 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, collection := startServer(t, Options{})
			document := bson.D{{Key: "_id", Value: "conn"}, {Key: "fence", Value: int64(7)}}
			if tt.lease != nil {
				document = append(document, bson.E{Key: "lease", Value: tt.lease})
			}
			mustInsert(t, collection, document)
			filter := bson.D{{Key: "_id", Value: "conn"}, {Key: "$or", Value: bson.A{
				bson.D{{Key: "lease.until", Value: bson.D{{Key: "$lte", Value: now}}}},
				bson.D{{Key: "lease.until", Value: bson.D{{Key: "$exists", Value: false}}}},
			}}}
			update := bson.D{
				{Key: "$set", Value: bson.D{{Key: "lease.until", Value: now.Add(time.Minute)}}},
				{Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}},
			}
			var winners atomic.Int32
			var racing sync.WaitGroup
			for range 32 {
				racing.Go(func() {
					err := collection.FindOneAndUpdate(t.Context(), filter, update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Err()
					if err == nil {
						winners.Add(1)
					} else if !errors.Is(err, mongo.ErrNoDocuments) {
						t.Error(err)
					}
				})
			}
			racing.Wait()
			if got := winners.Load(); got != tt.want {
				t.Errorf("got %d winners, want %d", got, tt.want)
			}
			fence := field(mustFind(t, collection, "conn"), "fence")
			if want := int64(7 + tt.want); fence != want {
				t.Errorf("fence: got %v, want %v", fence, want)
			}
		})
	}
}

func TestConcurrentIncrementsAreAllCounted(t *testing.T) {
	_, collection := startServer(t, Options{})
	mustInsert(t, collection, bson.D{{Key: "_id", Value: "n"}, {Key: "count", Value: int64(0)}})
	var racing sync.WaitGroup
	for range 20 {
		racing.Go(func() {
			for range 20 {
				if _, err := collection.UpdateByID(t.Context(), "n", bson.D{{Key: "$inc", Value: bson.D{{Key: "count", Value: 1}}}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	racing.Wait()
	if got := field(mustFind(t, collection, "n"), "count"); got != int64(400) {
		t.Errorf("got %v, want 400", got)
	}
}

func TestTakingADocumentHasOneTaker(t *testing.T) {
	_, collection := startServer(t, Options{})
	mustInsert(t, collection, bson.D{{Key: "_id", Value: "flow"}, {Key: "sealed", Value: []byte("x")}})
	var takers atomic.Int32
	var racing sync.WaitGroup
	for range 32 {
		racing.Go(func() {
			if collection.FindOneAndDelete(t.Context(), bson.D{{Key: "_id", Value: "flow"}}).Err() == nil {
				takers.Add(1)
			}
		})
	}
	racing.Wait()
	if got := takers.Load(); got != 1 {
		t.Errorf("got %d takers, want 1", got)
	}
	mustCount(t, collection, bson.D{}, 0)
}

func TestWriteWhoseAnswerWasLostIsNotDoneTwice(t *testing.T) {
	server, collection := startServer(t, Options{})
	mustInsert(t, collection, bson.D{{Key: "_id", Value: "conn"}, {Key: "fence", Value: int64(1)}})
	server.Faults.Fail(Failure{Command: "findAndModify", AfterRunning: true})
	var got bson.D
	err := collection.FindOneAndUpdate(t.Context(), bson.D{{Key: "_id", Value: "conn"}, {Key: "fence", Value: int64(1)}},
		bson.D{{Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}}},
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&got)
	if err != nil {
		t.Fatalf("the repetition must be told what the first try did: %v", err)
	}
	if fence := field(got, "fence"); fence != int64(2) {
		t.Errorf("fence: got %v, want 2", fence)
	}
}
