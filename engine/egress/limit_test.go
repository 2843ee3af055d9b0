package egress

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dowel/engine/fault"
)

// zeros is an endless stream.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAnswerIsCappedAfterInflation(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"plain": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, io.LimitReader(zeros{}, 200<<20))
		},
		"gzip bomb": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.Copy(z, io.LimitReader(zeros{}, 200<<20))
			_ = z.Close()
		},
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			s, server := provider(t, Policy{}, h)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := s.Do(t.Context(), get(t, server.URL))
			runtime.ReadMemStats(&after)
			if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Public(err), "too large") || !Sent(err) {
				t.Errorf("Do: %v", err)
			}
			// Everything allocated, the server's part included, freed or not.
			if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 20 {
				t.Errorf("%d MiB were allocated for an answer that is refused", got)
			}
		})
	}
}

func TestAnswerOfExactlyTheLimitIsTaken(t *testing.T) {
	s, server := provider(t, Policy{MaxBody: 1000}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.Copy(z, io.LimitReader(zeros{}, 1000))
		_ = z.Close()
	})
	req := get(t, server.URL)
	req.Header.Set("Accept-Encoding", "br") // Not the caller's to say.
	if got, err := s.Do(t.Context(), req); err != nil || len(got.Body) != 1000 {
		t.Errorf("Do: %v", err)
	}
}

func TestAnswersThatCannotBeReadAreRefused(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"endless header": func(w http.ResponseWriter, r *http.Request) {
			for range 2000 {
				w.Header().Add("X-Filler", strings.Repeat("x", 100))
			}
		},
		"unknown encoding": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Encoding", "br") },
		"not gzip": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "plain")
		},
		"cut short": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		},
	}
	for name, h := range tests {
		s, server := provider(t, Policy{}, h)
		for _, do := range []func(context.Context, *http.Request) (*Response, error){s.Do, s.DoOnce} {
			if _, err := do(t.Context(), post(t, server.URL, "x")); fault.KindOf(err) != fault.Unavailable || !Sent(err) {
				t.Errorf("%s: %v, sent %t", name, err, Sent(err))
			}
		}
	}
}

func TestDeadlineIsForTheWholeCall(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	tests := map[string]http.HandlerFunc{
		"no answer": func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
		"a byte now and then": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(" ")); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		},
	}
	for name, h := range tests {
		s, server := provider(t, Policy{Timeout: 300 * time.Millisecond}, h)
		start := time.Now()
		_, err := s.DoOnce(t.Context(), post(t, server.URL, "x"))
		if fault.KindOf(err) != fault.Timeout || !Sent(err) {
			t.Errorf("%s: %v, sent %t", name, err, Sent(err))
		}
		if took := time.Since(start); took < 250*time.Millisecond || took > time.Second {
			t.Errorf("%s: took %s, want about 300ms", name, took)
		}
	}
}

func TestCallsToOneHostWaitForEachOtherAndNotForOthers(t *testing.T) {
	var now, most atomic.Int32
	release := make(chan struct{})
	h := func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-release
		now.Add(-1)
	}
	s, server := provider(t, Policy{PerHost: 3}, h)
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			if _, err := s.Do(t.Context(), get(t, server.URL)); err != nil {
				t.Error(err)
			}
		})
	}
	for now.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := s.Do(ctx, get(t, server.URL)); Sent(err) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a call that found no slot: %v, sent %t", err, Sent(err))
	}
	close(release)
	group.Wait()
	if most.Load() != 3 {
		t.Errorf("%d calls at once, want 3", most.Load())
	}
	if n := len(s.client.gates.hosts); n != 0 {
		t.Errorf("%d gates are left behind", n)
	}
}

func TestGateHoldsOneHostOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gates{limit: 1, hosts: map[string]*gate{}}
		leave, err := g.enter(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		other, err := g.enter(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		other()
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if _, err := g.enter(ctx, "a"); err == nil {
			t.Error("a second caller entered")
		}
		leave()
		if again, err := g.enter(t.Context(), "a"); err != nil {
			t.Error(err)
		} else {
			again()
		}
	})
}
