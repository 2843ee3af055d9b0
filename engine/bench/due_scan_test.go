package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
)

// BenchmarkDueScan compares finding 200 due connections among many with finding them among few.
func BenchmarkDueScan(b *testing.B) {
	few := dueScan(b, 10_000)
	many := dueScan(b, 200_000)
	report("due_scan_growth", many/few)
	report("due_scan_ms", many*1000)
}

// dueScan returns the seconds one scan takes with n connections, 200 of them due.
func dueScan(b *testing.B, n int) float64 {
	store, err := sqlite.Open(b.Context(), b.TempDir()+"/bench.db")
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	now := time.Now().UTC().Truncate(time.Millisecond)
	var wg sync.WaitGroup
	const writers = 200
	for w := range writers {
		wg.Go(func() {
			for i := w; i < n; i += writers {
				c := storage.Connection{
					Ref: storage.Ref{Tenant: fmt.Sprintf("tenant_%02d", i%20), ID: fmt.Sprintf("conn_%06d", i)}, Revision: 1, Version: 1,
					Connector: "bench", Auth: "oauth", Status: storage.Active, CreatedAt: now, UpdatedAt: now, RefreshAt: now.Add(time.Hour),
				}
				if i%(n/200) == 0 {
					c.RefreshAt = now.Add(-time.Minute)
				}
				if err := store.CreateConnection(b.Context(), c); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	var times []float64
	for range 101 {
		start := time.Now()
		due, err := store.DueConnections(b.Context(), now, 500, 1000)
		if err != nil || len(due) != 200 {
			b.Fatalf("%d due, %v", len(due), err)
		}
		times = append(times, time.Since(start).Seconds())
	}
	return median(times)
}
