package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"dowel/engine/audit"
)

// box is one record's outbox and a log.
type box struct {
	events, log []audit.Event
	claimed     bool
}

func (b *box) ClaimOutbox(context.Context, string, time.Duration) (audit.Parcel, bool, error) {
	if b.claimed || len(b.events) == 0 {
		return audit.Parcel{}, false, nil
	}
	b.claimed = true
	return audit.Parcel{Tenant: "t", Record: "r", Events: b.events}, true, nil
}

func (b *box) ClearOutbox(context.Context, audit.Parcel) error {
	b.events, b.claimed = nil, false
	return nil
}

func (b *box) AppendEvents(_ context.Context, events []audit.Event) error {
	for _, e := range events {
		known := false
		for _, have := range b.log {
			known = known || have.ID == e.ID
		}
		if !known {
			b.log = append(b.log, e)
		}
	}
	return nil
}

func (b *box) Events(context.Context, audit.Query) ([]audit.Event, error) { return b.log, nil }

// sink takes events, and refuses the first few deliveries.
type sink struct {
	refuse int
	got    []audit.Event
}

func (s *sink) Deliver(_ context.Context, e audit.Event) error {
	if s.refuse > 0 {
		s.refuse--
		return errors.New("not now")
	}
	s.got = append(s.got, e)
	return nil
}

func TestAnEventIsKeptUntilEverySinkHasIt(t *testing.T) {
	b := &box{events: []audit.Event{audit.New(audit.AppCreated, "t", "r", "x", nil), audit.New(audit.AppUpdated, "t", "r", "x", nil)}}
	s := &sink{refuse: 1}
	r := &audit.Relay{Outbox: b, Log: b, Sinks: []audit.Sink{s}, Logger: slog.New(slog.DiscardHandler)}
	if err := r.Drain(t.Context()); err == nil {
		t.Fatal("a delivery that failed counts as done")
	}
	if len(b.events) != 2 {
		t.Fatalf("%d events left in the outbox, want 2", len(b.events))
	}
	b.claimed = false // the claim has run out
	if err := r.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.events) != 0 || len(b.log) != 2 || len(s.got) != 2 {
		t.Errorf("outbox %d, log %d, sink %d; want 0, 2, 2", len(b.events), len(b.log), len(s.got))
	}
	if s.got[0].Kind != audit.AppCreated {
		t.Errorf("first %s, want the oldest first", s.got[0].Kind)
	}
}
