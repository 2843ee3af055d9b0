package definition

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"dowel/engine/fault"
)

// Versions keeps the text of definitions beyond the process's own set, so that a connection can go
// on with the version it was made with.
type Versions interface {
	// Source returns the text of one version, or fault.NotFound.
	Source(ctx context.Context, tenant, connector, version string) ([]byte, error)
}

// Catalog serves compiled definitions. It is safe for concurrent use.
type Catalog struct {
	mu      sync.RWMutex
	current map[string]*Connector
	// older holds versions that are no longer current, by id and version.
	older    map[string]*Connector
	versions Versions
}

// NewCatalog returns a catalog of the given connectors.
func NewCatalog(connectors []*Connector) *Catalog {
	c := &Catalog{older: map[string]*Connector{}}
	c.Replace(connectors)
	return c
}

// Keep makes v the place to look for versions that are not in the current set.
func (c *Catalog) Keep(v Versions) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions = v
}

// Replace makes connectors the current set; those that leave it stay reachable by version.
func (c *Catalog) Replace(connectors []*Connector) {
	next := make(map[string]*Connector, len(connectors))
	for _, k := range connectors {
		next[k.ID] = k
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, k := range c.current {
		if n, ok := next[id]; !ok || n.Version != k.Version {
			c.older[id+"@"+k.Version] = k
		}
	}
	c.current = next
}

// Current returns the current version of a connector; unknown ids are fault.NotFound.
func (c *Catalog) Current(id string) (*Connector, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if k, ok := c.current[id]; ok {
		return k, nil
	}
	return nil, fault.E(fault.NotFound, "there is no such connector", nil).WithCode("connector-unknown")
}

// Version returns one version of a connector, which need not be current.
func (c *Catalog) Version(ctx context.Context, tenant, id, version string) (*Connector, error) {
	c.mu.RLock()
	k, ok := c.current[id]
	if !ok || k.Version != version {
		k, ok = c.older[id+"@"+version]
	}
	versions := c.versions
	c.mu.RUnlock()
	if ok {
		return k, nil
	}
	if versions == nil {
		return nil, missing(id, version, nil)
	}
	source, err := versions.Source(ctx, tenant, id, version)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return nil, missing(id, version, err)
		}
		return nil, fmt.Errorf("read definition: %w", err)
	}
	k, findings := Parse(id+".yaml", source)
	if k == nil {
		return nil, fault.E(fault.Misconfigured, "the definition of this connection can no longer be read", fmt.Errorf("%v", findings))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.older[id+"@"+version] = k
	return k, nil
}

func missing(id, version string, cause error) error {
	public := fmt.Sprintf("version %s of connector %s is missing", version, id)
	return fault.E(fault.Misconfigured, public, cause).WithCode("definition-missing")
}

// All returns the current connectors, by name.
func (c *Catalog) All() []*Connector {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*Connector, 0, len(c.current))
	for _, k := range c.current {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b *Connector) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out
}
