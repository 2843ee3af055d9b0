package auth

import (
	"time"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

// Credential is the secret material of a connection, whatever the kind.
type Credential struct {
	Kind         definition.AuthKind
	AccessToken  secret.Value
	TokenSecret  secret.Value // signs with the access token under OAuth 1.0
	RefreshToken secret.Value
	IDToken      secret.Value
	TokenType    string
	// ObtainedAt is when the provider's answer came; ExpiresAt and RefreshExpiresAt are zero if
	// unknown or never.
	ObtainedAt, ExpiresAt, RefreshExpiresAt time.Time
	// Scopes are those granted.
	Scopes []string
	// Tokens are further tokens of the same grant, Values what a login yielded, Fields what the
	// person typed.
	Tokens, Values, Fields map[string]secret.Value
	// Answer is what was learnt beside the credential while a flow completes; it is not kept.
	Answer any
}

// Values wraps every text of m.
func Values(m map[string]string) map[string]secret.Value {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]secret.Value, len(m))
	for k, v := range m {
		out[k] = secret.New(v)
	}
	return out
}

// Primary is the one secret a program would ask for: the access token, the login's first value or the
// only secret the person typed.
func (c Credential) Primary(a *definition.Auth) secret.Value {
	if !c.AccessToken.IsZero() {
		return c.AccessToken
	}
	for _, s := range a.Login {
		for _, v := range s.Credential {
			return c.Values[v.Name]
		}
	}
	var only secret.Value
	for _, f := range a.Fields {
		if !f.Secret() {
			continue
		}
		if !only.IsZero() {
			return secret.Value{}
		}
		only = c.Fields[f.Name]
	}
	return only
}

// Renewable reports whether the definition says how to renew c without the person, and c holds what
// that takes.
func (c Credential) Renewable(a *definition.Auth) bool {
	if a.Renew != nil {
		return len(a.Login) > 0
	}
	switch a.RefreshGrant() {
	case definition.GrantClientCredentials, definition.GrantJWTBearer, definition.GrantTokenExchange, definition.GrantPassword:
		return true
	case definition.GrantAccessToken:
		return !c.AccessToken.IsZero()
	case definition.GrantRefreshToken:
		return !c.RefreshToken.IsZero()
	}
	return false
}
