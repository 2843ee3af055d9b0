package audit

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Relay moves events from outboxes to the log and tells the sinks. Every instance runs one; a claim
// keeps two relays from working on one record at a time, and doing it twice is doing it once.
type Relay struct {
	Outbox Outbox
	Log    Log
	Sinks  []Sink
	Holder string        // names this instance
	Every  time.Duration // how often to look when there is nothing to do; zero means one second
	Logger *slog.Logger
}

// claimTTL is how long a claimed record is left to one relay. A relay that dies delays its events by
// this much.
const claimTTL = 30 * time.Second

// Run relays until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	every := r.Every
	if every == 0 {
		every = time.Second
	}
	for {
		if err := r.Drain(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Warn("relay events", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// Drain relays until no record has anything to relay.
func (r *Relay) Drain(ctx context.Context) error {
	for ctx.Err() == nil {
		parcel, ok, err := r.Outbox.ClaimOutbox(ctx, r.Holder, claimTTL)
		if err != nil {
			return fmt.Errorf("claim outbox: %w", err)
		}
		if !ok {
			return nil
		}
		if err := r.deliver(ctx, parcel); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *Relay) deliver(ctx context.Context, p Parcel) error {
	if err := r.Log.AppendEvents(ctx, p.Events); err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	for _, e := range p.Events {
		for _, s := range r.Sinks {
			if err := s.Deliver(ctx, e); err != nil {
				return fmt.Errorf("deliver %s: %w", e.Kind, err)
			}
		}
	}
	if err := r.Outbox.ClearOutbox(ctx, p); err != nil {
		return fmt.Errorf("clear outbox: %w", err)
	}
	return nil
}
