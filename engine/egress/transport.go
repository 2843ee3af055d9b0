package egress

import (
	"crypto/tls"
	"crypto/x509"
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
func newTransport(p Policy, roots *x509.CertPool, control control) *http.Transport {
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
		Protocols:              new(http.Protocols),
	}
}

// control judges an address about to be dialled, as net.Dialer.Control does.
type control = func(network, address string, c syscall.RawConn) error

// localOnly allows this machine and nothing else: the simulator.
func localOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return ssrf.ErrProhibitedIP
	}
	return nil
}

// way is where requests go, on transports that differ in what they repeat.
type way struct {
	kept *http.Transport // Keeps connections, speaks HTTP/2, repeats what net/http thinks may be.
	// once keeps connections and repeats only what is replayable. It speaks
	// HTTP/1.1: over HTTP/2, net/http sends a request with a body again when
	// the server resets the stream with PROTOCOL_ERROR, whatever it did with
	// the first.
	once *http.Transport
	// fresh makes a connection for each request, and so repeats nothing.
	fresh *http.Transport
}

// newWay makes the transports apart: a clone would offer its original's protocols.
func newWay(make func() *http.Transport) way {
	w := way{kept: make(), once: make(), fresh: make()}
	w.kept.Protocols.SetHTTP2(true)
	w.fresh.DisableKeepAlives = true
	for _, t := range []*http.Transport{w.kept, w.once, w.fresh} {
		t.Protocols.SetHTTP1(true)
	}
	return w
}

// transport returns the one for req, and whether it might write a request twice.
func (w way) transport(req *http.Request, once bool) (t *http.Transport, replays bool) {
	switch {
	case !once:
		return w.kept, true
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
