package definition

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"dowel/engine/fault"
)

// entry is a connector of the process's set, which may not be compiled yet.
type entry struct {
	k    atomic.Pointer[Connector]
	once sync.Once
	load func(*formulas) (*Connector, error)
	err  error
}

// compiled is an entry that needs no loading.
func compiled(k *Connector) *entry {
	e := &entry{}
	e.k.Store(k)
	return e
}

// is reports whether e is compiled and of the given version.
func (e *entry) is(version string) bool {
	if e == nil {
		return false
	}
	k := e.k.Load()
	return k != nil && k.Version == version
}

// connector compiles the entry if nobody has.
func (e *entry) connector() (*Connector, error) { return e.connectorWith(newFormulas) }

// connectorWith is connector with formulas that may have been compiled before.
func (e *entry) connectorWith(known func() *formulas) (*Connector, error) {
	if k := e.k.Load(); k != nil {
		return k, nil
	}
	e.once.Do(func() {
		k, err := e.load(known())
		if err != nil {
			e.err = err
			return
		}
		e.k.Store(k)
	})
	return e.k.Load(), e.err
}

// Open returns a catalog of the definitions at the top of fsys, each of which is read and compiled when
// it is first asked for. It is for definitions that are known to be good, such as those that come with
// the binary and are checked when that is built: what is wrong with one is only found when it is needed.
func Open(fsys fs.FS) (*Catalog, error) {
	files, err := definitionsIn(fsys)
	if err != nil {
		return nil, fmt.Errorf("read connectors: %w", err)
	}
	c := NewCatalog(nil)
	c.base = make(map[string]*entry, len(files))
	for _, f := range files {
		name := f.Name()
		c.base[strings.TrimSuffix(name, path.Ext(name))] = &entry{load: func(known *formulas) (*Connector, error) {
			k, findings := builtin().file(fsys, name, known, LevelError, []Parents{In(fsys)})
			if k == nil {
				return nil, fault.E(fault.Misconfigured, "the definition of this connector cannot be read", errors.New(findings[0].String()))
			}
			return k, nil
		}}
	}
	c.Replace(nil)
	return c, nil
}

// shared returns the process's connectors but for those of the given ids, compiled, in any order. One
// that cannot be read is left out.
func (c *Catalog) shared(but map[string]string) []*Connector {
	c.mu.RLock()
	entries := make([]*entry, 0, len(c.current))
	for id, e := range c.current {
		if _, replaced := but[id]; !replaced {
			entries = append(entries, e)
		}
	}
	c.mu.RUnlock()
	all := make([]*Connector, len(entries))
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			known := newFormulas()
			for i := w; i < len(entries); i += workers {
				all[i], _ = entries[i].connectorWith(func() *formulas { return known })
			}
		})
	}
	group.Wait()
	return dropNil(all)
}
