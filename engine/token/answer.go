package token

import (
	"context"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
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

// live opens the credential of c and writes the answer.
func (s *Source) live(ctx context.Context, c storage.Connection, warning string) (Live, error) {
	_, r, err := s.Vault.Attachment(ctx, c)
	undefined := err != nil && codeOf(err) == "definition-missing"
	if err != nil && !undefined {
		return Live{}, err
	}
	cred, oerr := s.Vault.OpenCredential(ctx, c.Ref, c.Credential)
	if oerr != nil {
		return Live{}, oerr
	}
	if undefined {
		if cred.AccessToken.IsZero() {
			return Live{}, err
		}
		warning = "definition_missing" // the token works all the same; where it goes is for the caller to know
	}
	if err := checkApp(r, cred); err != nil {
		return Live{}, err
	}
	a := newAnswer(c, cred, r.Auth, warning)
	if undefined {
		a.Request = auth.Attachment{Headers: map[string]string{}, Query: map[string]string{}}
	} else if a.Request, err = auth.Attach(r, cred); err != nil {
		return Live{}, err
	}
	return Live{Ref: c.Ref, Version: c.Version, ExpiresAt: c.ExpiresAt, Warning: a.Warning, answer: &a}, nil
}

func newAnswer(c storage.Connection, cred auth.Credential, a *definition.Auth, warning string) answer {
	if warning == "" && c.Unverified {
		warning = "unverified"
	}
	out := answer{
		Connection: c.ID, Connector: c.Connector, Kind: c.Kind, Version: c.Version,
		AccessToken: cred.Primary(a).Reveal(), TokenType: cred.TokenType, Scopes: c.GrantedScopes,
		Captured: c.Captured, Warning: warning,
	}
	if out.Scopes == nil {
		out.Scopes = []string{}
	}
	if at := c.ExpiresAt; !at.IsZero() {
		out.ExpiresAt = &at // a pointer into c would move the whole record to the heap
	}
	for name, v := range cred.Tokens {
		if out.Tokens == nil {
			out.Tokens = map[string]string{}
		}
		out.Tokens[name] = v.Reveal()
	}
	return out
}

// checkApp is CheckApp for a request with c; what was typed with it may name the server.
func checkApp(r auth.Request, c auth.Credential) error {
	r.Fields = c.Fields
	return r.CheckApp()
}

// Open returns the credential of a connection that is good now, for calls on its behalf.
func (s *Source) Open(ctx context.Context, c storage.Connection) (auth.Method, auth.Request, auth.Credential, error) {
	m, r, err := s.Vault.Request(ctx, c)
	if err != nil {
		return nil, auth.Request{}, auth.Credential{}, err
	}
	cred, err := s.Vault.OpenCredential(ctx, c.Ref, c.Credential)
	if err != nil {
		return nil, auth.Request{}, auth.Credential{}, err
	}
	return m, r, cred, checkApp(r, cred)
}
