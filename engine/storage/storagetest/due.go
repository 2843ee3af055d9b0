package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/storage"
)

// due creates an active connection that is to be renewed so many milliseconds after start.
func due(t *testing.T, s storage.Store, tenant, id string, after int) storage.Due {
	t.Helper()
	c := Connection(tenant, id)
	c.RefreshAt = start.Add(time.Duration(after) * time.Millisecond)
	must(t, s.CreateConnection(t.Context(), c))
	return storage.Due{Ref: c.Ref, Version: c.Version, Connector: c.Connector, At: c.RefreshAt}
}

func testDue(t *testing.T, s storage.Store) {
	ctx := t.Context()
	third, first := due(t, s, "acme", "one", 30), due(t, s, "other", "two", 10)
	second, fourth := due(t, s, "acme", "three", 20), due(t, s, "acme", "four", 40)
	// One that is not renewed is due when it ends.
	ends := due(t, s, "acme", "ends", 0)
	ends.At = start.Add(35 * time.Millisecond)
	due(t, s, "acme", "late", 41)
	for id, change := range map[string]func(*storage.Connection){
		"never": func(c *storage.Connection) { c.RefreshAt, c.ExpiresAt = time.Time{}, time.Time{} },
		"ended": func(c *storage.Connection) { c.Status = storage.Revoked },
		"off":   func(c *storage.Connection) { c.Status = storage.Disabled },
		"done":  func(c *storage.Connection) { c.RefreshAt = start.Add(time.Hour) },
	} {
		moved := due(t, s, "acme", id, 0)
		_, err := s.UpdateConnection(ctx, moved.Ref, func(c *storage.Connection) error { change(c); return nil })
		must(t, err)
	}
	_, err := s.UpdateConnection(ctx, ends.Ref, func(c *storage.Connection) error {
		c.RefreshAt, c.ExpiresAt = time.Time{}, ends.At
		return nil
	})
	must(t, err)
	before := start.Add(40 * time.Millisecond)
	for _, tt := range []struct {
		name             string
		perTenant, limit int
		want             []storage.Due
	}{
		{"all", 10, 10, []storage.Due{first, second, third, ends, fourth}},
		{"limited", 10, 2, []storage.Due{first, second}},
		{"limited to one", 10, 1, []storage.Due{first}},
		{"one of each tenant", 1, 10, []storage.Due{first, second}},
		{"two of each tenant", 2, 10, []storage.Due{first, second, third}},
	} {
		got, err := s.DueConnections(ctx, before, tt.perTenant, tt.limit)
		must(t, err)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if got, err := s.DueConnections(ctx, start, 10, 10); err != nil || len(got) != 0 {
		t.Errorf("due before anything is: %v, %v", got, err)
	}
}

// testDueFair gives one tenant a backlog that is older than anything of the others.
func testDueFair(t *testing.T, s storage.Store) {
	const backlog, limit, perTenant = 300, 40, 15
	for i := range backlog {
		due(t, s, "busy", fmt.Sprintf("conn_%03d", i), 0) // all at the same time
	}
	for i := range 20 {
		due(t, s, "second", fmt.Sprintf("conn_%02d", i), 1000+i)
	}
	for i := range 3 {
		due(t, s, "third", fmt.Sprintf("conn_%02d", i), 2000+i)
	}
	got, err := s.DueConnections(t.Context(), start.Add(time.Hour), perTenant, limit)
	must(t, err)
	share, seen := map[string]int{}, map[storage.Ref]bool{}
	for i, due := range got {
		share[due.Tenant]++
		if seen[due.Ref] {
			t.Errorf("%v is there twice", due.Ref)
		}
		seen[due.Ref] = true
		if i > 0 && due.At.Before(got[i-1].At) {
			t.Errorf("%d is older than the one before it", i)
		}
	}
	if diff := cmp.Diff(map[string]int{"busy": 15, "second": 15, "third": 3}, share); diff != "" {
		t.Errorf("shares (-want +got):\n%s", diff)
	}
}
