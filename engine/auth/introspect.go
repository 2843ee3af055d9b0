package auth

import (
	"context"
	"time"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// introspectWait bounds the question about a token that has just come: it is in hand and has to be
// saved, and what the answer would say is not worth waiting for long.
const introspectWait = 5 * time.Second

// introspect asks the provider about c (RFC 7662). A token that is not active is Refused.
func (r Request) introspect(ctx context.Context, c Credential) (Reply, error) {
	in := r.Auth.Introspect
	reply, err := call(ctx, applied{}, r, in.Request, c, nil)
	if err != nil {
		return Reply{}, err
	}
	if !in.Active.Is(reply.env) {
		return Reply{}, fault.E(fault.Refused, r.Connector.Name+" rejected this credential", nil).WithCode("credential-rejected")
	}
	return reply, nil
}

// look fills in what the token answer left open, the lifetime and the scopes, by asking about the token.
// A provider that does not say leaves it open: the token is there, and that is what counts.
func (r Request) look(ctx context.Context, c *Credential) {
	if r.Auth.Introspect == nil || !c.ExpiresAt.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, introspectWait)
	defer cancel()
	reply, err := r.introspect(ctx, *c)
	if err != nil {
		return
	}
	c.ExpiresAt = expiry(r.Auth.Introspect.Expires, nil, reply.env, reply.a.ReceivedAt, longest)
	if len(c.Scopes) == 0 {
		c.Scopes = r.introspectedScopes(r.Auth.Introspect, reply.env)
	}
}

func (r Request) introspectedScopes(in *definition.Introspection, env definition.Env) []string {
	separator := ""
	if r.Auth.Scopes != nil {
		separator = r.Auth.Scopes.Sep()
	}
	list := scopeList(in.Scopes.Value(env), separator)
	return list[:min(len(list), maxScopes)]
}
