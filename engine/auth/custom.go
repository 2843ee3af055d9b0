package auth

import (
	"context"
	"fmt"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// Custom returns the method for whatever a form can ask: the fields are the credential, or they are
// what a login trades for a session.
func Custom() Method { return custom{} }

type custom struct{ applied }

var (
	_ Refresher = custom{}
	_ Revoker   = custom{}
)

// Kind implements Method.
func (custom) Kind() definition.AuthKind { return definition.Custom }

// Begin runs the login, if there is one; otherwise the fields are the credential. Where the provider has
// to be asked first, the browser goes there.
func (m custom) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	if r.Auth.Authorize != nil {
		return r.leave(ctx, Pending{})
	}
	done, err := m.obtain(ctx, r)
	if err != nil {
		return nil, Pending{}, err
	}
	return done, Pending{}, nil
}

func (m custom) obtain(ctx context.Context, r Request) (Done, error) {
	if err := r.checkSigner(typedCredential(r)); err != nil {
		return Done{}, err
	}
	done, err := m.login(ctx, r)
	if f := fault.As(err); f != nil && f.Kind == fault.NeedsReauth {
		return Done{}, r.notAccepted(f, "credential-rejected")
	}
	return done, err
}

// login runs the steps of the login in their order.
func (m custom) login(ctx context.Context, r Request) (Done, error) {
	c := typedCredential(r)
	captured, steps := map[string]string{}, map[string]any{}
	for _, s := range r.Auth.Login {
		r.Captured = merge(r.Captured, captured)
		reply, err := Call(ctx, m, r, s.Request, c, steps)
		if err != nil {
			return Done{}, err
		}
		steps[s.ID] = reply.a.env()
		captured = merge(captured, reply.Captured)
		if err := keep(&c, s, reply); err != nil {
			return Done{}, r.unreadable(err)
		}
	}
	return Done{Credential: c, Captured: captured}, nil
}

// keep takes the step's values out of its answer.
func keep(c *Credential, s *definition.Step, reply Reply) error {
	values := texts(s.Credential, reply.env)
	for _, want := range s.Credential {
		v := values[want.Name]
		if v == "" {
			return fmt.Errorf("the login's answer has no %s", want.Name)
		}
		if err := sound(want.Name, v); err != nil {
			return err
		}
		if c.Values == nil {
			c.Values = map[string]secret.Value{}
		}
		c.Values[want.Name] = secret.New(v)
	}
	c.ObtainedAt = stamp(reply.a.ReceivedAt)
	if s.Expires == nil {
		return nil
	}
	// The values are used together, so the first to end ends them all.
	if at := expiry(s.Expires, nil, reply.env, reply.a.ReceivedAt, longest); !at.IsZero() && (c.ExpiresAt.IsZero() || at.Before(c.ExpiresAt)) {
		c.ExpiresAt = at
	}
	return nil
}

// Complete goes on with what the provider told.
func (m custom) Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error) {
	return r.afterConsent(ctx, p, a, m.obtain)
}

// Refresh logs in again with what the person typed.
func (m custom) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	r.Fields = c.Fields
	done, err := m.login(ctx, r)
	return done.Credential, err
}

// Revoke tells the provider, if the definition says how.
func (m custom) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, m, r, c)
}
