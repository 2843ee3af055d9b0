package auth

import (
	"cmp"
	"context"
	"errors"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// TokenExchange returns the token exchange grant (RFC 8693): a token that somebody else issued is traded
// for one of the provider.
func TokenExchange() Method { return tokenExchange{} }

type tokenExchange struct{ applied }

var (
	_ Refresher = tokenExchange{}
	_ Revoker   = tokenExchange{}
)

// Kind implements Method.
func (tokenExchange) Kind() definition.AuthKind { return definition.TokenExchange }

// Begin trades the token at once.
func (m tokenExchange) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	done, err := m.request(ctx, r, nil)
	if refused := deadGrant(err); refused != nil {
		return nil, Pending{}, r.notAccepted(refused, "credential-rejected")
	}
	if badSubject(err) {
		return nil, Pending{}, r.notAccepted(fault.As(err), "credential-rejected")
	}
	if err != nil {
		return nil, Pending{}, err
	}
	done.Credential.Fields = r.Fields
	return done, Pending{}, nil
}

// badSubject reports whether the provider found something wrong with what was to be traded: RFC 8693
// §2.2.2 has invalid_request for that.
func badSubject(err error) bool {
	var pe *ProviderError
	return errors.As(err, &pe) && pe.Code == "invalid_request" && fault.KindOf(err) == fault.Refused
}

func (tokenExchange) request(ctx context.Context, r Request, before *Credential) (Done, error) {
	env := r.env(before)
	if id, _ := r.client(env); id == "" && r.Auth.NeedsApp() {
		return Done{}, r.noApp()
	}
	standard, err := r.tradeParams(env)
	if err != nil {
		return Done{}, err
	}
	done, err := r.exchange(ctx, r.Auth.Token, standard, env, before)
	if err == nil && len(done.Credential.Scopes) == 0 {
		// An answer without scope grants what was asked for (RFC 8693 §2.2.1).
		done.Credential.Scopes = r.requestedScopes()
	}
	return done, err
}

// grantTokenExchange is the grant type of RFC 8693 §2.1.
const grantTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"

// tradeParams are the parameters of RFC 8693 §2.1; audience and resource may come several times.
func (r Request) tradeParams(env definition.Env) ([]pair, error) {
	x := r.Auth.Exchange
	out := []pair{{"grant_type", cmp.Or(r.Auth.Token.GrantType, grantTokenExchange)}}
	for _, p := range []struct {
		name   string
		values []*definition.Template
	}{
		{"subject_token", []*definition.Template{&x.SubjectToken}},
		{"subject_token_type", []*definition.Template{&x.SubjectTokenType}},
		{"actor_token", []*definition.Template{x.ActorToken}},
		{"actor_token_type", []*definition.Template{x.ActorTokenType}},
		{"requested_token_type", []*definition.Template{x.RequestedTokenType}},
		{"audience", x.Audience.All()},
		{"resource", x.Resource.All()},
	} {
		for _, t := range p.values {
			if t == nil {
				continue
			}
			v, err := t.Fill(env)
			if err != nil {
				return nil, invalidRequest("token", err)
			}
			out = append(out, pair{p.name, v})
		}
	}
	scopes, err := r.scopeParams(env)
	return append(out, scopes...), err
}

// Complete is never called: Begin is Done.
func (tokenExchange) Complete(context.Context, Request, Pending, Answer) (Step, error) {
	return nil, nothingPending()
}

// Refresh renews c, or trades the same token again where the definition says so. What the provider says
// of a token that it took before and takes no more is fault.NeedsReauth.
func (m tokenExchange) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	if r.Auth.RefreshGrant() != definition.GrantTokenExchange {
		return refresh(ctx, r, c)
	}
	r.Fields = c.Fields
	done, err := m.request(ctx, r, &c)
	if badSubject(err) {
		return Credential{}, fault.E(fault.NeedsReauth, r.Connector.Name+" no longer accepts what was traded", err).WithCode("invalid_request")
	}
	return done.Credential, err
}

// Revoke tells the provider, as the definition says.
func (tokenExchange) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, TokenExchange(), r, c)
}
