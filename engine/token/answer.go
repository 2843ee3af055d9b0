package token

import (
	"context"
	"time"

	"dowel/engine/auth"
	"dowel/engine/storage"
)

// answer is what the token route says, alike for every auth kind. It holds secrets in the open and
// exists only on its way out.
type answer struct {
	Connection  string            `json:"connection"`
	Connector   string            `json:"connector"`
	Kind        string            `json:"kind"`
	Version     int64             `json:"version"`
	AccessToken string            `json:"access_token"`
	TokenType   string            `json:"token_type,omitempty"`
	ExpiresAt   *time.Time        `json:"expires_at"`
	Scopes      []string          `json:"scopes"`
	Tokens      map[string]string `json:"tokens,omitempty"`
	Captured    map[string]string `json:"captured,omitempty"`
	Request     auth.Attachment   `json:"request"`
	Warning     string            `json:"warning,omitempty"`
}

// live opens the credential of c and writes the answer, which is also kept sealed for a moment.
func (s *Source) live(ctx context.Context, c storage.Connection, warning string) (Live, error) {
	_, r, err := s.Vault.Attachment(ctx, c)
	if err != nil {
		return Live{}, err
	}
	cred, err := s.Vault.OpenCredential(ctx, c.Ref, c.Credential)
	if err != nil {
		return Live{}, err
	}
	if warning == "" && c.Unverified {
		warning = "unverified"
	}
	a := answer{
		Connection: c.ID, Connector: c.Connector, Kind: c.Kind, Version: c.Version,
		AccessToken: cred.Primary(r.Auth).Reveal(), TokenType: cred.TokenType, Scopes: c.GrantedScopes,
		Captured: c.Captured, Warning: warning,
	}
	if a.Scopes == nil {
		a.Scopes = []string{}
	}
	if !c.ExpiresAt.IsZero() {
		a.ExpiresAt = &c.ExpiresAt
	}
	for name, v := range cred.Tokens {
		if a.Tokens == nil {
			a.Tokens = map[string]string{}
		}
		a.Tokens[name] = v.Reveal()
	}
	if a.Request, err = auth.Attach(r, cred); err != nil {
		return Live{}, err
	}
	out := Live{Ref: c.Ref, Version: c.Version, ExpiresAt: c.ExpiresAt, Warning: warning, JSON: a.encode()}
	if warning == "" || warning == "unverified" {
		s.cache.put(out, c, s.cacheTTL(), time.Now())
	}
	return out, nil
}

// Open returns the credential of a connection that is good now, for calls on its behalf.
func (s *Source) Open(ctx context.Context, c storage.Connection) (auth.Method, auth.Request, auth.Credential, error) {
	m, r, err := s.Vault.Request(ctx, c)
	if err != nil {
		return nil, auth.Request{}, auth.Credential{}, err
	}
	cred, err := s.Vault.OpenCredential(ctx, c.Ref, c.Credential)
	return m, r, cred, err
}
