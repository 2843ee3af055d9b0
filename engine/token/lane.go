package token

import (
	"context"
	"slices"
	"sync"
	"time"

	"dowel/engine/storage"
)

// lanes are the ways to providers, one for each app: how many renewals may be under way through it,
// and until when the provider asked to be left alone.
//
// A lane begins narrow and widens with every renewal that does not accuse the app. A client secret
// that has become invalid is thus found out by a few calls and not by one for each connection, which
// providers answer by locking the app.
type lanes struct {
	mu sync.Mutex
	m  map[laneKey]*lane
}

type laneKey struct{ tenant, connector, app string }

func laneOf(c storage.Connection) laneKey { return laneKey{c.Tenant, c.Connector, c.App} }

// The width of a lane nobody has tried, how long one stays wide without use, and how many are
// remembered before those out of use are dropped.
const (
	narrow    = 3
	staysWide = time.Minute
	manyLanes = 1000
)

type lane struct {
	pausedUntil time.Time
	usedAt      time.Time
	width, busy int
	queue       []chan struct{} // those waiting, in their order; closed when it is their turn
}

// at returns the lane of key. The caller holds mu.
func (l *lanes) at(key laneKey) *lane {
	if l.m == nil {
		l.m = map[laneKey]*lane{}
	}
	if a, ok := l.m[key]; ok {
		return a
	}
	if len(l.m) >= manyLanes {
		for k, a := range l.m {
			if a.idle() && time.Now().After(a.pausedUntil) {
				delete(l.m, k)
			}
		}
	}
	a := &lane{width: narrow, usedAt: time.Now()}
	l.m[key] = a
	return a
}

func (a *lane) idle() bool { return a.busy == 0 && time.Since(a.usedAt) > staysWide }

// pause leaves the provider alone until the given time.
func (l *lanes) pause(key laneKey, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.at(key); until.After(a.pausedUntil) {
		a.pausedUntil = until
	}
}

// pausedUntil returns when the provider may be asked again; in the past if it may be now.
func (l *lanes) pausedUntil(key laneKey) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a, ok := l.m[key]; ok {
		return a.pausedUntil
	}
	return time.Time{}
}

// turn is a place in a lane. A nil turn is a place where nobody counts.
type turn struct {
	lanes *lanes
	key   laneKey
}

// try takes a place if one is free. What a connection of a person's own client says does not speak
// for others, so nobody counts there.
func (l *lanes) try(key laneKey) (t *turn, ok bool) {
	if key.app == "" {
		return nil, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.at(key)
	if a.idle() {
		a.width = narrow
	}
	if a.busy >= a.width {
		return nil, false
	}
	a.busy++
	return &turn{l, key}, true
}

// wait takes a place when its turn has come, or returns nil when ctx ends first.
func (l *lanes) wait(ctx context.Context, key laneKey) *turn {
	mine := make(chan struct{})
	l.mu.Lock()
	a := l.at(key)
	a.queue = append(a.queue, mine)
	a.admit()
	l.mu.Unlock()
	select {
	case <-mine:
		return &turn{l, key}
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(a.queue, mine); i >= 0 {
		a.queue = slices.Delete(a.queue, i, i+1)
		return nil
	}
	return &turn{l, key} // it came at the last moment; the caller gives it back
}

// admit lets in who waits while there is room. The caller holds mu.
func (a *lane) admit() {
	for len(a.queue) > 0 && a.busy < a.width {
		close(a.queue[0])
		a.queue = a.queue[1:]
		a.busy++
	}
}

// widen notes that the provider had nothing against the app, narrow that it had.
func (t *turn) widen() { t.set(func(w int) int { return w + 1 }) }

func (t *turn) narrow() { t.set(func(int) int { return narrow }) }

func (t *turn) set(width func(int) int) {
	if t == nil {
		return
	}
	t.lanes.mu.Lock()
	defer t.lanes.mu.Unlock()
	a := t.lanes.at(t.key)
	a.width = width(a.width)
	a.admit()
}

// end gives the place back.
func (t *turn) end() {
	if t == nil {
		return
	}
	t.lanes.mu.Lock()
	defer t.lanes.mu.Unlock()
	a := t.lanes.at(t.key)
	a.busy--
	a.usedAt = time.Now()
	a.admit()
}
