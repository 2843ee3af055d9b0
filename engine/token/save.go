package token

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"time"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
	"dowel/engine/storage"
)

// previousFor is how long the generation before the current one is kept.
const previousFor = 24 * time.Hour

// writeWait bounds one write of what came of a renewal; saveAgain is the longest pause before a
// credential in hand is written again.
const (
	writeWait = 5 * time.Second
	saveAgain = time.Second
)

// save writes a renewed credential. When the store does not answer, the credential is kept in hand,
// served, and written as soon as the store is back: it cannot be had a second time.
func (s *Source) save(ctx context.Context, j job, next auth.Credential) (storage.Connection, error) {
	if !next.ExpiresAt.After(next.ObtainedAt) {
		// Ended before it came: the provider's clock is not ours, and such a time would have us renew
		// without end.
		next.ExpiresAt = time.Time{}
	}
	sealed, err := s.seal(ctx, j, next)
	if err != nil {
		return storage.Connection{}, s.failed(ctx, j, fault.E(fault.Internal, "", errors.Join(auth.ErrAnswerLost, err)))
	}
	change := s.renewed(j, next, sealed)
	c, err := s.write(ctx, j, change)
	switch {
	case err == nil:
		s.cache.drop(c.Ref)
		return c, nil
	case noPlaceFor(err):
		return storage.Connection{}, s.unwanted(ctx, j, next, err)
	default:
		return s.hold(ctx, j, next, change, err)
	}
}

// noPlaceFor reports whether err says that there is no place any more for the credential to be saved.
func noPlaceFor(err error) bool {
	return errors.Is(err, errMovedOn) || fault.KindOf(err) == fault.NotFound
}

// seal seals next, waiting for the store if the tenant's key has to be read.
func (s *Source) seal(ctx context.Context, j job, next auth.Credential) (secret.Sealed, error) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, saveAgain) {
		sealed, err := s.Vault.SealCredential(ctx, j.c.Ref, next)
		if fault.KindOf(err) != fault.StoreDown {
			return sealed, err
		}
		time.Sleep(jittered(wait))
	}
}

// renewed is the change that puts next into the record.
//
// It is called for when the record still holds the credential that was spent, or bears our attempt:
// then an earlier call, overdue, was written while ours was under way, and ours is the newer answer.
// Whatever the connection's status became meanwhile, the old credential is spent; only the end of the
// connection makes the new one unwanted.
func (s *Source) renewed(j job, next auth.Credential, sealed secret.Sealed) func(*storage.Connection) error {
	id := audit.New(audit.CredentialRefreshed, j.c.Tenant, j.c.ID, s.actor(), nil)
	refreshAt := Plan(j.request.Auth, next, s.Next)
	return func(c *storage.Connection) error {
		if bytes.Equal(c.Credential, sealed) {
			return nil // written before, by a call whose answer was lost
		}
		ours := c.Attempt != nil && c.Attempt.ID == j.attempt.ID
		if c.Status == storage.Revoked || c.Version != j.c.Version && !ours {
			return errMovedOn
		}
		c.Previous, c.PreviousUntil = c.Credential, now().Add(previousFor)
		c.Credential, c.Version = sealed, c.Version+1
		c.ObtainedAt, c.ExpiresAt, c.RefreshExpiresAt = next.ObtainedAt, next.ExpiresAt, next.RefreshExpiresAt
		c.RefreshAt, c.GrantedScopes = refreshAt, next.Scopes
		if ours {
			c.Attempt = nil
		}
		if c.Status == storage.NeedsReauth {
			// Somebody took our silence for the end. See at once whether the new credential is any good.
			c.Status, c.StatusReason, c.RefreshAt = storage.Active, "", now()
		}
		c.Unverified = false
		c.Health.LastRefreshAt, c.Health.LastRefreshError, c.Health.Failures = now(), "", 0
		event := id
		event.Data = map[string]string{
			"connector": c.Connector, "version": strconv.FormatInt(c.Version, 10), "expires_at": stamp(next.ExpiresAt),
		}
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
	ctx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	c, err := s.Store.UpdateLeased(ctx, j.lease, change)
	if fault.KindOf(err) == fault.Conflict && !errors.Is(err, errMovedOn) {
		return s.Store.UpdateConnection(ctx, j.c.Ref, change)
	}
	return c, err
}

// unwanted deals with a credential that has no place any more. If the connection was made anew while
// the provider was asked, the newer credential stands, and ours is dropped, not revoked: that would
// take the whole grant back at some providers. If it was ended or deleted, ours is given back.
func (s *Source) unwanted(ctx context.Context, j job, next auth.Credential, cause error) error {
	s.cache.drop(j.c.Ref)
	c, err := s.Store.Connection(ctx, j.c.Ref)
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return err
	case err == nil && c.Status != storage.Revoked:
		return errElsewhere
	case err == nil:
		err = fault.E(fault.Revoked, "the connection was ended", cause)
	}
	if rv, ok := j.method.(auth.Revoker); ok {
		if rerr := rv.Revoke(ctx, j.request, next); rerr != nil && !errors.Is(rerr, auth.ErrNoRevoke) {
			s.Logger.Warn("revoke unwanted credential", "tenant", j.c.Tenant, "connection", j.c.ID, "err", rerr)
		}
	}
	return err
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
