package storage

import (
	"time"

	"dowel/engine/audit"
	"dowel/engine/secret"
)

// Status is the condition of a connection. How well it does is its Health.
type Status string

// The statuses of a connection.
const (
	Active      Status = "active"
	NeedsReauth Status = "needs_reauth" // the end user has to connect again
	Revoked     Status = "revoked"      // ended; the credential is gone
	Disabled    Status = "disabled"     // switched off by an operator; the credential is kept
)

// Connection is the durable link of an end user to a provider through a connector.
type Connection struct {
	Ref
	// Revision counts the writes of this record; a store compares it before it writes.
	Revision int64
	// Connector, ConnectorVersion and Auth name the definition this connection was made with.
	Connector, ConnectorVersion, Auth string
	Kind                              string // the auth kind
	App                               string // id of the app; empty for kinds without one
	EndUser                           string // the tenant's own name for the person
	Name                              string // what people call this connection
	Status                            Status
	StatusReason                      string // a stable code: "invalid_grant", "refresh_result_unknown", …
	Identity                          Identity
	Inputs                            map[string]string // answers that are not secret
	Captured                          map[string]string // values the provider told us while connecting
	Discovered                        map[string]string // addresses the provider published while connecting
	RequestedScopes, GrantedScopes    []string
	// Credential is sealed for {tenant, "credential", id}. Previous is the generation before it, kept
	// until PreviousUntil for providers that grant a grace on reuse.
	Credential, Previous secret.Sealed
	PreviousUntil        time.Time
	// Version counts credentials: it moves when, and only when, the credential does.
	Version int64
	// ObtainedAt is when the credential came. ExpiresAt is when the access token ends, RefreshExpiresAt when the refresh token does; zero if
	// unknown or never. RefreshAt is when the sweep should renew; zero if it should not.
	ObtainedAt, ExpiresAt, RefreshExpiresAt, RefreshAt time.Time
	// Unverified says that nobody has seen this credential work.
	Unverified bool
	Lease      Lease
	Attempt    *Attempt
	Health     Health
	Outbox     []audit.Event

	CreatedAt, UpdatedAt time.Time
}

// Identity is the end user at the provider.
type Identity struct {
	Subject, Email, Name, Avatar string
	EmailVerified                bool
}

// Lease is the right to refresh one connection. Fence says whose right is newest.
type Lease struct {
	Ref    Ref // set on leases handed out, not stored
	Holder string
	Until  time.Time
	Fence  int64
}

// Attempt notes that a renewal may be under way at the provider, before it is sent. One that is
// found by the next holder of the lease was never answered as far as we know.
type Attempt struct {
	ID      string
	At      time.Time
	Version int64 // of the credential being spent
	// Tries counts the attempts with this version of the credential that nobody answered.
	Tries int
	// MaySpend says that the attempt can use up a single-use secret.
	MaySpend bool
}

// Health tells how a connection does, apart from its status.
type Health struct {
	LastRefreshAt    time.Time
	LastRefreshError string // cut and clean; the provider's words marked as such
	Failures         int    // refreshes failed in a row
	LastTestAt       time.Time
	LastTestError    string // empty: it passed
}

// DueAt is when the sweep has to look at c: when it is to be renewed or, if it is not to be, when it
// ends. It is zero if there is nothing to look at.
func (c *Connection) DueAt() time.Time {
	switch {
	case c.Status != Active:
		return time.Time{}
	case c.RefreshAt.IsZero():
		return c.ExpiresAt
	}
	return c.RefreshAt
}

// RaiseFence invalidates any lease now held: a refresh under way cannot write any more.
func (c *Connection) RaiseFence() {
	c.Lease.Fence++
	c.Lease.Holder, c.Lease.Until = "", time.Time{}
}

// Emit adds events to the outbox, to be written together with the change they tell of.
func (c *Connection) Emit(events ...audit.Event) { c.Outbox = append(c.Outbox, events...) }
