package token

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// memory is a small store that keeps the contract of storage.Leases and its neighbours, in a bubble: a
// database's goroutines do not belong in one.
type memory struct {
	mu          sync.Mutex
	connections map[storage.Ref]storage.Connection
	apps        map[storage.Ref]storage.App
	keysets     map[string][]byte
}

func newMemory() *memory {
	return &memory{
		connections: map[storage.Ref]storage.Connection{}, apps: map[storage.Ref]storage.App{}, keysets: map[string][]byte{},
	}
}

func copied(c storage.Connection) storage.Connection {
	c.Credential, c.Previous, c.Outbox = bytes.Clone(c.Credential), bytes.Clone(c.Previous), slices.Clone(c.Outbox)
	c.Inputs, c.Captured, c.GrantedScopes = maps.Clone(c.Inputs), maps.Clone(c.Captured), slices.Clone(c.GrantedScopes)
	if c.Attempt != nil {
		attempt := *c.Attempt
		c.Attempt = &attempt
	}
	return c
}

func (m *memory) connection(r storage.Ref) (storage.Connection, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.connections[r]
	if !ok {
		return storage.Connection{}, fault.E(fault.NotFound, "no such connection", nil)
	}
	return copied(c), nil
}

// update applies change to the record if check allows it.
func (m *memory) update(r storage.Ref, check, change func(*storage.Connection) error) (storage.Connection, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, ok := m.connections[r]
	if !ok {
		return storage.Connection{}, fault.E(fault.NotFound, "no such connection", nil)
	}
	if check != nil {
		if err := check(&stored); err != nil {
			return storage.Connection{}, err
		}
	}
	// Called twice, as a store does when somebody else wrote meanwhile.
	trial := copied(stored)
	if err := change(&trial); err != nil {
		return storage.Connection{}, err
	}
	c := copied(stored)
	if err := change(&c); err != nil {
		return storage.Connection{}, err
	}
	if c.Lease.Fence > stored.Lease.Fence {
		c.Lease = storage.Lease{Fence: c.Lease.Fence}
	} else {
		c.Lease = stored.Lease
	}
	c.Revision++
	m.connections[r] = copied(c)
	return c, nil
}

func (m *memory) Keyset(_ context.Context, tenant string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.keysets[tenant]
	if !ok {
		return nil, fault.E(fault.NotFound, "no keyset", nil)
	}
	return b, nil
}

func (m *memory) CreateKeyset(_ context.Context, tenant string, wrapped []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.keysets[tenant]; ok {
		return fault.E(fault.Conflict, "there is a keyset", nil)
	}
	m.keysets[tenant] = wrapped
	return nil
}

// The operations of a link, as its faults name them.
const (
	opRead    = "read"
	opAcquire = "acquire"
	opLeased  = "update leased"
	opUpdate  = "update"
	opRelease = "release"
	opDue     = "due"
	opApp     = "app"
)

// link is one instance's way to the store. It may be slow, fail, lose answers, or belong to a process
// that has died.
type link struct {
	*memory
	latency time.Duration
	// before and after, if set, are asked about every operation: an error from before fails it, one
	// from after loses its answer. They must be set before the instance is used.
	before, after func(op string) error
	down          atomic.Bool
	dead          atomic.Bool
	reads         atomic.Int64
}

var errDown = errors.New("connection refused")

// do runs one operation. The goroutines of a dead process end where they would next touch the world.
func (l *link) do(ctx context.Context, op string, f func() error) error {
	l.die()
	if l.latency > 0 {
		select {
		case <-time.After(l.latency):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if l.before != nil {
		if err := l.before(op); err != nil {
			return err
		}
	}
	l.die()
	if l.down.Load() {
		return fault.E(fault.StoreDown, "the store does not answer", errDown)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	if l.after != nil {
		return l.after(op)
	}
	return nil
}

func (l *link) die() {
	if l.dead.Load() {
		runtime.Goexit()
	}
}

func (l *link) Connection(ctx context.Context, r storage.Ref) (c storage.Connection, err error) {
	l.reads.Add(1)
	err = l.do(ctx, opRead, func() error { c, err = l.connection(r); return err })
	return c, err
}

func (l *link) UpdateConnection(ctx context.Context, r storage.Ref, change func(*storage.Connection) error) (c storage.Connection, err error) {
	err = l.do(ctx, opUpdate, func() error { c, err = l.update(r, nil, change); return err })
	return c, err
}

func (l *link) AcquireLease(
	ctx context.Context, read storage.Connection, a *storage.Attempt, holder string, ttl time.Duration,
) (lease storage.Lease, ok bool, err error) {
	r := read.Ref
	err = l.do(ctx, opAcquire, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		c, found := l.connections[r]
		if !found {
			return fault.E(fault.NotFound, "no such connection", nil)
		}
		if c.Lease.Until.After(time.Now()) {
			return nil
		}
		if c.Revision != read.Revision {
			return fault.E(fault.Conflict, "the record has moved", nil)
		}
		c.Attempt = a
		c.Lease = storage.Lease{Holder: holder, Until: time.Now().Add(ttl).UTC().Truncate(time.Millisecond), Fence: c.Lease.Fence + 1}
		c.Revision++
		l.connections[r] = copied(c)
		lease, ok = c.Lease, true
		lease.Ref = r
		return nil
	})
	return lease, ok && err == nil, err
}

func (l *link) UpdateLeased(ctx context.Context, lease storage.Lease, change func(*storage.Connection) error) (c storage.Connection, err error) {
	err = l.do(ctx, opLeased, func() error {
		c, err = l.update(lease.Ref, func(c *storage.Connection) error {
			if c.Lease.Fence != lease.Fence {
				return fault.E(fault.Conflict, "somebody else has taken over", nil)
			}
			return nil
		}, change)
		return err
	})
	return c, err
}

func (l *link) ReleaseLease(ctx context.Context, lease storage.Lease) error {
	return l.do(ctx, opRelease, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if c, ok := l.connections[lease.Ref]; ok && c.Lease.Fence == lease.Fence {
			c.Lease.Holder, c.Lease.Until = "", time.Time{}
			c.Revision++
			l.connections[lease.Ref] = c
		}
		return nil
	})
}

func (l *link) DueConnections(ctx context.Context, before time.Time, perTenant, limit int) (list []storage.Due, err error) {
	err = l.do(ctx, opDue, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		share := map[string]int{}
		var all []storage.Connection
		for _, c := range l.connections {
			if at := c.DueAt(); !at.IsZero() && !at.After(before) {
				all = append(all, c)
			}
		}
		slices.SortFunc(all, func(a, b storage.Connection) int { return a.DueAt().Compare(b.DueAt()) })
		for _, c := range all {
			if share[c.Tenant]++; share[c.Tenant] <= perTenant && len(list) < limit {
				list = append(list, storage.Due{Ref: c.Ref, Version: c.Version, Connector: c.Connector, At: c.DueAt()})
			}
		}
		return nil
	})
	return list, err
}

func (l *link) App(ctx context.Context, r storage.Ref) (a storage.App, err error) {
	err = l.do(ctx, opApp, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		var ok bool
		if a, ok = l.apps[r]; !ok {
			return fault.E(fault.NotFound, "no such app", nil)
		}
		a.Outbox = slices.Clone(a.Outbox)
		return nil
	})
	return a, err
}

func (l *link) UpdateApp(ctx context.Context, r storage.Ref, change func(*storage.App) error) (a storage.App, err error) {
	err = l.do(ctx, opApp, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		var ok bool
		if a, ok = l.apps[r]; !ok {
			return fault.E(fault.NotFound, "no such app", nil)
		}
		a.Outbox = slices.Clone(a.Outbox)
		if err := change(&a); err != nil {
			return err
		}
		l.apps[r] = a
		return nil
	})
	return a, err
}

func (l *link) Apps(_ context.Context, tenant, connector string) ([]storage.App, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []storage.App
	for _, a := range l.apps {
		if a.Tenant == tenant && (connector == "" || a.Connector == connector) {
			list = append(list, a)
		}
	}
	return list, nil
}
