package mongotest

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// BenchmarkCommands measures the server behind a real socket and driver, over
// 2,000 documents of 2 KiB with a unique and two plain indexes, with 200
// goroutines at once.
func BenchmarkCommands(b *testing.B) {
	const documents = 2000
	server, err := Start(Options{Data: filepath.Join(b.TempDir(), "data")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Close() })
	collection := connect(b, server.URI())
	mustIndex(b, collection, bson.D{{Key: "tenant", Value: 1}}, nil)
	mustIndex(b, collection, bson.D{{Key: "status", Value: 1}, {Key: "refresh_at", Value: 1}}, nil)
	mustIndex(b, collection, bson.D{{Key: "subject", Value: 1}}, options.Index().SetUnique(true))
	now := time.Now()
	for i := range documents {
		mustInsert(b, collection, bson.D{
			{Key: "_id", Value: fmt.Sprint("conn_", i)}, {Key: "tenant", Value: fmt.Sprint("t", i%20)},
			{Key: "subject", Value: fmt.Sprint("s", i)}, {Key: "status", Value: "active"},
			{Key: "refresh_at", Value: now.Add(time.Duration(i) * time.Second)}, {Key: "credential", Value: make([]byte, 2048)},
		})
	}
	increment := bson.D{{Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}}}
	id := func(i int64) string { return fmt.Sprint("conn_", i%documents) }
	for _, bench := range []struct {
		name string
		run  func(i int64) error
	}{
		{"find by id", func(i int64) error {
			return collection.FindOne(b.Context(), bson.D{{Key: "_id", Value: id(i)}}).Err()
		}},
		{"find and update by id", func(i int64) error {
			return collection.FindOneAndUpdate(b.Context(), bson.D{{Key: "_id", Value: id(i)}}, increment).Err()
		}},
		{"find and update by unique index", func(i int64) error {
			return collection.FindOneAndUpdate(b.Context(), bson.D{{Key: "subject", Value: fmt.Sprint("s", i%documents)}}, increment).Err()
		}},
		{"find 20 due", func(i int64) error {
			due := bson.D{{Key: "status", Value: "active"}, {Key: "refresh_at", Value: bson.D{{Key: "$lte", Value: now.Add(19 * time.Second)}}}}
			cursor, err := collection.Find(b.Context(), due, options.Find().SetSort(bson.D{{Key: "refresh_at", Value: 1}}).SetProjection(bson.D{{Key: "tenant", Value: 1}}))
			if err == nil {
				err = cursor.Close(b.Context())
			}
			return err
		}},
		{"insert", func(i int64) error {
			_, err := collection.Database().Collection("audit").InsertOne(b.Context(), bson.D{{Key: "kind", Value: "credential.refreshed"}})
			return err
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var next atomic.Int64
			var running sync.WaitGroup
			b.ResetTimer()
			for range 200 {
				running.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if err := bench.run(i); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			running.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
		})
	}
}
