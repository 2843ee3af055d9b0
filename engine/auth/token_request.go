package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// pair is one standard parameter of a request, by its RFC name.
type pair struct{ name, value string }

// exchange sends one token request and reads the answer into a credential. standard are the
// parameters of the grant; before is the credential being renewed, whose parts stand for what the
// answer leaves out, or nil.
func (r Request) exchange(ctx context.Context, t *definition.TokenRequest, standard []pair, env definition.Env, before *Credential) (Done, error) {
	req, err := r.tokenRequest(ctx, t, standard, env)
	if err != nil {
		return Done{}, err
	}
	out, err := r.scoped()
	if err != nil {
		return Done{}, err
	}
	// Once, whatever the method: a code and a rotating refresh token are spent by the first request.
	raw, err := out.DoOnce(ctx, req)
	if err != nil {
		return Done{}, err
	}
	a, readErr := read(raw)
	env = answering(env, a)
	if !succeeded(a, t.Outcome, env) {
		return Done{}, r.refusal(a, t.Outcome, env)
	}
	if readErr != nil {
		return Done{}, r.unreadable(readErr)
	}
	c, err := r.credential(a, &t.Answer, env, before)
	if err != nil {
		return Done{}, r.unreadable(err)
	}
	return Done{Credential: c, Captured: capture(t.Answer.Capture, env)}, nil
}

// unreadable is a success nobody can use: the provider may have acted, and we do not know what came
// of it.
func (r Request) unreadable(cause error) error {
	return fault.E(fault.Unavailable, r.Connector.Name+" gave an answer that cannot be read", errors.Join(ErrAnswerLost, cause)).WithCode("answer-unreadable")
}

// ErrAnswerLost is in the chain of an error after which nobody knows whether the provider acted.
var ErrAnswerLost = errors.New("the outcome at the provider is unknown")

// OutcomeUnknown reports whether the request that ended in err may have been carried out without our
// learning its result.
func OutcomeUnknown(err error) bool {
	if errors.Is(err, ErrAnswerLost) {
		return true
	}
	var pe *ProviderError
	return err != nil && !errors.As(err, &pe) && egress.Sent(err)
}

func succeeded(a *response, o definition.Outcome, env definition.Env) bool {
	if o.Success != nil {
		return o.Success.Is(env)
	}
	if a.Status < 200 || a.Status > 299 {
		return false
	}
	// An error member means an error even with status 200: some providers always answer 200.
	m, ok := a.body.(map[string]any)
	return !ok || m["error"] == nil || m["error"] == "" || m["error"] == false
}

// credential reads a successful answer (RFC 6749 §5.1). before stands for what is not said: an answer
// without a refresh token leaves the old one valid (§6), and without scope the old scopes (§5.1).
func (r Request) credential(a *response, t *definition.TokenAnswer, env definition.Env, before *Credential) (Credential, error) {
	body, _ := a.body.(map[string]any)
	pick := func(e *definition.Expression, usual string) any {
		if e != nil {
			return e.Value(env)
		}
		return body[usual]
	}
	access, ok := pick(t.AccessToken, "access_token").(string)
	if !ok || access == "" {
		return Credential{}, fmt.Errorf("the answer has no access token")
	}
	if err := sound("access token", access); err != nil {
		return Credential{}, err
	}
	c := Credential{Kind: r.Auth.Kind, AccessToken: secret.New(access), ObtainedAt: a.ReceivedAt.UTC().Truncate(time.Millisecond), Answer: a.body}
	if before != nil {
		c.Fields, c.RefreshToken, c.RefreshExpiresAt, c.Scopes, c.Tokens = before.Fields, before.RefreshToken, before.RefreshExpiresAt, before.Scopes, before.Tokens
		c.IDToken = before.IDToken
	}
	if refresh, _ := pick(t.RefreshToken, "refresh_token").(string); refresh != "" {
		if err := sound("refresh token", refresh); err != nil {
			return Credential{}, err
		}
		c.RefreshToken = secret.New(refresh)
		c.RefreshExpiresAt = expiry(t.RefreshExpires, nil, env, a.ReceivedAt)
	}
	if id, _ := pick(t.IDToken, "id_token").(string); id != "" {
		c.IDToken = secret.New(id)
	}
	tokenType, _ := pick(t.TokenType, "token_type").(string)
	c.TokenType = normalType(tokenType)
	c.ExpiresAt = expiry(t.Expires, body["expires_in"], env, a.ReceivedAt)
	if granted := r.granted(t, body, env); granted != nil {
		c.Scopes = granted
	}
	if tokens := texts(t.Tokens, env); len(tokens) > 0 {
		c.Tokens = Values(tokens)
	}
	return c, nil
}

// maxToken bounds a token; larger ones fit no header.
const maxToken = 64 << 10

// sound refuses a token that cannot go into a header.
func sound(what, s string) error {
	if len(s) > maxToken {
		return fmt.Errorf("the %s is larger than %d bytes", what, maxToken)
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return fmt.Errorf("the %s contains a control character", what)
	}
	return nil
}

// normalType writes the token type as RFC 6750 spells it; comparison is case-insensitive (RFC 6749
// §5.1), and a missing one means Bearer.
func normalType(s string) string {
	if s == "" || strings.EqualFold(s, "bearer") {
		return "Bearer"
	}
	return clean(s, 40)
}

// granted reads the granted scopes: a list, or a text cut at the separator, a space or a comma.
func (r Request) granted(t *definition.TokenAnswer, body map[string]any, env definition.Env) []string {
	switch {
	case t.Scopes != nil:
		return scopeList(t.Scopes.Value(env), "")
	case r.Auth.Scopes != nil && r.Auth.Scopes.Granted != nil:
		return scopeList(r.Auth.Scopes.Granted.Value(env), r.Auth.Scopes.Sep())
	case len(r.Auth.ScopeGroups) > 0:
		var all []string
		for _, g := range r.Auth.ScopeGroups {
			if g.Granted != nil {
				all = append(all, scopeList(g.Granted.Value(env), g.Sep())...)
			}
		}
		return all
	}
	return scopeList(body["scope"], "")
}

func scopeList(v any, separator string) []string {
	switch v := v.(type) {
	case string:
		return strings.FieldsFunc(v, func(c rune) bool {
			return c == ' ' || c == ',' && (separator == "" || separator == ",") || strings.ContainsRune(separator, c)
		})
	case []any:
		var out []string
		for _, s := range v {
			out = append(out, definition.Text(s))
		}
		return out
	}
	return nil
}

func texts(cs definition.Captures, env definition.Env) map[string]string {
	out := map[string]string{}
	for i := range cs {
		if s := cs[i].Value.Text(env); s != "" {
			out[cs[i].Name] = s
		}
	}
	return out
}

// capture reads values to keep on the connection; they are not secret.
func capture(cs definition.Captures, env definition.Env) map[string]string {
	out := texts(cs, env)
	for k, v := range out {
		out[k] = clean(v, 2000)
	}
	return out
}

// refreshRequest is the token request with what the refresh block says in its place.
func refreshRequest(a *definition.Auth) *definition.TokenRequest {
	t := *a.Token
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
	t.GrantType = f.GrantType
	t.Params = f.Params
	if f.Names != nil {
		t.Names = f.Names
	}
	if f.Headers != nil {
		t.Headers = f.Headers
	}
	t.Success = cmp.Or(f.Success, t.Success)
	t.Error = cmp.Or(f.Error, t.Error)
	t.ErrorDescription = cmp.Or(f.ErrorDescription, t.ErrorDescription)
	if f.Answer != nil {
		t.Answer = *f.Answer
	}
	return &t
}
