package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"dowel/engine/definition"
)

// jwtSignature is a token (RFC 7519) that is made for one request.
type jwtSignature struct{ *definition.Sign }

func (s jwtSignature) found(c *call, out slots) bool { return c.placed(s.Places(), out) }

func (s jwtSignature) check(c *call, got slots, env definition.Env) *problem {
	env["request"] = c.signedRequest(carriers(s.Places()), got)
	if err := s.checkToken(c, got["signature"], env); err != nil {
		return badSignature("the token is refused: " + err.Error())
	}
	env["signature"] = got["signature"]
	if !c.asWritten(s.Places(), env) {
		return badSignature("the token, or what goes along with it, is not where or what it should be")
	}
	return nil
}

func (s jwtSignature) checkToken(c *call, text string, env definition.Env) error {
	j := &s.JWT.JWT
	t, err := parseToken(text)
	if err != nil {
		return err
	}
	if err := t.trustworthy(j.Alg); err != nil {
		return err
	}
	if err := s.heading(t, env); err != nil {
		return err
	}
	if !t.verify(j.Alg, j.KeyEncoding, c.signers(j, env)) {
		return errors.New("the signature is not that of this key")
	}
	a := &assertion{jwt: j, longest: max(longestAssertion, time.Duration(j.Lifetime))}
	if err := a.timely(t.claims, time.Now()); err != nil {
		return err
	}
	return s.says(t.claims, env)
}

// heading compares the header with what the definition says of it.
func (s jwtSignature) heading(t *signedToken, env definition.Env) error {
	want := append(definition.Params{{Name: "kid", Value: s.JWT.KeyID}}, s.JWT.Header...)
	for _, w := range want {
		text, err := w.Value.Fill(env)
		got, _ := t.header[w.Name].(string)
		if err != nil || !w.Drop && text != got {
			return fmt.Errorf("its %s is not what it should be", w.Name)
		}
	}
	return nil
}

// says compares the claims with those that the definition makes of the same request.
func (s jwtSignature) says(got map[string]any, env definition.Env) error {
	if s.JWT.Claims == nil {
		return nil
	}
	for name, tree := range s.JWT.Claims.Members() {
		want, err := tree.Fill(env)
		if err != nil {
			return err
		}
		if slices.Contains(times, name) || want == "" || want == nil {
			continue // of a field that nobody has told the provider of
		}
		if !reflect.DeepEqual(asJSON(want), asJSON(got[name])) {
			return fmt.Errorf("its %s is not what it should be", name)
		}
	}
	return nil
}

// asJSON is a value as it comes out of a JSON text.
func asJSON(v any) (out any) {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		return err
	}
	return out
}
