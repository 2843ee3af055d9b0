package token

import (
	"context"
	"sync"
	"time"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// held keeps credentials that are renewed and not yet saved. While one is held, the one in the store
// is spent, and nothing may be renewed from there.
type held struct {
	mu sync.Mutex
	m  map[storage.Ref]inHand
}

type inHand struct {
	c storage.Connection
	// hidden says that the record may have moved on: c still has to be saved, but is not served.
	hidden bool
}

func (h *held) get(r storage.Ref) (inHand, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.m[r]
	return c, ok
}

func (h *held) put(c storage.Connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.m == nil {
		h.m = map[storage.Ref]inHand{}
	}
	h.m[c.Ref] = inHand{c: c}
}

func (h *held) hide(r storage.Ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c, ok := h.m[r]; ok {
		h.m[r] = inHand{c: c.c, hidden: true}
	}
}

func (h *held) drop(r storage.Ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.m, r)
}

// hold keeps the renewed record in hand and goes on trying to save it.
func (s *Source) hold(ctx context.Context, j job, next auth.Credential, change func(*storage.Connection) error, cause error) (storage.Connection, error) {
	c := j.c
	if err := change(&c); err != nil {
		return storage.Connection{}, err
	}
	s.held.put(c)
	s.cache.drop(c.Ref)
	s.work.hold()
	go func() {
		defer s.work.leave()
		s.saveLater(ctx, j, next, change, cause)
	}()
	return c, nil
}

// alarmAgain is how often it is said that a credential is still not saved.
const alarmAgain = time.Minute

// saveLater tries until the store has the credential or does not want it.
func (s *Source) saveLater(ctx context.Context, j job, next auth.Credential, change func(*storage.Connection) error, err error) {
	defer s.held.drop(j.c.Ref)
	log := s.Logger.With("tenant", j.c.Tenant, "connection", j.c.ID)
	var said time.Time
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, saveAgain) {
		if time.Since(said) >= alarmAgain {
			said = time.Now()
			log.Error("a renewed credential could not be saved; keeping it and trying on", "err", err)
		}
		time.Sleep(jittered(wait))
		_, err = s.write(ctx, j, change)
		switch {
		case err == nil:
			log.Info("the kept credential is saved")
			return
		case noPlaceFor(err):
			if err = s.unwanted(ctx, j, next, err); fault.KindOf(err) == fault.StoreDown {
				continue
			}
			log.Warn("the kept credential is no longer wanted", "err", err)
			return
		}
	}
}
