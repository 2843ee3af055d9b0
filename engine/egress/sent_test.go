package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dowel/engine/fault"
)

// rough hands each connection and its number to serve, and returns where it listens.
func rough(t *testing.T, serve func(n int, conn net.Conn, r *bufio.Reader)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(n, conn, bufio.NewReader(conn))
			}()
		}
	}()
	return listener.Addr().String()
}

func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func plain(t *testing.T, host string) *Scoped {
	t.Helper()
	return scoped(t, Policy{AllowPrivate: loopback(), AllowHTTP: []string{host}, Timeout: 2 * time.Second},
		Scope{Hosts: []string{host, "no-such-name.invalid"}})
}

func TestSentIsFalseOnlyWhenNothingLeft(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	closed := gone.Listener.Addr().String()
	gone.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	noTLS := rough(t, func(_ int, conn net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(conn, "SSH-2.0-banner\r\n") })
	resets := rough(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
		reset(conn)
	})
	garbage := rough(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
		_, _ = io.WriteString(conn, "SSH-2.0-banner\r\n")
	})
	tests := []struct {
		name, host, address string
		want                bool
	}{
		{"refused", closed, "http://" + closed, false},
		{"no such name", closed, "https://no-such-name.invalid", false},
		{"untrusted certificate", untrusted.Listener.Addr().String(), untrusted.URL, false},
		{"no TLS", noTLS, "https://" + noTLS, false},
		{"reset after the request", resets, "http://" + resets, true},
		{"not HTTP", garbage, "http://" + garbage, true},
	}
	for _, tt := range tests {
		s := plain(t, tt.host)
		for _, do := range []func(context.Context, *http.Request) (*Response, error){s.Do, s.DoOnce} {
			for _, req := range []*http.Request{post(t, tt.address, "refresh_token=x"), get(t, tt.address)} {
				_, err := do(t.Context(), req)
				if Sent(err) != tt.want || fault.KindOf(err) != fault.Unavailable {
					t.Errorf("%s, %s: %v, kind %s, sent %t, want %t",
						tt.name, req.Method, err, fault.KindOf(err), Sent(err), tt.want)
				}
				if strings.Contains(fault.Public(err), "banner") || !tt.want && fault.Public(err) != "the provider could not be reached" {
					t.Errorf("%s: the caller is told %q", tt.name, fault.Public(err))
				}
			}
		}
	}
	if !Sent(errors.New("from elsewhere")) || !Sent(fmt.Errorf("wrapped: %w", fault.E(fault.Unavailable, "x", nil))) {
		t.Error("an error of which nothing is known counts as not sent")
	}
}

// TestDoOnceNeverWritesTwice lets the server answer one request on each
// connection and break the connection at the second, as a server does whose
// process dies: net/http then repeats what it takes for harmless.
func TestDoOnceNeverWritesTwice(t *testing.T) {
	var requests atomic.Int32
	host := rough(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		for i := range 2 {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			requests.Add(1)
			if i == 1 {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	tests := []struct {
		name      string
		req       func() *http.Request
		wantError bool
	}{
		{"POST on a kept connection", func() *http.Request { return post(t, "http://"+host, "x") }, true},
		{"POST with a key", func() *http.Request {
			req := post(t, "http://"+host, "x")
			req.Header.Set("Idempotency-Key", "k")
			return req
		}, false}, // On a connection of its own it is the first request.
		{"GET", func() *http.Request { return get(t, "http://"+host) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := plain(t, host)
			if _, err := s.DoOnce(t.Context(), tt.req()); err != nil {
				t.Fatal(err)
			}
			requests.Store(0)
			_, err := s.DoOnce(t.Context(), tt.req())
			if requests.Load() != 1 || (err != nil) != tt.wantError || !Sent(err) {
				t.Errorf("%d requests arrived, error %v, sent %t", requests.Load(), err, Sent(err))
			}
		})
	}
	s := plain(t, host)
	for range 2 {
		requests.Store(0)
		if _, err := s.Do(t.Context(), get(t, "http://"+host)); err != nil {
			t.Fatal(err)
		}
	}
	if requests.Load() != 2 {
		t.Errorf("Do sent a GET %d times over a breaking connection; the test proves nothing", requests.Load())
	}
}

// TestConnectionClosedWhileIdleIsReplaced: the server is gone before the second
// request is written, which therefore is sent, once, on a new connection.
func TestConnectionClosedWhileIdleIsReplaced(t *testing.T) {
	var requests atomic.Int32
	host := rough(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err == nil {
			requests.Add(1)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	s := plain(t, host)
	for i := range 20 {
		if _, err := s.DoOnce(t.Context(), post(t, "http://"+host, "")); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
	if requests.Load() != 20 {
		t.Errorf("%d requests arrived, want 20", requests.Load())
	}
}

func TestErrorsHoldNoSecretOfTheURL(t *testing.T) {
	s := plain(t, "127.0.0.1:1")
	const address = "http://127.0.0.1:1/bot-canary/x?access_token=canary"
	_, err := s.Do(t.Context(), get(t, address))
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "http://127.0.0.1:1") {
		t.Errorf("Do: %v; want the origin and no more", err)
	}
	req := get(t, "https://u:canary@127.0.0.1:1/?canary")
	if _, err := s.Do(t.Context(), req); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("userinfo: %v", err)
	}
}

func TestOldTLSIsNotSpoken(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	server.StartTLS()
	defer server.Close()
	policy := Policy{AllowPrivate: loopback(), ExtraCA: pem.EncodeToMemory(
		&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})}
	s := scoped(t, policy, Scope{Hosts: []string{server.Listener.Addr().String()}})
	_, err := s.Do(t.Context(), get(t, server.URL))
	if err == nil || Sent(err) || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
}
