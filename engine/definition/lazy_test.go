package definition

import (
	"sync"
	"testing"
	"testing/fstest"

	"dowel/engine/fault"
)

func TestAnOpenedCatalogReadsADefinitionWhenItIsAskedFor(t *testing.T) {
	fsys := shipped(t, 16)
	fsys["broken.yaml"] = &fstest.MapFile{Data: []byte("id: [")}
	c, err := Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if c.current["github"].k.Load() != nil {
		t.Error("it is compiled before anybody asks")
	}
	var group sync.WaitGroup
	var seen sync.Map
	for range 8 {
		group.Go(func() {
			k, err := c.Current(t.Context(), "", "github")
			if err != nil {
				t.Error(err)
			}
			seen.Store(k, true)
		})
	}
	group.Wait()
	n := 0
	seen.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("it was compiled %d times", n)
	}
	if _, err := c.Current(t.Context(), "", "broken"); fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("a broken definition: %v", err)
	}
	if all := c.Shared(); len(all) != 16 {
		t.Errorf("%d connectors, want the 16 that can be read", len(all))
	}
	k, _ := c.Current(t.Context(), "", "slack")
	other, _ := Parse("slack.yaml", append([]byte("# another\n"), k.Source...))
	c.Replace([]*Connector{other})
	if now, err := c.Current(t.Context(), "", "slack"); err != nil || now.Version != other.Version {
		t.Errorf("the operator's own does not lie over it: %v", err)
	}
	if old, err := c.Version(t.Context(), "acme", "slack", k.Version); err != nil || old != k {
		t.Errorf("the version that it lies over: %v", err)
	}
	c.Replace(nil)
	if now, err := c.Current(t.Context(), "", "slack"); err != nil || now.Version != k.Version {
		t.Errorf("what lay under it is not there again: %v", err)
	}
}
