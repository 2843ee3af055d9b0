package auth

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// Identity is who the end user is at the provider, as the definition reads it.
type Identity struct {
	Subject, Email, Name, Username string
	// Avatar is the address of a picture, or the picture itself as a data URL.
	Avatar        string
	EmailVerified bool
}

// Identify reads who c belongs to. tested is the answer to the definition's test. A definition
// without an identity block, or whose test did not run, gives the zero Identity.
func Identify(ctx context.Context, m Method, r Request, c Credential, tested *Reply) (Identity, error) {
	id := r.Connector.IdentityFor(r.Auth)
	if id == nil {
		return Identity{}, nil
	}
	env, err := r.identityEnv(ctx, m, id, c, tested)
	if err != nil || env == nil {
		return Identity{}, err
	}
	if env["steps"], err = r.alsoAsk(ctx, m, id, c); err != nil {
		return Identity{}, err
	}
	env["token"], env["id_token"], env["callback"] = c.answer(), c.claims(), c.cameBack()
	out, err := r.readIdentity(id, env)
	if err == nil && out.Avatar == "" && id.Picture != nil {
		out.Avatar = picture(ctx, m, r, id.Picture, c)
	}
	return out, err
}

// identityEnv is what the formulas of id read as response, with all that they may read beside it; nil if
// there is nothing to read.
func (r Request) identityEnv(ctx context.Context, m Method, id *definition.Identity, c Credential, tested *Reply) (definition.Env, error) {
	switch {
	case id.Request != nil:
		reply, err := Call(ctx, m, r, id.Request, c, nil)
		return maps.Clone(reply.env), err
	case id.From == "token":
		return r.reading(c, c.answer()), nil
	case id.From == "id_token":
		return r.reading(c, c.claims()), nil
	case tested != nil && tested.a != nil:
		return maps.Clone(tested.env), nil // the reply's own stays as it is
	}
	return nil, nil
}

// reading is what formulas may read where body is in the place of an answer.
func (r Request) reading(c Credential, body any) definition.Env {
	env := r.env(&c)
	env["response"] = map[string]any{
		"status": http.StatusOK, "headers": map[string]any{}, "cookies": map[string]any{}, "body": body, "text": "",
	}
	return env
}

// alsoAsk makes the further requests of id, and returns their answers by name.
func (r Request) alsoAsk(ctx context.Context, m Method, id *definition.Identity, c Credential) (map[string]any, error) {
	steps := map[string]any{}
	for _, s := range id.Also {
		if s.Optional && r.unpublishedRequest(s.Request) {
			steps[s.ID] = map[string]any{}
			continue
		}
		reply, err := call(ctx, m, r, s.Request, c, steps)
		switch {
		case err == nil:
			steps[s.ID] = reply.a.env()
		case s.Optional && reply.tellsNothing():
			steps[s.ID] = map[string]any{"status": reply.a.Status}
		default:
			return nil, err
		}
	}
	return steps, nil
}

// tellsNothing reports whether an answer only says that there is nothing, or nothing for this
// credential.
func (reply Reply) tellsNothing() bool {
	if reply.a == nil {
		return false
	}
	switch reply.a.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return false
}

// maxSubject bounds the subject, in characters (OpenID Connect Core §2 allows 255).
const maxSubject = 300

// subject tells accounts apart: what id reads, behind its issuer. An issuer with a # in it could make two
// accounts look like one, so that is no subject at all.
func subject(id *definition.Identity, env definition.Env) (string, bool) {
	own := id.Subject.Text(env)
	if id.Issuer == nil || own == "" {
		return own, true
	}
	issuer := id.Issuer.Text(env)
	if issuer == "" {
		return "", true
	}
	return issuer + "#" + own, !strings.Contains(issuer, "#")
}

func (r Request) readIdentity(id *definition.Identity, env definition.Env) (Identity, error) {
	if id.RejectWhen.Is(env) {
		return Identity{}, fault.E(fault.Refused, r.Connector.Name+" says this account is not active", nil).WithCode("account-rejected")
	}
	if err := r.sameSubject(env); err != nil {
		return Identity{}, err
	}
	subject, ok := subject(id, env)
	if !ok || subject != clean(subject, maxSubject) {
		// What accounts are told apart by is never cut or cleaned: two could come out the same.
		return Identity{}, fault.E(fault.Unavailable, r.Connector.Name+" did not say who this is in a way that can be used", errors.New("the subject is too long or not plain text"))
	}
	out := Identity{
		Subject: subject, Email: clean(id.Email.Text(env), 320), Name: clean(id.Name.Text(env), 200),
		Username: clean(id.Username.Text(env), 200), Avatar: clean(id.Avatar.Text(env), 2000),
	}
	out.EmailVerified = out.Email != "" && id.EmailVerified.Is(env)
	return out, nil
}

// sameSubject compares the subject that an answer names with that of the ID token: they must be the
// same (OpenID Connect Core §5.3.2), or one person's token could bring another's data.
func (r Request) sameSubject(env definition.Env) error {
	claims, _ := env["id_token"].(map[string]any)
	if claims["sub"] == nil {
		return nil
	}
	steps, _ := env["steps"].(map[string]any)
	answers := append(slices.Collect(maps.Values(steps)), env["response"])
	for _, a := range answers {
		answer, _ := a.(map[string]any)
		body, _ := answer["body"].(map[string]any)
		if body["sub"] != nil && definition.Text(claims["sub"]) != definition.Text(body["sub"]) {
			return r.unproven(errors.New("the answer is about another subject"))
		}
	}
	return nil
}
