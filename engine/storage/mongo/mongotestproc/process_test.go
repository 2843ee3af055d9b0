package mongotestproc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"dowel/engine/storage/mongo/mongotestproc"
)

func start(t *testing.T) (*mongotestproc.Process, *mongo.Collection) {
	t.Helper()
	p := mongotestproc.Start(t)
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(p.URI()).SetServerSelectionTimeout(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	collection := client.Database("dowel").Collection("connections")
	if _, err := collection.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "c"}, {Key: "fence", Value: int64(1)}}); err != nil {
		t.Fatal(err)
	}
	return p, collection
}

func fence(t *testing.T, collection *mongo.Collection, within time.Duration) (int64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var found struct{ Fence int64 }
	err := collection.FindOne(ctx, bson.D{{Key: "_id", Value: "c"}}).Decode(&found)
	return found.Fence, err
}

func raiseFence(t *testing.T, collection *mongo.Collection) error {
	t.Helper()
	_, err := collection.UpdateByID(t.Context(), "c", bson.D{{Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}}})
	return err
}

func wantFence(t *testing.T, collection *mongo.Collection, want int64) {
	t.Helper()
	if got, err := fence(t, collection, 10*time.Second); err != nil || got != want {
		t.Errorf("fence: got %d, %v, want %d", got, err, want)
	}
}

func TestPauseAndResume(t *testing.T) {
	p, collection := start(t)
	p.Pause()
	if _, err := fence(t, collection, 300*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("paused: got %v, want the deadline", err)
	}
	p.Resume()
	wantFence(t, collection, 1)
}

func TestRestartKeepsPortAndData(t *testing.T) {
	p, collection := start(t)
	if err := raiseFence(t, collection); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if _, err := fence(t, collection, 300*time.Millisecond); err == nil {
		t.Error("a killed server answered")
	}
	p.Restart()
	wantFence(t, collection, 2)
	p.Pause()
	p.Restart()
	wantFence(t, collection, 2)
}

func TestFaults(t *testing.T) {
	p, collection := start(t)
	const unauthorized = 13
	p.Fail("update", unauthorized, 1)
	if failed, _ := errors.AsType[mongo.CommandError](raiseFence(t, collection)); failed.Code != unauthorized {
		t.Errorf("got code %d, want %d", failed.Code, unauthorized)
	}
	wantFence(t, collection, 1)

	// A driver repeats a write once: two drops are one failed write.
	p.Drop("update", 2)
	if err := raiseFence(t, collection); err == nil {
		t.Error("a dropped write was acknowledged")
	}
	wantFence(t, collection, 1)

	p.LoseAnswer("update", 1)
	if err := raiseFence(t, collection); err != nil {
		t.Errorf("the repetition was not told: %v", err)
	}
	wantFence(t, collection, 2)

	p.Latency(150 * time.Millisecond)
	if _, err := fence(t, collection, 100*time.Millisecond); err == nil {
		t.Error("answered before the latency was over")
	}
	p.Heal()
	wantFence(t, collection, 2)

	p.ClockOffset(time.Hour)
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	if err := collection.Database().RunCommand(t.Context(), bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		t.Fatal(err)
	}
	if ahead := time.Until(hello.LocalTime); ahead < 59*time.Minute {
		t.Errorf("clock is %v ahead, want an hour", ahead)
	}
}
