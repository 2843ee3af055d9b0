package token

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// previousFor is how long the generation before the current one is kept.
const previousFor = 24 * time.Hour

// save writes a renewed credential. When the store does not answer, the credential is kept in hand,
// served, and written as soon as the store is back: it cannot be had a second time.
func (s *Source) save(ctx context.Context, j job, next auth.Credential) (storage.Connection, error) {
	sealed, err := s.Vault.SealCredential(ctx, j.c.Ref, next)
	if err != nil {
		return storage.Connection{}, s.release(ctx, j.lease, true, fmt.Errorf("seal credential: %w", err))
	}
	change := s.renewed(j, next, sealed)
	c, err := s.write(ctx, j, change)
	if err == nil {
		s.cache.drop(c.Ref)
		return c, nil
	}
	switch fault.KindOf(err) {
	case fault.StoreDown, fault.Timeout, fault.Internal:
		return s.hold(ctx, j, change, err)
	default:
		return storage.Connection{}, s.unwanted(ctx, j, next, err)
	}
}

// renewed is the change that puts next into the record.
func (s *Source) renewed(j job, next auth.Credential, sealed secret.Sealed) func(*storage.Connection) error {
	event := audit.New(audit.CredentialRefreshed, j.c.Tenant, j.c.ID, "engine:"+s.Holder, map[string]string{
		"connector": j.c.Connector, "version": strconv.FormatInt(j.c.Version+1, 10), "expires_at": stamp(next.ExpiresAt),
	})
	refreshAt := Plan(j.request.Auth, next, s.Next)
	return func(c *storage.Connection) error {
		if c.Version != j.c.Version || c.Status != storage.Active {
			return errMovedOn
		}
		c.Previous, c.PreviousUntil = c.Credential, now().Add(previousFor)
		c.Credential, c.Version = sealed, c.Version+1
		c.ObtainedAt, c.ExpiresAt, c.RefreshExpiresAt = next.ObtainedAt, next.ExpiresAt, next.RefreshExpiresAt
		c.RefreshAt, c.GrantedScopes = refreshAt, next.Scopes
		c.Attempt, c.Unverified, c.StatusReason = nil, false, ""
		c.Health.LastRefreshAt, c.Health.LastRefreshError, c.Health.Failures = now(), "", 0
		c.Emit(event)
		c.RaiseFence() // gives the lease back in the same write
		c.UpdatedAt = now()
		return nil
	}
}

// errMovedOn says that the record no longer holds the credential that was spent.
var errMovedOn = fault.E(fault.Conflict, "the connection has moved on", nil)

// write puts change into the record under the lease. When the lease ran out meanwhile but nobody has
// brought a newer credential, ours is still the only one that works, and it is written all the same:
// change looks at the version, and raising the fence shuts out whoever holds the lease now.
func (s *Source) write(ctx context.Context, j job, change func(*storage.Connection) error) (storage.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := s.Store.UpdateLeased(ctx, j.lease, change)
	if fault.KindOf(err) == fault.Conflict && !errors.Is(err, errMovedOn) {
		return s.Store.UpdateConnection(ctx, j.c.Ref, change)
	}
	return c, err
}

// unwanted deals with a credential that has no place any more: the connection was ended, deleted or
// made anew while the provider was asked.
func (s *Source) unwanted(ctx context.Context, j job, next auth.Credential, err error) error {
	kind := fault.KindOf(err)
	if kind != fault.Conflict && kind != fault.NotFound {
		return err
	}
	c, rerr := s.Store.Connection(ctx, j.c.Ref)
	if rerr == nil && c.Version > j.c.Version {
		return nil // a reconnect was faster; its credential is newer than ours
	}
	if rv, ok := j.method.(auth.Revoker); ok {
		if err := rv.Revoke(ctx, j.request, next); err != nil && !errors.Is(err, auth.ErrNoRevoke) {
			s.Logger.Warn("revoke unwanted credential", "tenant", j.c.Tenant, "connection", j.c.ID, "err", err)
		}
	}
	return fault.E(fault.Revoked, "the connection was ended", err)
}

// held keeps credentials that are renewed and not yet saved.
type held struct {
	mu sync.Mutex
	m  map[storage.Ref]storage.Connection
}

func (h *held) get(r storage.Ref) (storage.Connection, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.m[r]
	return c, ok
}

func (h *held) put(c storage.Connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.m == nil {
		h.m = map[storage.Ref]storage.Connection{}
	}
	h.m[c.Ref] = c
}

func (h *held) drop(r storage.Ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.m, r)
}

// hold keeps the renewed record in hand and goes on trying to save it.
func (s *Source) hold(ctx context.Context, j job, change func(*storage.Connection) error, cause error) (storage.Connection, error) {
	c := j.c
	if err := change(&c); err != nil {
		return storage.Connection{}, err
	}
	s.held.put(c)
	s.cache.drop(c.Ref)
	s.Logger.Error("a renewed credential could not be saved; keeping it and trying on",
		"tenant", c.Tenant, "connection", c.ID, "err", cause)
	s.work.hold()
	go func() {
		defer s.work.leave()
		s.saveLater(ctx, j, change)
	}()
	return c, nil
}

// saveLater tries until the store has the credential or does not want it.
func (s *Source) saveLater(ctx context.Context, j job, change func(*storage.Connection) error) {
	defer s.held.drop(j.c.Ref)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		time.Sleep(wait)
		_, err := s.write(ctx, j, change)
		kind := fault.KindOf(err)
		switch {
		case err == nil:
			s.Logger.Info("the kept credential is saved", "tenant", j.c.Tenant, "connection", j.c.ID)
			return
		case kind == fault.Conflict || kind == fault.NotFound:
			s.Logger.Warn("the kept credential is no longer wanted", "tenant", j.c.Tenant, "connection", j.c.ID, "err", err)
			return
		}
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
