package bench

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"dowel/engine/secret"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
	"dowel/engine/token"
)

// The load on both servers, and how long one round lasts. Rounds alternate, so that what else the
// machine does falls on both.
const (
	connections = 64
	round       = 1500 * time.Millisecond
	rounds      = 7
	tokenSize   = 2 << 10
)

// BenchmarkTokenRead compares the token route with a bare Fiber route that answers the same bytes.
func BenchmarkTokenRead(b *testing.B) {
	store, err := sqlite.Open(b.Context(), b.TempDir()+"/bench.db")
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	h := build(b, store, 0, 0)
	defer h.serve(b)()
	far := time.Now().UTC().Truncate(time.Millisecond).Add(time.Hour)
	for i := range connections {
		h.connect(b, fmt.Sprintf("conn_%02d", i), tokenSize, far, far.Add(-5*time.Minute))
	}
	ours := func(i int) string { return fmt.Sprintf("%s/api/v1/connections/conn_%02d/token", h.url, i) }
	body := get(b, ours(0), h.key)
	bare := bareServer(b, body)
	var ratios, p99s []float64
	var rate float64
	for range rounds {
		r1, p1 := load(b, ours, h.key)
		r2, p2 := load(b, func(int) string { return bare }, h.key)
		ratios, p99s, rate = append(ratios, r1/r2), append(p99s, p1.Seconds()/p2.Seconds()), r1
	}
	report("token_read_ratio", median(ratios))
	report("token_read_p99_ratio", median(p99s))
	report("token_read_per_second", int(rate))
	report("token_read_bytes", len(body))
	report("token_read_allocs", int(testing.AllocsPerRun(2000, func() {
		if _, err := h.Source.Token(context.Background(), storage.Ref{Tenant: tenant, ID: "conn_00"}, token.Wish{}); err != nil {
			b.Fatal(err)
		}
	})))
}

// BenchmarkTokenReadCold compares an uncached read with what it cannot do without: one read of the
// store and one opening.
func BenchmarkTokenReadCold(b *testing.B) {
	store, err := sqlite.Open(b.Context(), b.TempDir()+"/bench.db")
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	h := build(b, store, 0, -1)
	far := time.Now().UTC().Truncate(time.Millisecond).Add(time.Hour)
	h.connect(b, "conn_00", tokenSize, far, far.Add(-5*time.Minute))
	ref := storage.Ref{Tenant: tenant, ID: "conn_00"}
	floor := func() error {
		c, err := store.Connection(b.Context(), ref)
		if err != nil {
			return err
		}
		_, err = h.vault.Keyring.Open(b.Context(), secret.Binding{Tenant: tenant, Kind: "credential", ID: "conn_00"}, c.Credential)
		return err
	}
	var room []byte // the token route writes into room that it has at hand
	read := func() error {
		live, err := h.Source.Token(b.Context(), ref, token.Wish{})
		room = live.AppendJSON(room[:0])
		return err
	}
	var ratios []float64
	for range rounds {
		ratios = append(ratios, each(b, read)/each(b, floor))
	}
	report("token_read_cold_ratio", median(ratios))
}

// each returns the seconds one call takes, on average.
func each(b *testing.B, f func() error) float64 {
	const n = 3000
	start := time.Now()
	for range n {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start).Seconds() / n
}

func get(b *testing.B, url, key string) []byte {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	req.SetRequestURI(url)
	req.Header.Set("Authorization", "Bearer "+key)
	if err := fasthttp.Do(req, resp); err != nil || resp.StatusCode() != fasthttp.StatusOK {
		b.Fatalf("%v, status %d: %s", err, resp.StatusCode(), resp.Body())
	}
	return slices.Clone(resp.Body())
}

// bareServer answers body and does nothing else.
func bareServer(b *testing.B, body []byte) string {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/bare", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(body)
	})
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = app.Listener(ln) }()
	b.Cleanup(func() { _ = app.Shutdown() })
	return "http://" + ln.Addr().String() + "/bare"
}

// load asks for a round over connections that are kept alive, and returns requests per second and the
// 99th percentile of the time one takes.
func load(b *testing.B, url func(i int) string, key string) (rate float64, p99 time.Duration) {
	client := &fasthttp.Client{MaxConnsPerHost: connections}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	times := make([][]time.Duration, connections)
	start := time.Now()
	for i := range connections {
		wg.Go(func() {
			req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			req.SetRequestURI(url(i))
			req.Header.Set("Authorization", "Bearer "+key)
			for time.Since(start) < round {
				t := time.Now()
				if err := client.Do(req, resp); err != nil || resp.StatusCode() != fasthttp.StatusOK {
					b.Errorf("%v, status %d", err, resp.StatusCode())
					return
				}
				times[i] = append(times[i], time.Since(t))
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	all := slices.Concat(times...)
	slices.Sort(all)
	return float64(len(all)) / took.Seconds(), all[len(all)*99/100]
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
