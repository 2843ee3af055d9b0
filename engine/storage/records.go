package storage

import (
	"time"

	"dowel/engine/audit"
	"dowel/engine/secret"
)

// App is a registration at a provider: client id and secrets.
type App struct {
	Ref
	Revision  int64
	Connector string
	Auth      string // id of the auth method this app is for; empty: any
	// Environment is the one of the connector's environments that this app is for; empty: any.
	Environment string
	Name        string
	ClientID    string
	// Secrets is sealed for {tenant, "app", id}: the client secrets, newest first, and further values.
	Secrets secret.Sealed
	// Fields are what is registered beside the client id and is not secret, by name; SecretNames say what
	// Secrets holds.
	Fields      map[string]string
	SecretNames []string
	Scopes      []string // replaces the definition's default scopes when not empty
	// Issuer is the authorization server this app is registered at, where a connector is used with
	// several; empty: the connector's own.
	Issuer string
	// RegisteringUntil is set while the app registers itself: whoever does has until then. There is no
	// client id before it is done.
	RegisteringUntil time.Time
	// SecretExpiresAt is when the provider takes the client secret no longer; zero: never.
	SecretExpiresAt time.Time
	// Refused says since when the provider has refused this app; zero when it does not. Its
	// connections are not refreshed until RetryAt.
	Refused              time.Time
	RetryAt              time.Time
	RefusedReason        string
	Outbox               []audit.Event
	CreatedAt, UpdatedAt time.Time
}

// APIKey lets a workload call the API. Its text is shown once and kept as a hash.
type APIKey struct {
	Ref
	Revision   int64
	Hash       string // SHA-256 of the key, in hex; unique
	Prefix     string // the first characters, to recognise it by
	Name       string
	Scopes     []string
	CreatedBy  string
	Outbox     []audit.Event
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: not revoked
	LastUsedAt time.Time // to the minute
}

// Session is an operator's console session, or a link that opens one (Link).
type Session struct {
	Ref
	Hash      string // SHA-256 of the cookie or link, in hex; unique
	Operator  string
	Link      bool
	CSRF      string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Tenant is the isolation boundary.
type Tenant struct {
	ID       string
	Revision int64
	Name     string
	// ReturnOrigins may be returned to after connecting, may open the Connect page as a popup and may
	// frame it; exact origins such as "https://app.example.com".
	ReturnOrigins []string
	CreatedAt     time.Time
}

// Publication says which version of a tenant's own connector is current. Its id is the connector's.
type Publication struct {
	Ref
	Revision int64
	Version  string // empty: withdrawn
	Outbox   []audit.Event

	CreatedAt, UpdatedAt time.Time
}

// Definition is one immutable version of a connector's definition, as its source text. Tenant is
// empty for the definitions that came with the process.
type Definition struct {
	Tenant, Connector, Version string
	Source                     []byte
	CreatedAt                  time.Time
}
