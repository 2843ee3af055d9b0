package auth

import (
	"context"
	"time"

	"dowel/engine/definition"
)

// Basic returns HTTP Basic authentication (RFC 7617), APIKey keys in whatever places a provider
// wants them, Bearer tokens that the person brings (RFC 6750). Obtaining such a credential is typing
// it in, so the three are one Method under three kinds; where it goes is the definition's affair.
func Basic() Method { return typed{kind: definition.Basic} }

// APIKey returns the method for API keys; see Basic.
func APIKey() Method { return typed{kind: definition.APIKey} }

// Bearer returns the method for tokens that the person brings; see Basic.
func Bearer() Method { return typed{kind: definition.Bearer} }

// None returns the method for APIs that ask nobody who they are: nothing is typed and nothing is put on a
// request.
func None() Method { return typed{kind: definition.NoCredential} }

type typed struct {
	applied
	kind definition.AuthKind
}

var _ Revoker = typed{}

// Kind implements Method.
func (m typed) Kind() definition.AuthKind { return m.kind }

// Begin is the end: what was typed is the credential. Where the provider hands it out, the browser goes
// there first.
func (m typed) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	if r.Auth.Authorize != nil {
		return r.leave(ctx, Pending{})
	}
	done, err := typedDone(r)
	if err != nil {
		return nil, Pending{}, err
	}
	return done, Pending{}, nil
}

// typedDone is the end for a method whose credential is what was typed; a key that cannot sign is a
// complaint about its question.
func typedDone(r Request) (Done, error) {
	c := typedCredential(r)
	return Done{Credential: c}, r.checkSigner(c)
}

func typedCredential(r Request) Credential {
	now := stamp(time.Now())
	c := Credential{Kind: r.Auth.Kind, Fields: r.Fields, ObtainedAt: now}
	if l := r.Auth.Expires; l != nil {
		c.ExpiresAt = expiry(l, nil, r.env(&c), now, longestTyped)
	}
	return c
}

// Complete takes what the provider handed out.
func (typed) Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error) {
	return r.afterConsent(ctx, p, a, func(_ context.Context, r Request) (Done, error) {
		return typedDone(r)
	})
}

// Revoke tells the provider, if the definition says how.
func (m typed) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, m, r, c)
}
