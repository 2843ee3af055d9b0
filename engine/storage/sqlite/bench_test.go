package sqlite

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"dowel/engine/storage"
	"dowel/engine/storage/storagetest"
)

// BenchmarkDueScan prints how much longer it takes to find 200 due connections among 200,000 than
// among 10,000, in a file. It is read as "bench due_scan_growth <ratio>".
func BenchmarkDueScan(b *testing.B) {
	const due, tenants = 200, 50
	small, large := filledStore(b, 10_000, due, tenants), filledStore(b, 200_000, due, tenants)
	now := time.Now()
	scan := func(s *Store) time.Duration {
		begin := time.Now()
		list, err := s.DueConnections(b.Context(), now, due, due)
		if err != nil || len(list) != due {
			b.Fatalf("%d due, %v; want %d", len(list), err, due)
		}
		return time.Since(begin)
	}
	var few, many []time.Duration
	for b.Loop() {
		// In turn: what disturbs the machine disturbs both.
		few, many = append(few, scan(small)), append(many, scan(large))
	}
	slices.Sort(few)
	slices.Sort(many)
	growth := float64(many[len(many)/2]) / float64(few[len(few)/2])
	b.ReportMetric(growth, "growth")
	b.ReportMetric(float64(many[len(many)/2].Microseconds()), "µs/scan")
	fmt.Printf("bench due_scan_growth %.2f\n", growth)
}

// filledStore returns a store with so many connections in so many tenants, of which some are due.
func filledStore(b *testing.B, size, due, tenants int) *Store {
	b.Helper()
	s, err := Open(b.Context(), b.TempDir()+"/dowel.db")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	sample := storagetest.Connection("", "")
	now := time.Now()
	// Many in a transaction: one by one would be most of the time.
	for begin := 0; begin < size; begin += 5_000 {
		err := s.writeAll(b.Context(), func(tx *transaction) error {
			for i := begin; i < min(begin+5_000, size); i++ {
				c := sample
				c.Ref = storage.Ref{Tenant: fmt.Sprint("tenant ", i%tenants), ID: fmt.Sprint("conn_", i)}
				c.RefreshAt = now.Add(time.Hour + time.Duration(i)*time.Second)
				if i%(size/due) == 0 {
					c.RefreshAt = now.Add(-time.Duration(i) * time.Second)
				}
				query, args, err := s.connections.insert(&c)
				if err != nil {
					return err
				}
				if _, err := tx.exec(query, args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	s.settle()
	return s
}

// BenchmarkConnection reads one of 10,000 connections with a sealed credential of 2 KiB.
func BenchmarkConnection(b *testing.B) {
	s := filledStore(b, 10_000, 200, 50)
	ref := storage.Ref{Tenant: "tenant 0", ID: "conn_50"}
	_, err := s.UpdateConnection(b.Context(), ref, func(c *storage.Connection) error {
		c.Credential, c.Previous = make([]byte, 2048), nil
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Connection(b.Context(), ref); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdate is what 64 callers at once get written, each to a record of its own, every write on
// the disk before it is answered.
func BenchmarkUpdate(b *testing.B) {
	s := filledStore(b, 10_000, 200, 50)
	var next atomic.Int64
	b.ResetTimer()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := next.Add(1) % 10_000
			ref := storage.Ref{Tenant: fmt.Sprint("tenant ", i%50), ID: fmt.Sprint("conn_", i)}
			_, err := s.UpdateConnection(context.Background(), ref, func(c *storage.Connection) error { c.Version++; return nil })
			if err != nil {
				b.Error(err)
			}
		}
	})
}
