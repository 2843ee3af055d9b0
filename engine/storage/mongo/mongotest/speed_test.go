package mongotest

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

const benchDocuments = 2000

// benchConnections stores documents as a busy tenant's connections look: 2 KiB,
// one unique and two plain indexes. The document i is due i seconds after now.
func benchConnections(b *testing.B, now time.Time) *mongo.Collection {
	b.Helper()
	server, err := Start(Options{Data: filepath.Join(b.TempDir(), "data")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Close() })
	collection := connect(b, server.URI())
	mustIndex(b, collection, bson.D{{Key: "tenant", Value: 1}}, nil)
	mustIndex(b, collection, bson.D{{Key: "status", Value: 1}, {Key: "refresh_at", Value: 1}}, nil)
	mustIndex(b, collection, bson.D{{Key: "subject", Value: 1}}, options.Index().SetUnique(true))
	for i := range benchDocuments {
		mustInsert(b, collection, bson.D{
			{Key: "_id", Value: fmt.Sprint("conn_", i)},
			{Key: "tenant", Value: fmt.Sprint("t", i%20)},
			{Key: "subject", Value: fmt.Sprint("s", i)},
			{Key: "status", Value: "active"},
			{Key: "refresh_at", Value: now.Add(time.Duration(i) * time.Second)},
			{Key: "credential", Value: make([]byte, 2048)},
		})
	}
	return collection
}

// BenchmarkCommands measures the server behind a real socket and driver, with
// 200 goroutines at once.
func BenchmarkCommands(b *testing.B) {
	now := time.Now()
	collection := benchConnections(b, now)
	increment := bson.D{{Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}}}
	byID := func(i int64) bson.D { return bson.D{{Key: "_id", Value: fmt.Sprint("conn_", i%benchDocuments)}} }
	b.Run("find by id", func(b *testing.B) {
		inParallel(b, func(i int64) error { return collection.FindOne(b.Context(), byID(i)).Err() })
	})
	b.Run("find and update by id", func(b *testing.B) {
		inParallel(b, func(i int64) error { return collection.FindOneAndUpdate(b.Context(), byID(i), increment).Err() })
	})
	b.Run("find and update by unique index", func(b *testing.B) {
		inParallel(b, func(i int64) error {
			return collection.FindOneAndUpdate(b.Context(), bson.D{{Key: "subject", Value: fmt.Sprint("s", i%benchDocuments)}}, increment).Err()
		})
	})
	b.Run("find 20 due", func(b *testing.B) {
		due := bson.D{{Key: "status", Value: "active"}, {Key: "refresh_at", Value: bson.D{{Key: "$lte", Value: now.Add(19 * time.Second)}}}}
		ordered := options.Find().SetSort(bson.D{{Key: "refresh_at", Value: 1}}).SetProjection(bson.D{{Key: "tenant", Value: 1}})
		inParallel(b, func(int64) error {
			cursor, err := collection.Find(b.Context(), due, ordered)
			if err != nil {
				return err
			}
			return cursor.Close(b.Context())
		})
	})
	b.Run("insert", func(b *testing.B) {
		audit := collection.Database().Collection("audit")
		inParallel(b, func(int64) error {
			_, err := audit.InsertOne(b.Context(), bson.D{{Key: "kind", Value: "credential.refreshed"}})
			return err
		})
	})
}

func inParallel(b *testing.B, run func(i int64) error) {
	b.Helper()
	var next atomic.Int64
	var running sync.WaitGroup
	b.ResetTimer()
	for range 200 {
		running.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := run(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}
