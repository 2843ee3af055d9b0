package egress

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"

	"code.dny.dev/ssrf"

	"dowel/engine/fault"
)

// Sent reports whether the request that ended in err may have reached the
// provider. It is false only for an error of this package which proves that
// nothing was sent (refused, not resolved, not connected, no TLS, no free
// slot): doing the call again is then safe, whatever it does.
func Sent(err error) bool {
	var u *unsent
	return !errors.As(err, &u)
}

// unsent is a cause that struck before the request left.
type unsent struct{ cause error }

func (e *unsent) Error() string { return e.cause.Error() }
func (e *unsent) Unwrap() error { return e.cause }

// callFailure is the cause of a failed call, for the log: it names the origin,
// never the path or query, and at most a little of what the provider said.
type callFailure struct {
	method, origin string
	cause          error
}

func (e *callFailure) Error() string {
	text := e.cause.Error()
	// A *url.Error prints the URL with its query.
	if u, ok := errors.AsType[*url.Error](e.cause); ok {
		text = u.Err.Error()
	}
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	return e.method + " " + e.origin + ": " + text
}

func (e *callFailure) Unwrap() error { return e.cause }

// classify turns what the transport returned into a fault.
func classify(req *http.Request, wasSent bool, err error) error {
	var cause error = &callFailure{req.Method, req.URL.Scheme + "://" + req.URL.Host, err}
	if !wasSent {
		cause = &unsent{cause}
	}
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return fault.E(fault.Forbidden, "the address is not allowed", cause)
	case wasSent && errors.Is(err, context.DeadlineExceeded):
		return fault.E(fault.Timeout, "the provider did not answer in time", cause)
	case wasSent:
		return fault.E(fault.Unavailable, "the provider's answer could not be read", cause)
	}
	// One text for every way of not connecting: it must not serve to scan ports.
	return fault.E(fault.Unavailable, "the provider could not be reached", cause)
}

// bad is a fault for an answer that came and is not one we take.
func bad(req *http.Request, public string, cause error) error {
	return fault.E(fault.Unavailable, public,
		&callFailure{req.Method, req.URL.Scheme + "://" + req.URL.Host, cause})
}

// tracer notes whether a request has been written.
type tracer struct {
	mu sync.Mutex
	// replays says that the transport may send the request again by itself
	// after it was written; otherwise it tries again only when a kept
	// connection turned out dead before its first byte.
	replays bool
	wrote   bool
}

func (t *tracer) attach(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// Called again before each further attempt.
		GetConn: func(string) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.wrote = t.wrote && t.replays
		},
		WroteHeaders: func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.wrote = true
		},
	})
}

func (t *tracer) sent() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wrote
}
