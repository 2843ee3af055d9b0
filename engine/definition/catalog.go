package definition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"dowel/engine/fault"
)

// Versions keeps the text of definitions beyond the process's own set: the versions that connections
// were made with, and tenants' own connectors.
type Versions interface {
	// Source returns the text of one version, or fault.NotFound. An empty tenant means those that came
	// with a process.
	Source(ctx context.Context, tenant, connector, version string) ([]byte, error)
	// Published tells the current version of each connector of a tenant's own, by id.
	Published(ctx context.Context, tenant string) (map[string]string, error)
}

// Catalog serves compiled definitions: those of the process, and each tenant's own, which only that
// tenant sees and which stand before one of the process with the same id. It is safe for concurrent use.
type Catalog struct {
	// base are the connectors that lie under those of Replace.
	base map[string]*entry

	mu      sync.RWMutex
	current map[string]*entry
	// others are versions that are not current in the process: older ones and tenants' own.
	others    map[versionKey]*Connector
	published map[string]publishedSet // by tenant
	versions  Versions
}

type versionKey struct{ tenant, id, version string }

// publishedSet is what a tenant had published a moment ago.
type publishedSet struct {
	versions map[string]string
	read     time.Time
}

const (
	// publishedAge is how long another instance may take to see what a tenant publishes.
	publishedAge = 2 * time.Second
	// maxOthers bounds the compiled versions in memory; they are read again when they are needed.
	maxOthers = 4000
	// maxTenants bounds how many tenants' published versions are remembered.
	maxTenants = 10_000
)

// NewCatalog returns a catalog of the given connectors.
func NewCatalog(connectors []*Connector) *Catalog {
	c := &Catalog{others: map[versionKey]*Connector{}, published: map[string]publishedSet{}}
	c.Replace(connectors)
	return c
}

// Keep makes v the place to look for versions that are not in the process's set.
func (c *Catalog) Keep(v Versions) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions = v
}

// Replace makes connectors the process's set, over those of the base; those that leave it stay reachable
// by version.
func (c *Catalog) Replace(connectors []*Connector) {
	next := maps.Clone(c.base)
	if next == nil {
		next = make(map[string]*entry, len(connectors))
	}
	for _, k := range connectors {
		next[k.ID] = compiled(k)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, e := range c.current {
		if k := e.k.Load(); k != nil && !next[id].is(k.Version) {
			c.remember(versionKey{"", id, k.Version}, k)
		}
	}
	c.current = next
}

// Forget has the tenant's published versions read again.
func (c *Catalog) Forget(tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.published, tenant)
}

// Current returns the version of a connector that a tenant connects with now; unknown ids are
// fault.NotFound. An empty tenant sees the process's own.
func (c *Catalog) Current(ctx context.Context, tenant, id string) (*Connector, error) {
	own, err := c.ownVersions(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if version, ok := own[id]; ok {
		return c.stored(ctx, versionKey{tenant, id, version})
	}
	c.mu.RLock()
	e, ok := c.current[id]
	c.mu.RUnlock()
	if !ok {
		return nil, fault.E(fault.NotFound, "there is no such connector", nil).WithCode("connector-unknown")
	}
	return e.connector()
}

// All returns the connectors that a tenant can connect with, by name. One of its own that can no longer
// be read is left out.
func (c *Catalog) All(ctx context.Context, tenant string) ([]*Connector, error) {
	own, err := c.ownVersions(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := make([]*Connector, 0, len(own)+32)
	for id, version := range own {
		k, err := c.stored(ctx, versionKey{tenant, id, version})
		if fault.KindOf(err) == fault.Misconfigured {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	out = append(out, c.shared(own)...)
	slices.SortFunc(out, func(a, b *Connector) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// Shared returns the process's own connectors, by name.
func (c *Catalog) Shared() []*Connector {
	all, _ := c.All(context.Background(), "") // nothing is read for nobody's tenant
	return all
}

// Version returns one version of a connector, which need not be current.
func (c *Catalog) Version(ctx context.Context, tenant, id, version string) (*Connector, error) {
	c.mu.RLock()
	e := c.current[id]
	if e.is(version) {
		c.mu.RUnlock()
		return e.k.Load(), nil
	}
	k, ok := c.others[versionKey{tenant, id, version}]
	if !ok {
		k, ok = c.others[versionKey{"", id, version}]
	}
	c.mu.RUnlock()
	if ok {
		return k, nil
	}
	if e != nil {
		if k, err := e.connector(); err == nil && k.Version == version {
			return k, nil
		}
	}
	k, err := c.stored(ctx, versionKey{tenant, id, version})
	if e := fault.As(err); e != nil && e.Code == missingCode && tenant != "" {
		return c.stored(ctx, versionKey{"", id, version})
	}
	return k, err
}

// ownVersions are the current versions of a tenant's own connectors.
func (c *Catalog) ownVersions(ctx context.Context, tenant string) (map[string]string, error) {
	c.mu.RLock()
	set, ok := c.published[tenant]
	versions := c.versions
	c.mu.RUnlock()
	if tenant == "" || versions == nil || ok && time.Since(set.read) < publishedAge {
		return set.versions, nil
	}
	began := time.Now()
	own, err := versions.Published(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read published connectors: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.published) >= maxTenants {
		clear(c.published)
	}
	c.published[tenant] = publishedSet{own, began}
	return own, nil
}

// missingCode marks a version that nobody keeps.
const missingCode = "definition-missing"

// stored returns a version that is kept beyond the process, compiled.
func (c *Catalog) stored(ctx context.Context, key versionKey) (*Connector, error) {
	c.mu.RLock()
	k, ok := c.others[key]
	versions := c.versions
	c.mu.RUnlock()
	if ok {
		return k, nil
	}
	missing := fault.E(fault.Misconfigured, fmt.Sprintf("version %s of connector %s is missing", key.version, key.id), nil).WithCode(missingCode)
	if versions == nil {
		return nil, missing
	}
	source, err := versions.Source(ctx, key.tenant, key.id, key.version)
	if fault.KindOf(err) == fault.NotFound {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("read definition: %w", err)
	}
	k, findings := Parse(key.id+".yaml", source)
	if k == nil {
		return nil, fault.E(fault.Misconfigured, "the definition of this connection can no longer be read", fmt.Errorf("%v", findings))
	}
	k.Tenant = key.tenant
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remember(key, k)
	return k, nil
}

// remember keeps a compiled version in memory; c.mu is held.
func (c *Catalog) remember(key versionKey, k *Connector) {
	if len(c.others) >= maxOthers {
		for old := range c.others {
			delete(c.others, old)
			break
		}
	}
	c.others[key] = k
}

// Parents returns the connectors that a tenant's definitions may extend.
func (c *Catalog) Parents(ctx context.Context, tenant string) Parents {
	return func(id string) (string, []byte, error) {
		k, err := c.Current(ctx, tenant, id)
		if fault.KindOf(err) == fault.NotFound {
			return "", nil, errNoParent
		}
		if err != nil {
			return "", nil, errors.New("it cannot be read at the moment")
		}
		return k.File, k.Source, nil
	}
}
