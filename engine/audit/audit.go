// Package audit holds the facts: what an event is, where events are kept, and how they get there.
//
// A change of state and its event are one document write: the event stands in the record's outbox
// until the Relay has appended it to the log and told every Sink. A fact without a change of state
// goes straight to the Log. No secret is ever in an event; Data holds plain, short, public strings.
package audit

import (
	"context"
	"crypto/rand"
	"time"
)

// Event is one fact. Events of one subject are in the order in which they happened.
type Event struct {
	ID      string            `json:"id"`
	Kind    Kind              `json:"kind"`
	Tenant  string            `json:"tenant"`
	Subject string            `json:"subject"` // the id of the record it is about
	Actor   string            `json:"actor"`   // who did it: "workload:key_…", "end_user:…", "engine"
	At      time.Time         `json:"at"`
	Data    map[string]string `json:"data,omitempty"`
}

// New returns an event that happens now.
func New(kind Kind, tenant, subject, actor string, data map[string]string) Event {
	return Event{
		ID: "evt_" + rand.Text(), Kind: kind, Tenant: tenant, Subject: subject, Actor: actor,
		At: time.Now().UTC().Truncate(time.Millisecond), Data: data,
	}
}

// Query selects events of one tenant, newest first.
type Query struct {
	Tenant  string
	Subject string // empty: all subjects
	Kind    Kind   // empty: all kinds
	Before  string // id of the event to continue after; empty: from the newest
	Limit   int    // 1 to 200
}

// Log is the append-only list of events. Appending an event twice is appending it once.
type Log interface {
	AppendEvents(ctx context.Context, events []Event) error
	Events(ctx context.Context, q Query) ([]Event, error)
}

// Parcel is the outbox of one record, claimed by one relay for a while.
type Parcel struct {
	Tenant, Record string
	Events         []Event // oldest first
}

// Outbox hands out records that have events to relay.
type Outbox interface {
	// ClaimOutbox claims one record with a filled outbox for ttl, so that no other relay takes it
	// meanwhile; ok is false when there is none.
	ClaimOutbox(ctx context.Context, holder string, ttl time.Duration) (p Parcel, ok bool, err error)
	// ClearOutbox removes the given events from the record and ends the claim.
	ClearOutbox(ctx context.Context, p Parcel) error
}

// Sink is told every event at least once, oldest first per subject.
type Sink interface {
	Deliver(ctx context.Context, e Event) error
}
