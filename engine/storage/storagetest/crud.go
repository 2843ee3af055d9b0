package storagetest

import (
	"context"
	"testing"

	"dowel/engine/audit"
	"dowel/engine/storage"
)

// crud is how one sort of record is created, found and changed, so that what holds for all of them is
// written once.
type crud[T any] struct {
	sample func(tenant, id string) T
	create func(context.Context, T) error
	get    func(context.Context, T) (T, error)
	// update and outbox are nil for records that are never changed.
	update func(context.Context, storage.Ref, func(*T) error) (T, error)
	outbox func(*T) *[]audit.Event
	ref    func(*T) *storage.Ref
	rev    func(*T) *int64
}

func connections(s storage.Store) crud[storage.Connection] {
	return crud[storage.Connection]{
		Connection, s.CreateConnection,
		func(ctx context.Context, c storage.Connection) (storage.Connection, error) {
			return s.Connection(ctx, c.Ref)
		},
		s.UpdateConnection,
		func(c *storage.Connection) *[]audit.Event { return &c.Outbox },
		func(c *storage.Connection) *storage.Ref { return &c.Ref },
		func(c *storage.Connection) *int64 { return &c.Revision },
	}
}

func flows(s storage.Store) crud[storage.Flow] {
	return crud[storage.Flow]{
		Flow, s.CreateFlow,
		func(ctx context.Context, f storage.Flow) (storage.Flow, error) { return s.Flow(ctx, f.Ref) },
		s.UpdateFlow,
		func(f *storage.Flow) *[]audit.Event { return &f.Outbox },
		func(f *storage.Flow) *storage.Ref { return &f.Ref },
		func(f *storage.Flow) *int64 { return &f.Revision },
	}
}

func connectSessions(s storage.Store) crud[storage.ConnectSession] {
	return crud[storage.ConnectSession]{
		ConnectSession, s.CreateConnectSession,
		func(ctx context.Context, c storage.ConnectSession) (storage.ConnectSession, error) {
			return s.ConnectSession(ctx, c.TicketHash)
		},
		s.UpdateConnectSession,
		func(c *storage.ConnectSession) *[]audit.Event { return &c.Outbox },
		func(c *storage.ConnectSession) *storage.Ref { return &c.Ref },
		func(c *storage.ConnectSession) *int64 { return &c.Revision },
	}
}

func apps(s storage.Store) crud[storage.App] {
	return crud[storage.App]{
		App, s.CreateApp,
		func(ctx context.Context, a storage.App) (storage.App, error) { return s.App(ctx, a.Ref) },
		s.UpdateApp,
		func(a *storage.App) *[]audit.Event { return &a.Outbox },
		func(a *storage.App) *storage.Ref { return &a.Ref },
		func(a *storage.App) *int64 { return &a.Revision },
	}
}

func apiKeys(s storage.Store) crud[storage.APIKey] {
	return crud[storage.APIKey]{
		APIKey, s.CreateAPIKey,
		func(ctx context.Context, k storage.APIKey) (storage.APIKey, error) { return s.APIKey(ctx, k.Hash) },
		s.UpdateAPIKey,
		func(k *storage.APIKey) *[]audit.Event { return &k.Outbox },
		func(k *storage.APIKey) *storage.Ref { return &k.Ref },
		func(k *storage.APIKey) *int64 { return &k.Revision },
	}
}

func sessions(s storage.Store) crud[storage.Session] {
	return crud[storage.Session]{
		sample: Session, create: s.CreateSession,
		get: func(ctx context.Context, c storage.Session) (storage.Session, error) { return s.Session(ctx, c.Hash) },
		ref: func(c *storage.Session) *storage.Ref { return &c.Ref },
	}
}

func tenants(s storage.Store) crud[storage.Tenant] {
	return crud[storage.Tenant]{
		sample: func(tenant, _ string) storage.Tenant { return Tenant(tenant) }, create: s.CreateTenant,
		get: func(ctx context.Context, t storage.Tenant) (storage.Tenant, error) { return s.Tenant(ctx, t.ID) },
		update: func(ctx context.Context, r storage.Ref, change func(*storage.Tenant) error) (storage.Tenant, error) {
			return s.UpdateTenant(ctx, r.Tenant, change)
		},
		ref: func(t *storage.Tenant) *storage.Ref { return &storage.Ref{Tenant: t.ID} },
		rev: func(t *storage.Tenant) *int64 { return &t.Revision },
	}
}

func definitions(s storage.Store) crud[storage.Definition] {
	return crud[storage.Definition]{
		sample: func(tenant, id string) storage.Definition { return Definition(tenant, id, "1") },
		create: s.CreateDefinition,
		get: func(ctx context.Context, d storage.Definition) (storage.Definition, error) {
			return s.Definition(ctx, d.Tenant, d.Connector, d.Version)
		},
		ref: func(d *storage.Definition) *storage.Ref { return &storage.Ref{Tenant: d.Tenant, ID: d.Connector} },
	}
}

func publications(s storage.Store) crud[storage.Publication] {
	return crud[storage.Publication]{
		Publication, s.CreatePublication,
		func(ctx context.Context, p storage.Publication) (storage.Publication, error) {
			return s.Publication(ctx, p.Ref)
		},
		s.UpdatePublication,
		func(p *storage.Publication) *[]audit.Event { return &p.Outbox },
		func(p *storage.Publication) *storage.Ref { return &p.Ref },
		func(p *storage.Publication) *int64 { return &p.Revision },
	}
}

// eachRecord runs a test for every sort of record.
func eachRecord(t *testing.T, s storage.Store, test func(t *testing.T, r anyRecord)) {
	for name, r := range map[string]anyRecord{
		"connection": connections(s), "flow": flows(s), "connect session": connectSessions(s), "app": apps(s),
		"API key": apiKeys(s), "session": sessions(s), "tenant": tenants(s), "definition": definitions(s), "publication": publications(s),
	} {
		t.Run(name, func(t *testing.T) { test(t, r) })
	}
}

// anyRecord is a crud of whatever record.
type anyRecord interface {
	roundTrip(t *testing.T)
	times(t *testing.T)
	copies(t *testing.T)
	empty(t *testing.T)
	notFound(t *testing.T)
	conflict(t *testing.T)
	tenants(t *testing.T)
	again(t *testing.T)
	outboxWithState(t *testing.T)
}
