// Package storage names the records Dowel keeps and the contract every store keeps.
//
// Single-document atomicity is all a store promises. Times are UTC with millisecond precision.
// Returned records are copies. Errors carry a fault kind: NotFound, Conflict, or StoreDown when the
// database does not answer. storagetest proves a store; sqlite and mongo pass all of it.
package storage

import (
	"context"
	"time"

	"dowel/engine/audit"
)

// Ref names a record inside its tenant. There is no way to ask for a record without its tenant.
type Ref struct{ Tenant, ID string }

// Store is everything a store keeps. A service asks for the part it uses, never for Store.
type Store interface {
	Connections
	Leases
	Flows
	ConnectSessions
	Apps
	APIKeys
	Sessions
	Tenants
	Definitions
	Publications
	Keysets
	audit.Log
	audit.Outbox
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
	// Close releases the store.
	Close() error
}

// Connections keeps the durable links.
type Connections interface {
	// CreateConnection writes a new record with Revision 1; a record with its ref is a Conflict.
	CreateConnection(ctx context.Context, c Connection) error
	Connection(ctx context.Context, r Ref) (Connection, error)
	// UpdateConnection applies change to the current record and writes it if nobody else did
	// meanwhile; otherwise it reads again and calls change again. change must be free of side
	// effects; an error from it ends the update and is returned as it is. The written record is
	// returned. The lease is not change's to touch, except through Connection.RaiseFence.
	UpdateConnection(ctx context.Context, r Ref, change func(*Connection) error) (Connection, error)
	// DeleteConnection removes the record; events still in its outbox are in the log before it is gone.
	DeleteConnection(ctx context.Context, r Ref) error
	// Connections lists records of one tenant, newest first.
	Connections(ctx context.Context, q ConnectionQuery) ([]Connection, error)
	// CountConnections counts a tenant's records by status.
	CountConnections(ctx context.Context, tenant string) (map[Status]int, error)
	// DueConnections returns the connections whose DueAt is at or before the given time, longest
	// overdue first, at most perTenant of each tenant and limit in all. It reads an index;
	// its cost does not grow with the number of connections that are not due.
	DueConnections(ctx context.Context, before time.Time, perTenant, limit int) ([]Due, error)
}

// Due is a connection whose credential wants renewal, or has ended without one.
type Due struct {
	Ref
	Version   int64
	Connector string
	At        time.Time
}

// ConnectionQuery selects connections of one tenant.
type ConnectionQuery struct {
	Tenant    string
	Connector string // empty: all
	EndUser   string // empty: all
	Status    Status // empty: all
	App       string // empty: all
	Subject   string // empty: all; the identity's subject
	Before    string // id of the connection to continue after; empty: from the newest
	Limit     int    // 1 to 200
}

// Leases keeps the right to refresh a connection. It lives in the connection's own document.
type Leases interface {
	// AcquireLease takes the right to refresh c, which is the record as the caller has read it, if the
	// lease is free or has run out by the store's own clock; it raises the fence and puts a into the
	// record's Attempt, all in one write. A connection without a lease counts as free. ok is false when
	// somebody else holds it. When c is not the newest revision, nothing is written and it fails with
	// fault.Conflict: what the caller made up its mind about has to be read again. A missing
	// connection is NotFound.
	AcquireLease(ctx context.Context, c Connection, a *Attempt, holder string, ttl time.Duration) (l Lease, ok bool, err error)
	// UpdateLeased applies change and writes if l is still the newest lease, and fails with
	// fault.Conflict if it is not. The written record is returned.
	UpdateLeased(ctx context.Context, l Lease, change func(*Connection) error) (Connection, error)
	// ReleaseLease gives l back; a lease that is no longer the newest is left alone.
	ReleaseLease(ctx context.Context, l Lease) error
}

// Flows keeps authorizations under way.
type Flows interface {
	CreateFlow(ctx context.Context, f Flow) error
	// TakeFlow hands out the pending flow with this state hash once: of any number of callers, one
	// gets it, and its status is then taken. Unknown, taken and expired are all NotFound.
	TakeFlow(ctx context.Context, stateHash string, now time.Time) (Flow, error)
	// FlowByState reads the flow with this state hash, whatever its status, and changes nothing.
	FlowByState(ctx context.Context, stateHash string) (Flow, error)
	Flow(ctx context.Context, r Ref) (Flow, error)
	// UpdateFlow is UpdateConnection for flows.
	UpdateFlow(ctx context.Context, r Ref, change func(*Flow) error) (Flow, error)
	// SweepFlows removes flows that ended or expired before the given time.
	SweepFlows(ctx context.Context, before time.Time) (int, error)
	// CountPendingFlows counts a tenant's flows that are pending and not expired.
	CountPendingFlows(ctx context.Context, tenant string, now time.Time) (int, error)
}

// ConnectSessions keeps the tickets of the Connect page.
type ConnectSessions interface {
	CreateConnectSession(ctx context.Context, s ConnectSession) error
	// ConnectSession finds a session by the hash of its ticket.
	ConnectSession(ctx context.Context, ticketHash string) (ConnectSession, error)
	// ConnectSessionByRef finds a session by its id.
	ConnectSessionByRef(ctx context.Context, r Ref) (ConnectSession, error)
	UpdateConnectSession(ctx context.Context, r Ref, change func(*ConnectSession) error) (ConnectSession, error)
	SweepConnectSessions(ctx context.Context, before time.Time) (int, error)
}

// Apps keeps the registrations at providers.
type Apps interface {
	CreateApp(ctx context.Context, a App) error
	App(ctx context.Context, r Ref) (App, error)
	UpdateApp(ctx context.Context, r Ref, change func(*App) error) (App, error)
	DeleteApp(ctx context.Context, r Ref) error
	// Apps lists a tenant's apps, of one connector or (empty) of all, oldest first.
	Apps(ctx context.Context, tenant, connector string) ([]App, error)
}

// APIKeys keeps the keys of workloads.
type APIKeys interface {
	CreateAPIKey(ctx context.Context, k APIKey) error
	// APIKey finds a key by the hash of its text, whatever its tenant.
	APIKey(ctx context.Context, hash string) (APIKey, error)
	APIKeys(ctx context.Context, tenant string) ([]APIKey, error)
	UpdateAPIKey(ctx context.Context, r Ref, change func(*APIKey) error) (APIKey, error)
}

// Sessions keeps operators' console sessions.
type Sessions interface {
	CreateSession(ctx context.Context, s Session) error
	// Session finds a session by the hash of its cookie.
	Session(ctx context.Context, hash string) (Session, error)
	// TakeSession is Session for a link that counts once: the session is deleted as it is handed out.
	TakeSession(ctx context.Context, hash string) (Session, error)
	DeleteSession(ctx context.Context, hash string) error
	SweepSessions(ctx context.Context, before time.Time) (int, error)
}

// Tenants keeps the isolation boundaries.
type Tenants interface {
	CreateTenant(ctx context.Context, t Tenant) error
	Tenant(ctx context.Context, id string) (Tenant, error)
	UpdateTenant(ctx context.Context, id string, change func(*Tenant) error) (Tenant, error)
	Tenants(ctx context.Context) ([]Tenant, error)
}

// Definitions keeps every version of a definition that a connection was made with, and tenants' own.
type Definitions interface {
	// CreateDefinition writes an immutable version; one that exists is a Conflict.
	CreateDefinition(ctx context.Context, d Definition) error
	Definition(ctx context.Context, tenant, connector, version string) (Definition, error)
	// Definitions lists a tenant's versions of one connector or (empty) of all, newest first.
	Definitions(ctx context.Context, tenant, connector string) ([]Definition, error)
}

// Publications keeps which version of a tenant's own connectors is current.
type Publications interface {
	CreatePublication(ctx context.Context, p Publication) error
	Publication(ctx context.Context, r Ref) (Publication, error)
	UpdatePublication(ctx context.Context, r Ref, change func(*Publication) error) (Publication, error)
	// Publications lists a tenant's, oldest first.
	Publications(ctx context.Context, tenant string) ([]Publication, error)
}

// Keysets keeps the wrapped data keys of tenants.
type Keysets interface {
	// Keyset returns a tenant's wrapped keyset, or NotFound.
	Keyset(ctx context.Context, tenant string) ([]byte, error)
	// CreateKeyset writes it once; a second one is a Conflict.
	CreateKeyset(ctx context.Context, tenant string, wrapped []byte) error
	// KeysetTenants lists the tenants that have one, in any order.
	KeysetTenants(ctx context.Context) ([]string, error)
	// ReplaceKeyset puts wrapped in the place of old; a Conflict if something else is there, or nothing.
	ReplaceKeyset(ctx context.Context, tenant string, old, wrapped []byte) error
}
