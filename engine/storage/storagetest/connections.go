package storagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// listed creates ten connections, each a minute after the other but for the last two, and returns
// them by id. Their filters differ by their number.
func listed(t *testing.T, s storage.Store) map[string]storage.Connection {
	created := map[string]storage.Connection{}
	for i := range 10 {
		c := Connection("acme", fmt.Sprintf("conn_%d", i))
		c.CreatedAt = start.Add(time.Duration(min(i, 8)) * time.Minute)
		c.Connector, c.EndUser = fmt.Sprintf("connector %d", i%2), fmt.Sprintf("user %d", i%3)
		c.App, c.Identity.Subject = fmt.Sprintf("app %d", i%4), fmt.Sprintf("subject %d", i%5)
		if i == 7 {
			c.Status = storage.NeedsReauth
		}
		must(t, s.CreateConnection(t.Context(), c))
		c.Revision = 1
		created[c.ID] = c
	}
	return created
}

func testConnectionList(t *testing.T, s storage.Store) {
	created := listed(t, s)
	must(t, s.CreateConnection(t.Context(), Connection("other", "conn_0")))
	all := []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
	for _, tt := range []struct {
		name  string
		query storage.ConnectionQuery
		want  []int
	}{
		{"all", storage.ConnectionQuery{Limit: 200}, all},
		{"no limit", storage.ConnectionQuery{}, all},
		{"first page", storage.ConnectionQuery{Limit: 3}, []int{9, 8, 7}},
		{"page that begins between equal times", storage.ConnectionQuery{Limit: 3, Before: "conn_9"}, []int{8, 7, 6}},
		{"last page", storage.ConnectionQuery{Limit: 3, Before: "conn_2"}, []int{1, 0}},
		{"after the last", storage.ConnectionQuery{Limit: 3, Before: "conn_0"}, nil},
		{"by connector", storage.ConnectionQuery{Connector: "connector 1"}, []int{9, 7, 5, 3, 1}},
		{"by end user", storage.ConnectionQuery{EndUser: "user 0"}, []int{9, 6, 3, 0}},
		{"by status", storage.ConnectionQuery{Status: storage.NeedsReauth}, []int{7}},
		{"by app", storage.ConnectionQuery{App: "app 3"}, []int{7, 3}},
		{"by subject", storage.ConnectionQuery{Subject: "subject 4"}, []int{9, 4}},
		{"by two, paged", storage.ConnectionQuery{Connector: "connector 1", EndUser: "user 0", Before: "conn_9", Limit: 1}, []int{3}},
		{"by nothing that is there", storage.ConnectionQuery{Connector: "connector 2"}, nil},
	} {
		tt.query.Tenant = "acme"
		got, err := s.Connections(t.Context(), tt.query)
		must(t, err)
		var want []storage.Connection
		for _, i := range tt.want {
			want = append(want, created[fmt.Sprintf("conn_%d", i)])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", tt.name, diff)
		}
	}
	_, err := s.Connections(t.Context(), storage.ConnectionQuery{Tenant: "acme", Before: "conn_99"})
	wantKind(t, "page after a connection that is gone", err, fault.NotFound)
}

func testConnectionCount(t *testing.T, s storage.Store) {
	listed(t, s)
	must(t, s.CreateConnection(t.Context(), Connection("other", "conn_0")))
	_, err := s.UpdateConnection(t.Context(), storage.Ref{Tenant: "acme", ID: "conn_3"}, func(c *storage.Connection) error {
		c.Status = storage.Revoked
		return nil
	})
	must(t, err)
	must(t, s.DeleteConnection(t.Context(), storage.Ref{Tenant: "acme", ID: "conn_4"}))
	got, err := s.CountConnections(t.Context(), "acme")
	must(t, err)
	want := map[storage.Status]int{storage.Active: 7, storage.NeedsReauth: 1, storage.Revoked: 1}
	for _, status := range []storage.Status{storage.Active, storage.NeedsReauth, storage.Revoked, storage.Disabled} {
		if got[status] != want[status] {
			t.Errorf("%s: %d, want %d", status, got[status], want[status])
		}
	}
}

func testListOrder(t *testing.T, s storage.Store) {
	ctx := t.Context()
	// Created in an order that is neither that of the ids nor that of the times.
	for i, minute := range []int{2, 0, 3, 1} {
		created := start.Add(time.Duration(minute) * time.Minute)
		id := fmt.Sprintf("%d", 9-i)
		a, k := App("acme", id), APIKey("acme", id)
		a.CreatedAt, k.CreatedAt, a.Connector = created, created, fmt.Sprintf("connector %d", minute%2)
		d := Definition("acme", fmt.Sprintf("connector %d", minute%2), id)
		d.CreatedAt = created
		must(t, s.CreateApp(ctx, a))
		must(t, s.CreateAPIKey(ctx, k))
		must(t, s.CreateDefinition(ctx, d))
		p := Publication("acme", id)
		p.CreatedAt = created
		must(t, s.CreatePublication(ctx, p))
		must(t, s.CreateTenant(ctx, Tenant("tenant "+id)))
	}
	apps, err := s.Apps(ctx, "acme", "")
	must(t, err)
	wantIDs(t, "apps, oldest first", apps, []string{"8", "6", "9", "7"}, func(a storage.App) string { return a.ID })
	apps, err = s.Apps(ctx, "acme", "connector 1")
	must(t, err)
	wantIDs(t, "apps of one connector", apps, []string{"6", "7"}, func(a storage.App) string { return a.ID })
	keys, err := s.APIKeys(ctx, "acme")
	must(t, err)
	wantIDs(t, "API keys, oldest first", keys, []string{"8", "6", "9", "7"}, func(k storage.APIKey) string { return k.ID })
	published, err := s.Publications(ctx, "acme")
	must(t, err)
	wantIDs(t, "publications, oldest first", published, []string{"8", "6", "9", "7"}, func(p storage.Publication) string { return p.ID })
	definitions, err := s.Definitions(ctx, "acme", "")
	must(t, err)
	wantIDs(t, "definitions, newest first", definitions, []string{"7", "9", "6", "8"},
		func(d storage.Definition) string { return d.Version })
	definitions, err = s.Definitions(ctx, "acme", "connector 0")
	must(t, err)
	wantIDs(t, "definitions of one connector", definitions, []string{"9", "8"}, func(d storage.Definition) string { return d.Version })
	tenants, err := s.Tenants(ctx)
	must(t, err)
	wantIDs(t, "tenants", tenants, []string{"tenant 6", "tenant 7", "tenant 8", "tenant 9"}, func(t storage.Tenant) string { return t.ID })
}

func wantIDs[T any](t *testing.T, what string, got []T, want []string, id func(T) string) {
	t.Helper()
	ids := make([]string, len(got))
	for i := range got {
		ids[i] = id(got[i])
	}
	if !slices.Equal(ids, want) {
		t.Errorf("%s: %q, want %q", what, ids, want)
	}
}
