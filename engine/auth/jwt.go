package auth

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/go-jose/go-jose/v4"

	"dowel/engine/definition"
)

// draft is a token (RFC 7519) before it is signed.
type draft struct {
	// name is what an explanation calls the token.
	name   string
	jwt    *definition.JWT
	header []pair
	claims map[string]any
}

// jwt makes and signs the token that j describes. standard are the claims it has unless j says
// otherwise, besides iat, exp and jti.
func (r Request) jwt(name string, j *definition.JWT, standard map[string]any, env definition.Env) (string, error) {
	if r.explained != nil {
		return r.explained.token(name, j, standard, env), nil
	}
	d := draft{name: name, jwt: j, claims: map[string]any{}}
	d.setStandard(standard)
	if err := d.fill(env); err != nil {
		return "", invalidRequest(name, err)
	}
	key, err := r.signingKey(j, env)
	if err != nil {
		return "", err
	}
	return d.sign(key)
}

// setStandard sets the claims that are there by themselves.
func (d *draft) setStandard(standard map[string]any) {
	maps.Copy(d.claims, standard)
	made := time.Now()
	d.claims["iat"] = made.Unix()
	d.claims["exp"] = made.Add(time.Duration(d.jwt.Lifetime)).Unix()
	d.claims["jti"] = rand.Text()
}

// fill lays the definition's claims over those that are there, and makes the header (RFC 7515 §4.1).
func (d *draft) fill(env definition.Env) error {
	if d.jwt.Claims != nil {
		for name, tree := range d.jwt.Claims.Members() {
			v, err := tree.Fill(env)
			if err != nil {
				return fmt.Errorf("claim %s: %w", name, err)
			}
			d.claim(name, v)
		}
	}
	kid, err := d.jwt.KeyID.Fill(env)
	if err != nil {
		return fmt.Errorf("kid: %w", err)
	}
	d.header, err = merged(usualHeader(kid), nil, d.jwt.Header, env)
	return err
}

// claim sets a claim that the definition names; one that comes out empty is not there at all.
func (d *draft) claim(name string, v any) {
	delete(d.claims, name)
	if v != nil && v != "" {
		d.claims[name] = v
	}
}

// usualHeader is what stands in a header beside alg.
func usualHeader(kid string) []pair { return []pair{{"kid", kid}, {"typ", "JWT"}} }

// sign makes the compact form (RFC 7515 §7.1).
func (d *draft) sign(key any) (string, error) {
	options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for _, h := range d.header {
		options.ExtraHeaders[jose.HeaderKey(h.name)] = h.value
	}
	payload, err := json.Marshal(d.claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(d.jwt.Alg), Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("prepare signature: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", d.name, err)
	}
	return signed.CompactSerialize()
}
