// Package identity turns what a caller shows into a Principal: an API key, a connect session's
// ticket, an operator's console session. It keeps those, and the tenants they belong to.
//
// What a Principal may do is access's affair; this room only says who it is. Everything shown is
// random, 256 bits long, kept as a hash, and found by that hash.
package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Store is the part of the store this room uses.
type Store interface {
	storage.APIKeys
	storage.ConnectSessions
	storage.Sessions
	storage.Tenants
	AppendEvents(ctx context.Context, events []audit.Event) error
}

// Service knows callers. Its fields are set once, before use.
type Service struct {
	Store     Store
	PublicURL string
	Logger    *slog.Logger
	// KeyCache is how long a key that was found good is believed without looking; 2 s. It bounds how
	// long a revoked key goes on working on other instances.
	KeyCache time.Duration

	keys keyCache
	uses keyUses
}

// keyPrefix begins every API key, so that scanners for leaked secrets can know them.
const keyPrefix = "dowel_"

// newSecret returns 256 random bits as text.
func newSecret() string { return rand.Text() + rand.Text() }

// hash is what is kept of a shown secret. It is random and long, so a plain SHA-256 is enough and
// makes looking it up cost the same whatever was shown.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// unauthenticated is the one answer to every key that is not good.
func unauthenticated(cause error) error {
	return fault.E(fault.Unauthenticated, "a valid API key is needed", cause)
}

// lookupTimeout bounds how long a caller waits to be known.
const lookupTimeout = 2 * time.Second

// Workload returns the principal an API key stands for.
func (s *Service) Workload(ctx context.Context, key string) (access.Principal, error) {
	if len(key) < 20 || len(key) > 200 {
		return access.Principal{}, unauthenticated(nil)
	}
	sum := sha256.Sum256([]byte(key))
	if p, ok := s.keys.get(sum, time.Now()); ok {
		return p, nil
	}
	h := hex.EncodeToString(sum[:])
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	k, err := s.Store.APIKey(ctx, h)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return access.Principal{}, unauthenticated(nil)
	case err != nil:
		return access.Principal{}, err
	case !k.RevokedAt.IsZero() || !k.ExpiresAt.IsZero() && !now().Before(k.ExpiresAt):
		return access.Principal{}, unauthenticated(nil)
	}
	p := access.Principal{Kind: access.Workload, Tenant: k.Tenant, ID: k.ID}
	for _, a := range k.Scopes {
		p.Actions = append(p.Actions, access.Action(a))
	}
	until := time.Now().Add(s.keyCache())
	if !k.ExpiresAt.IsZero() && k.ExpiresAt.Before(until) {
		until = k.ExpiresAt
	}
	s.keys.put(sum, p, until)
	s.uses.note(k)
	return p, nil
}

func (s *Service) keyCache() time.Duration {
	if s.KeyCache > 0 {
		return s.KeyCache
	}
	return 2 * time.Second
}

// EnsureTenant makes sure that a tenant exists.
func (s *Service) EnsureTenant(ctx context.Context, id, name string) error {
	err := s.Store.CreateTenant(ctx, storage.Tenant{ID: id, Revision: 1, Name: name, CreatedAt: now()})
	if fault.KindOf(err) == fault.Conflict {
		return nil
	}
	return err
}

// TenantName returns what a tenant is called.
func (s *Service) TenantName(ctx context.Context, tenant string) (string, error) {
	t, err := s.Store.Tenant(ctx, tenant)
	return t.Name, err
}

// ReturnOrigins lists the origins that may open, frame and be returned to from a tenant's Connect page.
func (s *Service) ReturnOrigins(ctx context.Context, tenant string) ([]string, error) {
	t, err := s.Store.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return t.ReturnOrigins, nil
}

// AllowOrigins sets a tenant's return origins.
func (s *Service) AllowOrigins(ctx context.Context, tenant string, origins []string) error {
	for _, o := range origins {
		if !isOrigin(o) {
			return fault.Field("return_origins", o+" is not an origin such as https://app.example.com")
		}
	}
	_, err := s.Store.UpdateTenant(ctx, tenant, func(t *storage.Tenant) error {
		t.ReturnOrigins = origins
		return nil
	})
	return err
}
