package egress

import (
	"context"
	"sync"
)

// gates bound how many calls are under way to each host, so that one provider
// that hangs cannot take all of the process.
type gates struct {
	limit int

	mu    sync.Mutex
	hosts map[string]*gate
}

// gate exists as long as somebody waits at it or is inside.
type gate struct {
	slots chan struct{}
	users int
}

// enter waits for a free slot at host and returns how to give it back.
func (g *gates) enter(ctx context.Context, host string) (leave func(), err error) {
	g.mu.Lock()
	at := g.hosts[host]
	if at == nil {
		at = &gate{slots: make(chan struct{}, g.limit)}
		g.hosts[host] = at
	}
	at.users++
	g.mu.Unlock()

	forget := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(g.hosts, host)
		}
	}
	select {
	case at.slots <- struct{}{}:
		return func() { <-at.slots; forget() }, nil
	case <-ctx.Done():
		forget()
		return nil, ctx.Err()
	}
}
