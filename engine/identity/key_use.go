package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// keyUses remembers which keys were used and when, to the minute, until it is written down. A caller
// never waits for that.
type keyUses struct {
	mu sync.Mutex
	m  map[storage.Ref]time.Time
}

// note remembers the use of a key, unless its record tells of one in this minute already.
func (u *keyUses) note(k storage.APIKey) {
	t := now().Truncate(time.Minute)
	if !k.LastUsedAt.Before(t) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.put(k.Ref, t)
}

func (u *keyUses) put(r storage.Ref, t time.Time) {
	if u.m == nil {
		u.m = map[storage.Ref]time.Time{}
	}
	if u.m[r].Before(t) {
		u.m[r] = t
	}
}

func (u *keyUses) take() map[storage.Ref]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.m
	u.m = nil
	return taken
}

func (u *keyUses) giveBack(left map[storage.Ref]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for r, t := range left {
		u.put(r, t)
	}
}

// How often uses of keys are written, and how long the last time may take.
const (
	writeUses = 5 * time.Second
	lastUses  = 5 * time.Second
)

// Run writes down which keys were used until ctx ends, and a last time then.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(writeUses)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastUses)
			defer cancel()
			return s.FlushKeyUses(last)
		case <-tick.C:
			if err := s.FlushKeyUses(ctx); err != nil {
				s.Logger.Warn("note use of API keys", "err", err)
			}
		}
	}
}

// FlushKeyUses writes down which keys were used. What cannot be written is kept for the next time.
func (s *Service) FlushKeyUses(ctx context.Context) error {
	uses := s.uses.take()
	defer func() { s.uses.giveBack(uses) }()
	var failed []error
	for r, t := range uses {
		_, err := s.Store.UpdateAPIKey(ctx, r, func(k *storage.APIKey) error {
			if k.LastUsedAt.Before(t) {
				k.LastUsedAt = t
			}
			return nil
		})
		switch fault.KindOf(err) {
		case fault.None, fault.NotFound:
			delete(uses, r)
		case fault.StoreDown:
			return fmt.Errorf("note use of key %s: %w", r.ID, err) // the others would fare no better
		default:
			failed = append(failed, fmt.Errorf("note use of key %s: %w", r.ID, err))
		}
	}
	return errors.Join(failed...)
}
