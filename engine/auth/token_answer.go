package auth

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

// credential reads a successful answer (RFC 6749 §5.1). before stands for what is not said: an answer
// without a refresh token leaves the old one valid (§6), and without scope the old scopes (§5.1).
func (r Request) credential(a *response, t *definition.TokenAnswer, env definition.Env, before *Credential) (Credential, error) {
	var c Credential
	if before != nil {
		c = *before
	}
	c.Kind, c.Answer, c.ObtainedAt = r.Auth.Kind, learnt{&facts{body: a.body}}, stamp(a.ReceivedAt)
	body, _ := a.body.(map[string]any)
	pick := func(e *definition.Expression, usual string) any {
		if e != nil {
			return e.Value(env)
		}
		return body[usual]
	}
	access, err := token("access token", pick(t.AccessToken, "access_token"))
	if err != nil {
		return Credential{}, err
	}
	if access.IsZero() {
		return Credential{}, errors.New("the answer has no access token")
	}
	c.AccessToken = access
	if err := c.tokenSecret(t.TokenSecret, env); err != nil {
		return Credential{}, err
	}
	if err := refreshToken(&c, a, t, env, pick(t.RefreshToken, "refresh_token")); err != nil {
		return Credential{}, err
	}
	id, err := token("ID token", pick(t.IDToken, "id_token"))
	if err != nil {
		return Credential{}, err
	}
	if !id.IsZero() {
		c.IDToken = id
	}
	tokenType, _ := pick(t.TokenType, "token_type").(string)
	c.TokenType = normalType(tokenType)
	c.ExpiresAt = expiry(t.Expires, body["expires_in"], env, a.ReceivedAt, longest)
	if granted := r.granted(t, body, env); len(granted) > 0 {
		c.Scopes = granted
	}
	if err := furtherTokens(&c, t.Tokens, env); err != nil {
		return Credential{}, err
	}
	return c, nil
}

// refreshToken reads the refresh token and its end; without a new one the old one stays (§6).
func refreshToken(c *Credential, a *response, t *definition.TokenAnswer, env definition.Env, v any) error {
	refresh, err := token("refresh token", v)
	if err != nil {
		return err
	}
	if !refresh.IsZero() {
		c.RefreshToken, c.RefreshExpiresAt = refresh, time.Time{}
	}
	// Told with the old one too, where each use prolongs it.
	if at := expiry(t.RefreshExpires, nil, env, a.ReceivedAt, longestRefresh); !at.IsZero() && !c.RefreshToken.IsZero() {
		c.RefreshExpiresAt = at
	}
	return nil
}

func furtherTokens(c *Credential, more definition.Captures, env definition.Env) error {
	values := texts(more, env)
	if len(values) == 0 {
		return nil
	}
	c.Tokens = maps.Clone(c.Tokens)
	for name, v := range values {
		t, err := token("token "+name, v)
		if err != nil {
			return err
		}
		if c.Tokens == nil {
			c.Tokens = map[string]secret.Value{}
		}
		c.Tokens[name] = t
	}
	return nil
}

// maxToken bounds a token; larger ones fit no header.
const maxToken = 64 << 10

// token reads a token, of the characters that RFC 6749 appendix A allows. Null, false and the empty
// text are none.
func token(what string, v any) (secret.Value, error) {
	if v == nil || v == false {
		return secret.Value{}, nil
	}
	s, ok := v.(string)
	if !ok {
		return secret.Value{}, fmt.Errorf("the %s is not a text", what)
	}
	if err := sound(what, s); err != nil {
		return secret.Value{}, err
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c > '~' }) {
		return secret.Value{}, fmt.Errorf("the %s contains a character outside ASCII", what)
	}
	return secret.New(s), nil
}

// sound refuses a value that cannot go into a header.
func sound(what, s string) error {
	if len(s) > maxToken {
		return fmt.Errorf("the %s is larger than %d bytes", what, maxToken)
	}
	if strings.ContainsFunc(s, isControl) {
		return fmt.Errorf("the %s contains a control character", what)
	}
	return nil
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// normalType writes the token type as RFC 6750 spells it; comparison is case-insensitive (RFC 6749
// §5.1), and a missing one means Bearer. Another one is passed on for people to see: providers call
// their bearer tokens all sorts of things, and the definition says where the token goes.
func normalType(s string) string {
	if s == "" || strings.EqualFold(s, "bearer") {
		return "Bearer"
	}
	return clean(s, 40)
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
