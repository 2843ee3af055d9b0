package egress

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const (
	// connectTimeout limits dialling and the TLS handshake, each: a provider
	// that cannot be reached is known as such before the whole call is out of
	// time, and a call that was not sent may be repeated.
	connectTimeout = 4 * time.Second
	// idleTimeout is shorter than the time after which servers close an idle
	// connection (5 seconds in the hastiest of the common ones). A request
	// written to a connection that is just being closed has an unknown fate,
	// and a refresh token may not be spent twice.
	idleTimeout = 3 * time.Second
)

// newTransport returns a transport that dials what control allows.
func newTransport(p Policy, control func(network, address string, c syscall.RawConn) error) (*http.Transport, error) {
	roots, err := p.roots()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second, Control: control}
	return &http.Transport{
		Proxy:                  nil, // Never from the environment.
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTimeout,
		MaxResponseHeaderBytes: p.MaxHeader,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    p.PerHost,
		IdleConnTimeout:        idleTimeout,
		ForceAttemptHTTP2:      true,
	}, nil
}

// newProviderTransport returns the way to providers: through the guard, or through the
// operator's proxy, whose address is his to choose.
func newProviderTransport(p Policy, guard *ssrf.Guardian) (*http.Transport, error) {
	if p.Proxy == nil {
		return newTransport(p, guard.Safe)
	}
	t, err := newTransport(p, nil)
	if err != nil {
		return nil, err
	}
	t.Proxy = http.ProxyURL(p.Proxy)
	return t, nil
}

// newLocalTransport returns the way to the simulator: this machine and nothing else.
func newLocalTransport(p Policy) (*http.Transport, error) {
	return newTransport(p, func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !at.Addr().Unmap().IsLoopback() {
			return ssrf.ErrProhibitedIP
		}
		return nil
	})
}

// way is where requests go, on transports that differ in what they repeat.
type way struct {
	kept *http.Transport // Keeps connections, speaks HTTP/2, repeats what net/http thinks may be.
	once *http.Transport // Keeps connections; repeats only what is replayable.
	// fresh makes a connection for each request, and so repeats nothing.
	fresh *http.Transport
}

func newWay(kept *http.Transport) way {
	// Over HTTP/2, net/http sends a request with a body again when the server
	// resets the stream with PROTOCOL_ERROR, whatever it did with the first.
	once := kept.Clone()
	once.ForceAttemptHTTP2 = false
	once.Protocols = new(http.Protocols)
	once.Protocols.SetHTTP1(true)
	fresh := once.Clone()
	fresh.DisableKeepAlives = true
	return way{kept: kept, once: once, fresh: fresh}
}

// transport returns the one for req, and whether it might write req twice.
func (w way) transport(req *http.Request, once bool) (t *http.Transport, replays bool) {
	switch {
	case !once:
		return w.kept, replayable(req)
	case replayable(req):
		return w.fresh, false
	}
	return w.once, false
}

// closeIdle closes the connections nobody uses.
func (w way) closeIdle() {
	w.kept.CloseIdleConnections()
	w.once.CloseIdleConnections()
	w.fresh.CloseIdleConnections()
}

// replayable reports whether net/http would send req again by itself after it
// was written to a connection that then broke.
func replayable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	_, a := req.Header["Idempotency-Key"]
	_, b := req.Header["X-Idempotency-Key"]
	return a || b
}
