package auth

import (
	"cmp"
	"context"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// refresh renews c with its refresh token (RFC 6749 §6), or trades its access token where the definition
// says so. A c that cannot be renewed is fault.NeedsReauth.
func refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	if !c.Renewable(r.Auth) {
		return Credential{}, notRenewable()
	}
	t := refreshRequest(r.Auth)
	standard := r.refreshParams(t, c)
	r.Fields = c.Fields
	done, err := r.exchange(ctx, t, standard, r.env(&c), &c)
	return done.Credential, err
}

// refreshRequest is the token request with what the refresh block says in its place. Grant type and
// parameters belong to one request and are never taken over.
func refreshRequest(a *definition.Auth) *definition.TokenRequest {
	t := *a.Token
	t.GrantType, t.Params, t.Then = "", nil, nil
	f := a.Refresh
	if f == nil {
		return &t
	}
	if f.URL != nil {
		t.URL = *f.URL
	}
	t.Method = cmp.Or(f.Method, t.Method)
	t.ClientAuth = cmp.Or(f.ClientAuth, t.ClientAuth)
	t.Format = cmp.Or(f.Format, t.Format)
	t.GrantType, t.Params = f.GrantType, f.Params
	if f.Names != nil {
		t.Names = f.Names
	}
	if f.Headers != nil {
		t.Headers = f.Headers
	}
	t.Reading = f.ReadingOf(a.Token)
	t.Success = cmp.Or(f.Success, t.Success)
	t.Error = cmp.Or(f.Error, t.Error)
	t.ErrorDescription = cmp.Or(f.ErrorDescription, t.ErrorDescription)
	if f.Answer != nil {
		t.Answer = *f.Answer
	}
	return &t
}

// refreshParams are the parameters of RFC 6749 §6; a trade of the access token has only what the
// definition says.
func (r Request) refreshParams(t *definition.TokenRequest, c Credential) []pair {
	if r.Auth.RefreshGrant() == definition.GrantAccessToken {
		if t.GrantType == "" {
			return nil
		}
		return []pair{{"grant_type", t.GrantType}}
	}
	return []pair{{"grant_type", cmp.Or(t.GrantType, "refresh_token")}, {"refresh_token", c.RefreshToken.Reveal()}}
}

// notRenewable says that there is nothing to renew with; nothing was sent.
func notRenewable() error {
	return fault.E(fault.NeedsReauth, "the credential cannot be renewed", nil)
}
