package e2e

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// trap listens where nobody should call, and counts those who do.
type trap struct {
	address string // host and port
	calls   atomic.Int64
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &trap{address: ln.Addr().String()}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.calls.Add(1)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		if n := s.calls.Load(); n > 0 {
			t.Errorf("%d connections were made to %s", n, s.address)
		}
	})
	return s
}

func (s *trap) port() string {
	_, port, _ := net.SplitHostPort(s.address)
	return port
}

// provider is a provider of our own making, with TLS, on this machine. An instance calls it only with
// Settings.
type provider struct {
	*httptest.Server
	Host string // and port

	mu       sync.Mutex
	requests []string // what came, headers and body
}

func newProvider(t *testing.T, handle http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		p.mu.Lock()
		p.requests = append(p.requests, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-Key")+" "+r.PostForm.Encode())
		p.mu.Unlock()
		handle(w, r)
	}))
	t.Cleanup(p.Close)
	p.Host = strings.TrimPrefix(p.URL, "https://")
	return p
}

// Requests lists what came so far.
func (p *provider) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.requests...)
}

// Settings let an instance call the provider: its range of addresses and its certificate.
func (p *provider) Settings(t *testing.T) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"DOWEL_ALLOW_PRIVATE=127.0.0.0/8", "DOWEL_CA_FILE=" + file}
}
