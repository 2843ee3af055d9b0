package auth

import (
	"context"
	"errors"
	"maps"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// Identity is who the end user is at the provider, as the definition reads it.
type Identity struct {
	Subject, Email, Name, Username, Avatar string
	EmailVerified                          bool
}

// Identify reads who c belongs to. tested is the answer to the definition's test. A definition
// without an identity block, or whose test did not run, gives the zero Identity.
func Identify(ctx context.Context, m Method, r Request, c Credential, tested *Reply) (Identity, error) {
	id := r.Connector.IdentityFor(r.Auth)
	if id == nil {
		return Identity{}, nil
	}
	env := r.env(&c)
	switch {
	case id.Request != nil:
		reply, err := Call(ctx, m, r, id.Request, c, nil)
		if err != nil {
			return Identity{}, err
		}
		env = reply.env
	case id.From == "token":
		env["response"] = map[string]any{"status": 200, "headers": map[string]any{}, "cookies": map[string]any{}, "body": c.answer(), "text": ""}
	case tested != nil && tested.a != nil:
		env = tested.env
	default:
		return Identity{}, nil
	}
	steps := map[string]any{}
	for _, s := range id.Also {
		reply, err := Call(ctx, m, r, s.Request, c, steps)
		if err != nil {
			return Identity{}, err
		}
		steps[s.ID] = reply.a.env()
	}
	env = maps.Clone(env) // the reply's own stays as it is
	env["steps"], env["token"] = steps, c.answer()
	return r.readIdentity(id, env)
}

// maxSubject bounds the subject, in characters (OpenID Connect Core §2 allows 255).
const maxSubject = 300

func (r Request) readIdentity(id *definition.Identity, env definition.Env) (Identity, error) {
	if id.RejectWhen.Is(env) {
		return Identity{}, fault.E(fault.Refused, r.Connector.Name+" says this account is not active", nil).WithCode("account-rejected")
	}
	subject := id.Subject.Text(env)
	if subject != clean(subject, maxSubject) {
		// What accounts are told apart by is never cut or cleaned: two could come out the same.
		return Identity{}, fault.E(fault.Unavailable, r.Connector.Name+" did not say who this is in a way that can be used", errors.New("the subject is too long or not plain text"))
	}
	out := Identity{
		Subject: subject, Email: clean(id.Email.Text(env), 320), Name: clean(id.Name.Text(env), 200),
		Username: clean(id.Username.Text(env), 200), Avatar: clean(id.Avatar.Text(env), 2000),
		EmailVerified: id.EmailVerified.Is(env),
	}
	return out, nil
}
