package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"dowel/engine/egress"
	"dowel/engine/fault"
)

// Documents keeps what providers publish about themselves, key sets and metadata, so that not every
// flow fetches it again. The zero value is ready; it is safe for concurrent use.
type Documents struct {
	// Logger is told when a document has changed; nil: nobody is.
	Logger *slog.Logger

	mu      sync.Mutex
	kept    map[string]document
	flights singleflight.Group
}

// document is what was found at an address.
type document struct {
	body []byte
	at   time.Time // when it was fetched
}

// How long documents are kept.
const (
	documentAge = time.Hour      // until it is fetched again
	staleAge    = 24 * time.Hour // until it is no longer good while it cannot be fetched again
	retryAge    = time.Minute    // until somebody who misses something in it may have it fetched again
)

// The bounds of what is kept, so that nobody can fill the memory with it.
const (
	maxDocument  = 256 << 10
	maxDocuments = 500
)

// published returns the JSON document at u, at most maxAge old if it can be had; an older one is better
// than none. The address is judged before anything else happens, so what is kept for one connector is
// not served to another that may not go there.
func (r Request) published(ctx context.Context, u *url.URL, maxAge time.Duration) ([]byte, error) {
	out, err := r.scoped()
	if err != nil {
		return nil, err
	}
	if err := out.Check(u); err != nil {
		return nil, fault.E(fault.KindOf(err), "the provider's address is not allowed", err)
	}
	ds := r.Outlet.Documents
	if ds == nil {
		return r.fetch(ctx, out, u)
	}
	key := strconv.FormatBool(r.Connector.PublicOnly(r.Auth)) + " " + r.Connector.ID + " " + u.String()
	before, known := ds.get(key)
	if known && time.Since(before.at) < maxAge {
		return before.body, nil
	}
	v, err, _ := ds.flights.Do(key, func() (any, error) {
		// Shared with whoever comes meanwhile, so no caller's end may end it; egress bounds it.
		return r.fetch(context.WithoutCancel(ctx), out, u)
	})
	if err != nil {
		if known && time.Since(before.at) < staleAge {
			return before.body, nil
		}
		return nil, err
	}
	body, _ := v.([]byte)
	ds.put(key, u, before, body)
	return body, nil
}

func (ds *Documents) get(key string) (document, bool) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	d, ok := ds.kept[key]
	return d, ok
}

func (ds *Documents) put(key string, u *url.URL, before document, body []byte) {
	ds.mu.Lock()
	if ds.kept == nil {
		ds.kept = map[string]document{}
	}
	if len(ds.kept) >= maxDocuments {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(ds.kept)), func(a, b string) int { return ds.kept[a].at.Compare(ds.kept[b].at) })
		delete(ds.kept, oldest)
	}
	ds.kept[key] = document{body: body, at: time.Now()}
	ds.mu.Unlock()
	if before.body != nil && !bytes.Equal(before.body, body) && ds.Logger != nil {
		ds.Logger.Info("what a provider publishes has changed", "host", u.Host, "path", u.Path)
	}
}

// fetch asks for a JSON document.
func (r Request) fetch(ctx context.Context, out *egress.Scoped, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	a, err := out.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	switch {
	case a.Status != http.StatusOK:
		return nil, r.unpublished(&statusError{a.Status})
	case len(a.Body) > maxDocument:
		return nil, r.unpublished(fmt.Errorf("it is larger than %d bytes", maxDocument))
	}
	return a.Body, nil
}

// statusError is a status other than 200 where a document was expected.
type statusError struct{ status int }

func (e *statusError) Error() string { return fmt.Sprintf("status %d", e.status) }

// unpublished says that a provider does not publish what it should.
func (r Request) unpublished(cause error) error {
	return fault.E(fault.Unavailable, r.Connector.Name+" does not say about itself what is needed", cause)
}

// notThere reports whether there is no document at the address. Servers that want a credential for
// everything refuse to show what they do not have.
func notThere(err error) bool {
	var s *statusError
	return errors.As(err, &s) && s.status >= 400 && s.status < 500 && s.status != http.StatusRequestTimeout && s.status != http.StatusTooManyRequests
}

// movedAway notes that a provider's addresses now lie at a host that a connection does not know.
func (ds *Documents) movedAway(connector, host string) {
	if ds != nil && ds.Logger != nil {
		ds.Logger.Warn("a provider's addresses have moved to another host; connections keep those they were made with", "connector", connector, "host", host)
	}
}
