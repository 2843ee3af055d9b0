package storage

import (
	"time"

	"dowel/engine/audit"
	"dowel/engine/secret"
)

// FlowStatus is the condition of a flow.
type FlowStatus string

// The statuses of a flow. Done, failed and expired are ends.
const (
	FlowPending FlowStatus = "pending" // waiting for the callback or the person's answer
	FlowTaken   FlowStatus = "taken"   // the answer has come and is being worked on
	FlowDone    FlowStatus = "done"
	FlowFailed  FlowStatus = "failed"
)

// Flow is one authorization under way.
type Flow struct {
	Ref
	Revision int64
	// StateHash is the SHA-256 of the state, in hex; unique. A flow without a state holds a random one.
	StateHash string
	// BrowserHash is the SHA-256 of the cookie that binds the flow to one browser; empty when started
	// by a workload that has no browser.
	BrowserHash                       string
	Intent                            string // "connect", "sign_in", "link"
	Connector, ConnectorVersion, Auth string
	App                               string
	EndUser                           string
	// Target is the connection to reconnect; empty for a new one.
	Target string
	// Session is the connect session that allowed this flow; empty if none.
	Session string
	// Pending is sealed for {tenant, "flow", id}: what the method keeps until the answer comes,
	// including the person's answers.
	Pending secret.Sealed
	Status  FlowStatus
	// Step is what has to happen next while pending: "redirect", "form" or "wait" of the person; "delivered",
	// "awaiting" or "returned" where the provider's server has a part.
	Step string
	// PollAt is, of step "wait", when the provider may be asked next. Who asks moves it on first, so that
	// of several who find it due one asks.
	PollAt time.Time
	// Result is the id of the record made; Code and Message tell a failure (fault code, public text).
	Result, Code, Message string
	Reference             string // printed with a failure; finds the log line
	// Provider is what the provider said of a failure, ProviderCode its error code; Warnings are codes
	// of what the person should know about a success.
	Provider, ProviderCode string
	Warnings               []string
	ReturnURL              string
	OpenerOrigin           string
	Outbox                 []audit.Event
	CreatedAt, ExpiresAt   time.Time
}

// ConnectSession lets one browser complete one connection.
type ConnectSession struct {
	Ref
	Revision   int64
	TicketHash string // SHA-256 of the ticket, in hex; unique
	EndUser    string
	// Connectors the person may choose from; empty: all.
	Connectors []string
	// Connection to reconnect; empty for a new one.
	Connection   string
	ReturnURL    string
	OpenerOrigin string
	// BrowserHash binds the session to the browser that opened it first.
	BrowserHash string
	// Flow is the one that was begun last; empty if none was.
	Flow string
	// Used says that the session has made its connection.
	Used                 bool
	Result               string // id of the connection made
	CreatedBy            string
	Outbox               []audit.Event
	CreatedAt, ExpiresAt time.Time
}
