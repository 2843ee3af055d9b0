package bench

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
	"dowel/engine/token"
)

// The refresh benchmark's size: due connections, the provider's time, and how many at once.
const (
	dueConnections = 10_000
	latency        = 20 * time.Millisecond
	pool           = 64
)

// counting counts the calls of the store that a refresh makes.
type counting struct {
	storage.Store
	n atomic.Int64
}

func (c *counting) Connection(ctx context.Context, r storage.Ref) (storage.Connection, error) {
	c.n.Add(1)
	return c.Store.Connection(ctx, r)
}

func (c *counting) AcquireLease(
	ctx context.Context, read storage.Connection, a *storage.Attempt, holder string, ttl time.Duration,
) (storage.Lease, bool, error) {
	c.n.Add(1)
	return c.Store.AcquireLease(ctx, read, a, holder, ttl)
}

func (c *counting) UpdateLeased(ctx context.Context, l storage.Lease, change func(*storage.Connection) error) (storage.Connection, error) {
	c.n.Add(1)
	return c.Store.UpdateLeased(ctx, l, change)
}

func (c *counting) ReleaseLease(ctx context.Context, l storage.Lease) error {
	c.n.Add(1)
	return c.Store.ReleaseLease(ctx, l)
}

func (c *counting) App(ctx context.Context, r storage.Ref) (storage.App, error) {
	c.n.Add(1)
	return c.Store.App(ctx, r)
}

// cpuTime is the time this process has spent on all cores.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRefresh renews many due connections and compares the time with what the provider alone
// would take.
func BenchmarkRefresh(b *testing.B) {
	store, err := sqlite.Open(b.Context(), b.TempDir()+"/bench.db")
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	count := &counting{Store: store}
	h := build(b, count, latency, 0)
	past := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute)
	for i := range dueConnections {
		h.connectAs(b, tenants[i%len(tenants)], connectors[i/len(tenants)%len(connectors)], fmt.Sprintf("conn_%05d", i), 600, past.Add(time.Hour), past)
	}
	count.n.Store(0)
	cpu := cpuTime(b)
	sweeper := token.Sweeper{Source: h.Source, Pool: pool}
	start := time.Now()
	if err := sweeper.Sweep(b.Context()); err != nil {
		b.Fatal(err)
	}
	took := time.Since(start)
	ideal := time.Duration(dueConnections) * latency / pool
	report("refresh_throughput", took.Seconds()/ideal.Seconds())
	report("refresh_per_second", int(dueConnections/took.Seconds()))
	// What limits it: near 1, every core is busy with the house, its store and the provider beside it.
	report("refresh_cpu_busy", (cpuTime(b)-cpu).Seconds()/took.Seconds()/float64(runtime.NumCPU()))
	report("refresh_db_ops", float64(count.n.Load())/dueConnections)
}
