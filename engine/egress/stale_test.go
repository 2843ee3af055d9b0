package egress

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
)

// deaf is a connection that takes no byte once it is closed for writing.
type deaf struct {
	net.Conn
	closed *atomic.Bool
}

func (d deaf) Write(p []byte) (int, error) {
	if d.closed.Load() {
		return 0, errors.New("connection reset by peer")
	}
	return d.Conn.Write(p)
}

// TestNothingWrittenToADeadConnectionIsNotSent: the kept connection turns out
// dead before the first byte, and no new one is to be had.
func TestNothingWrittenToADeadConnectionIsNotSent(t *testing.T) {
	host := rough(t, func(_ int, conn net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	s := plain(t, host)
	var dead atomic.Bool
	s.client.providers.once.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dead.Load() {
			return nil, errors.New("connection refused")
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return deaf{conn, &dead}, err
	}
	if _, err := s.DoOnce(t.Context(), post(t, "http://"+host, "x")); err != nil {
		t.Fatal(err)
	}
	dead.Store(true)
	if _, err := s.DoOnce(t.Context(), post(t, "http://"+host, "x")); err == nil || Sent(err) {
		t.Errorf("DoOnce: %v, sent %t, want an error before anything was sent", err, Sent(err))
	}
}
