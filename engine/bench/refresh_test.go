package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
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

// ideal is how long the provider alone would take for n renewals.
func ideal(n int) time.Duration { return time.Duration(n) * latency / pool }

// counting counts the calls of the store that a refresh makes, and how long it waits for its writes.
type counting struct {
	storage.Store
	n, waited atomic.Int64
}

func (c *counting) write(began time.Time) {
	c.n.Add(1)
	c.waited.Add(int64(time.Since(began)))
}

func (c *counting) Connection(ctx context.Context, r storage.Ref) (storage.Connection, error) {
	c.n.Add(1)
	return c.Store.Connection(ctx, r)
}

func (c *counting) AcquireLease(
	ctx context.Context, read storage.Connection, a *storage.Attempt, holder string, ttl time.Duration,
) (storage.Lease, bool, error) {
	defer c.write(time.Now())
	return c.Store.AcquireLease(ctx, read, a, holder, ttl)
}

func (c *counting) UpdateLeased(ctx context.Context, l storage.Lease, change func(*storage.Connection) error) (storage.Connection, error) {
	defer c.write(time.Now())
	return c.Store.UpdateLeased(ctx, l, change)
}

func (c *counting) ReleaseLease(ctx context.Context, l storage.Lease) error {
	defer c.write(time.Now())
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
// would take. Beside it stand what the same machine makes of the bare calls, and of the same renewals on
// a store in memory: what is between these and the figure is the price of the disk.
func BenchmarkRefresh(b *testing.B) {
	report("refresh_bare", bareCalls(b, dueConnections/2).Seconds()/ideal(dueConnections/2).Seconds())
	memory, err := sqlite.OpenMemory(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer memory.Close()
	took, _ := renewals(b, &counting{Store: memory}, dueConnections/2)
	report("refresh_throughput_memory", took.Seconds()/ideal(dueConnections/2).Seconds())

	store, err := sqlite.Open(b.Context(), b.TempDir()+"/bench.db")
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	count := &counting{Store: store}
	took, cpu := renewals(b, count, dueConnections)
	report("refresh_throughput", took.Seconds()/ideal(dueConnections).Seconds())
	// What the figure would be if the store took no time to write: near 1, its commits are the limit, and
	// neither the provider nor the processors are.
	waited := time.Duration(count.waited.Load()) / pool
	report("refresh_throughput_but_writes", (took-waited).Seconds()/ideal(dueConnections).Seconds())
	report("refresh_per_second", int(dueConnections/took.Seconds()))
	// Near 1, every core is busy with the house, its store and the provider beside it.
	report("refresh_cpu_busy", cpu.Seconds()/took.Seconds()/float64(runtime.NumCPU()))
	report("refresh_db_ops", float64(count.n.Load())/dueConnections)
	report("refresh_write_wait_ms", float64(count.waited.Load())/dueConnections/1e6)
	report("refresh_disk_sync_ms", diskSync(b).Seconds()*1000)
}

// renewals makes n due connections on store and returns how long a sweep takes to renew them, and what
// time it spends on all cores.
func renewals(b *testing.B, store *counting, n int) (took, cpu time.Duration) {
	h := build(b, store, latency, 0)
	past := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute)
	for i := range n {
		h.connectAs(b, tenants[i%len(tenants)], providers[i/len(tenants)%len(providers)], fmt.Sprintf("conn_%05d", i), 600, past.Add(time.Hour), past)
	}
	runtime.GC()
	store.n.Store(0)
	store.waited.Store(0)
	sweeper := token.Sweeper{Source: h.Source, Pool: pool}
	start, before := time.Now(), cpuTime(b)
	if err := sweeper.Sweep(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(start), cpuTime(b) - before
}

// bareCalls asks the provider n times, as many at once as the sweep may, and does nothing else.
func bareCalls(b *testing.B, n int) time.Duration {
	to := provider(b, latency).String() + "/token"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: pool}}
	defer client.CloseIdleConnections()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {strings.Repeat("r", 600)}, "client_id": {"client"}}.Encode()
	var begun atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range pool {
		group.Go(func() {
			for begun.Add(1) <= int64(n) {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, to, strings.NewReader(form))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

// diskSync is how long the disk takes to make sure of a few pages, as a commit has it do.
func diskSync(b *testing.B) time.Duration {
	file, err := os.Create(b.TempDir() + "/sync")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var times []time.Duration
	for range 200 {
		if _, err := file.Write(make([]byte, 40<<10)); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	return slices.Sorted(slices.Values(times))[len(times)/2]
}
