package bench

import (
	"io/fs"
	"runtime"
	"testing"
	"time"

	"dowel/connectors"
	"dowel/engine/definition"
)

// BenchmarkCatalog measures the whole catalogue: how long it takes to read and compile all of it, to look
// for every rule's breaches, to work out a template, and what it holds in memory.
func BenchmarkCatalog(b *testing.B) {
	files, err := fs.ReadDir(connectors.FS, ".")
	if err != nil {
		b.Fatal(err)
	}
	report("definitions", len(files))
	var loads, opens, lints []float64
	for range 9 {
		loads = append(loads, milliseconds(func() {
			if _, _, err := definition.Load(connectors.FS); err != nil {
				b.Fatal(err)
			}
		}))
		opens = append(opens, milliseconds(func() {
			if _, err := definition.Open(connectors.FS); err != nil {
				b.Fatal(err)
			}
		}))
		lints = append(lints, milliseconds(func() {
			if _, err := definition.Lint(connectors.FS); err != nil {
				b.Fatal(err)
			}
		}))
	}
	report("definitions_load_ms", median(loads))
	report("definitions_open_ms", median(opens))
	report("lint_all_ms", median(lints))
	report("catalog_rss_mib", held(b))
	report("template_eval_ns", templateNS(b))
}

func milliseconds(f func()) float64 {
	began := time.Now()
	f()
	return float64(time.Since(began).Microseconds()) / 1000
}

// held is what the compiled catalogue keeps in memory, in MiB.
func held(b *testing.B) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c, _, err := definition.Load(connectors.FS)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(c)
	return float64(after.HeapAlloc-before.HeapAlloc) / (1 << 20)
}

// templateNS is how long one address with a value in it takes to fill, in nanoseconds.
func templateNS(b *testing.B) float64 {
	catalog, err := definition.Open(connectors.FS)
	if err != nil {
		b.Fatal(err)
	}
	k, err := catalog.Current(b.Context(), "", "zendesk")
	if err != nil {
		b.Fatal(err)
	}
	env := definition.Env{"inputs": map[string]any{"subdomain": "acme"}}
	const rounds = 200_000
	ms := milliseconds(func() {
		for range rounds {
			if _, err := k.API.BaseURL.FillURL(env); err != nil {
				b.Fatal(err)
			}
		}
	})
	return ms * 1e6 / rounds
}
