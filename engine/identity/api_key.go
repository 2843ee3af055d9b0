package identity

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"dowel/engine/access"
	"dowel/engine/audit"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// APIKeyView is a key without its text.
type APIKeyView struct {
	ID         string     `json:"id"`
	Prefix     string     `json:"prefix"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func keyView(k storage.APIKey) APIKeyView {
	return APIKeyView{
		ID: k.ID, Prefix: k.Prefix, Name: k.Name, Scopes: k.Scopes, CreatedAt: k.CreatedAt,
		ExpiresAt: moment(k.ExpiresAt), RevokedAt: moment(k.RevokedAt), LastUsedAt: moment(k.LastUsedAt),
	}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// CreateAPIKey makes a key and returns its text, which is shown this once. A caller cannot give a key
// more than it has itself.
func (s *Service) CreateAPIKey(ctx context.Context, p access.Principal, name string, scopes []string, expires time.Time) (text string, view APIKeyView, err error) {
	if !p.May(access.WriteAPIKeys) {
		return "", APIKeyView{}, forbidden(access.WriteAPIKeys)
	}
	if name == "" || len(name) > 100 {
		return "", APIKeyView{}, fault.Field("name", "the name must have 1 to 100 characters")
	}
	if len(scopes) == 0 {
		return "", APIKeyView{}, fault.Field("scopes", "at least one scope is needed")
	}
	for _, sc := range scopes {
		if !slices.Contains(access.Actions(), access.Action(sc)) {
			return "", APIKeyView{}, fault.Field("scopes", "there is no scope "+sc)
		}
		if !p.May(access.Action(sc)) {
			return "", APIKeyView{}, forbidden(access.Action(sc))
		}
	}
	if !expires.IsZero() && !expires.After(now()) {
		return "", APIKeyView{}, fault.Field("expires_at", "the key would have expired already")
	}
	text = keyPrefix + newSecret()
	k := storage.APIKey{
		Ref: storage.Ref{Tenant: p.Tenant, ID: "key_" + rand.Text()}, Revision: 1, Hash: hash(text), Prefix: text[:len(keyPrefix)+6],
		Name: name, Scopes: scopes, CreatedBy: string(p.Kind) + ":" + p.ID, CreatedAt: now(), ExpiresAt: expires.UTC().Truncate(time.Millisecond),
	}
	k.Outbox = append(k.Outbox, audit.New(audit.APIKeyCreated, k.Tenant, k.ID, k.CreatedBy, map[string]string{"name": name}))
	if err := s.Store.CreateAPIKey(ctx, k); err != nil {
		return "", APIKeyView{}, err
	}
	return text, keyView(k), nil
}

func forbidden(a access.Action) error {
	return fault.E(fault.Forbidden, "this key lacks the scope "+string(a), nil).WithCode("scope-missing")
}

// APIKeys lists the tenant's keys.
func (s *Service) APIKeys(ctx context.Context, p access.Principal) ([]APIKeyView, error) {
	if !p.May(access.ReadAPIKeys) {
		return nil, forbidden(access.ReadAPIKeys)
	}
	keys, err := s.Store.APIKeys(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	out := make([]APIKeyView, 0, len(keys))
	for _, k := range keys {
		out = append(out, keyView(k))
	}
	return out, nil
}

// RevokeAPIKey ends a key: here at once, on other instances within the time keys are believed.
func (s *Service) RevokeAPIKey(ctx context.Context, p access.Principal, id string) error {
	if !p.May(access.WriteAPIKeys) {
		return forbidden(access.WriteAPIKeys)
	}
	k, err := s.Store.UpdateAPIKey(ctx, storage.Ref{Tenant: p.Tenant, ID: id}, func(k *storage.APIKey) error {
		if k.RevokedAt.IsZero() {
			k.RevokedAt = now()
			k.Outbox = append(k.Outbox, audit.New(audit.APIKeyRevoked, k.Tenant, k.ID, string(p.Kind)+":"+p.ID, map[string]string{"name": k.Name}))
		}
		return nil
	})
	if fault.KindOf(err) == fault.NotFound {
		return fault.E(fault.NotFound, "there is no such key", err)
	}
	if err != nil {
		return err
	}
	s.keys.drop(k.Hash)
	return nil
}
