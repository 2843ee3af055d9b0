package auth

import (
	"context"
	"crypto"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// leeway is how far the provider's clock may be from ours.
const leeway = 2 * time.Minute

// verifyIDToken verifies the ID token that came with c, as the definition says, and returns its claims. Without
// such a word in the definition there are none. The checks are those of OpenID Connect Core §3.1.3.7.
func (r Request) verifyIDToken(ctx context.Context, c Credential, p Pending) (map[string]any, error) {
	how := r.Auth.IDToken
	if how == nil {
		return nil, nil
	}
	if c.IDToken.IsZero() {
		return nil, r.unproven(errors.New("the answer has no ID token"))
	}
	payload, alg, err := r.verified(ctx, how, c.IDToken.Reveal())
	if err != nil {
		return nil, err
	}
	v, err := decodeJSON(payload)
	claims, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, r.unproven(errNotJWT)
	}
	if err := r.checkClaims(how, payload, claims); err != nil {
		return nil, r.unproven(err)
	}
	if err := checkNonce(how, claims, p.Nonce); err != nil {
		return nil, r.unproven(err)
	}
	if err := checkHash(claims, alg, c.AccessToken.Reveal()); err != nil {
		return nil, r.unproven(err)
	}
	return claims, nil
}

// unproven is a token that does not prove who this is. Whoever sent it is not the provider, or does not
// keep to the protocol; either way nobody is connected.
func (r Request) unproven(cause error) error {
	return fault.E(fault.Refused, "the answer does not prove that it is from "+r.Connector.Name, fmt.Errorf("verify ID token: %w", cause)).WithCode("issuer-mismatch")
}

// verified checks the signature of a token and returns its payload and algorithm. Only algorithms that
// the definition lists are looked at: none is not among them, and a public key is never taken for a
// shared secret (RFC 8725 §2.1, §3.1).
func (r Request) verified(ctx context.Context, how *definition.IDToken, text string) (payload []byte, alg string, err error) {
	var algs []jose.SignatureAlgorithm
	for _, a := range how.Algs {
		algs = append(algs, jose.SignatureAlgorithm(a))
	}
	token, err := jose.ParseSignedCompact(text, algs)
	if err != nil || len(token.Signatures) != 1 {
		return nil, "", r.unproven(errors.New("it is not signed, or not with an algorithm that is believed"))
	}
	alg = token.Signatures[0].Header.Algorithm
	if how.Symmetric() {
		_, secret := r.client(r.callEnv(nil))
		if secret == "" {
			return nil, "", r.unproven(errors.New("there is no client secret to verify it with"))
		}
		if payload, err = token.Verify([]byte(secret)); err != nil {
			return nil, "", r.unproven(errNoKey)
		}
		return payload, alg, nil
	}
	at, err := how.JWKSURL.FillURL(r.callEnv(nil))
	if err != nil {
		return nil, "", invalidRequest("address of the provider's keys", err)
	}
	payload, err = r.verifySignature(ctx, token, at)
	if errors.Is(err, errNoKey) {
		return nil, "", r.unproven(err)
	}
	return payload, alg, err
}

// checkClaims compares issuer, audience and times, and wants a subject.
func (r Request) checkClaims(how *definition.IDToken, payload []byte, claims map[string]any) error {
	var std jwt.Claims
	if err := json.Unmarshal(payload, &std); err != nil {
		return errNotJWT // its own text quotes the token
	}
	issuer, audience, err := r.expected(how, claims)
	switch {
	case err != nil:
		return err
	case issuer == "" || std.Issuer != issuer:
		return fmt.Errorf("iss is %q, want %q", clean(std.Issuer, 200), issuer)
	case audience == "" || !slices.Contains(std.Audience, audience):
		return errors.New("it is for another client")
	case std.Subject == "":
		return errors.New("it has no subject")
	case std.Expiry == nil || std.IssuedAt == nil:
		return errors.New("it does not say when it was made or when it ends")
	}
	id, _ := r.client(r.callEnv(nil))
	if azp, told := claims["azp"]; told && azp != id || !told && len(std.Audience) > 1 {
		return errors.New("it was made for another client")
	}
	return std.ValidateWithLeeway(jwt.Expected{Time: time.Now()}, leeway)
}

// checkNonce compares the nonce with the one that was sent (OpenID Connect Core §3.1.2.1).
func checkNonce(how *definition.IDToken, claims map[string]any, sent string) error {
	got, told := claims["nonce"].(string)
	switch {
	case sent == "", !told && claims["nonce"] == nil && how.Nonce == "optional":
		return nil
	case subtle.ConstantTimeCompare([]byte(got), []byte(sent)) != 1:
		return errors.New("the nonce is not the one that was sent")
	}
	return nil
}

// checkHash compares at_hash, where there is one, with the access token (OpenID Connect Core §3.1.3.6):
// the left half of its digest.
func checkHash(claims map[string]any, alg, accessToken string) error {
	got, told := claims["at_hash"]
	if !told {
		return nil
	}
	hash, known := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512, "DSA": crypto.SHA512}[alg[len(alg)-3:]]
	if !known {
		return nil
	}
	h := hash.New()
	h.Write([]byte(accessToken))
	sum := h.Sum(nil)
	text, _ := got.(string)
	if strings.TrimRight(text, "=") != base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]) {
		return errors.New("at_hash is of another access token")
	}
	return nil
}

// proveAnswer verifies an answer that is a signed token (OpenID Connect Core §5.3.2), with the keys and
// algorithms of the ID token. Where the definition says nothing of those, the answer is what came over
// TLS from the provider, like any other.
func (r Request) proveAnswer(ctx context.Context, a *response) error {
	how := r.Auth.IDToken
	if how == nil {
		return nil
	}
	payload, _, err := r.verified(ctx, how, strings.TrimSpace(string(a.Body)))
	if err != nil {
		return err
	}
	claims, _ := a.body.(map[string]any)
	var std jwt.Claims
	if err := json.Unmarshal(payload, &std); err != nil {
		return r.unproven(errNotJWT)
	}
	issuer, audience, err := r.expected(how, claims)
	switch {
	case err != nil:
		return r.unproven(err)
	case claims["iss"] != nil && std.Issuer != issuer, claims["aud"] != nil && !slices.Contains(std.Audience, audience):
		return r.unproven(errors.New("the answer is from another issuer, or for another client"))
	}
	if err := std.ValidateWithLeeway(jwt.Expected{Time: time.Now()}, leeway); err != nil {
		return r.unproven(err)
	}
	return nil
}

// expected are the issuer and the audience that a token with these claims must have.
func (r Request) expected(how *definition.IDToken, claims map[string]any) (issuer, audience string, err error) {
	env := r.callEnv(nil)
	env["id_token"] = claims
	if issuer, err = how.Issuer.Fill(env); err != nil {
		return "", "", fmt.Errorf("fill issuer: %w", err)
	}
	if audience, err = how.Audience.Fill(env); err != nil {
		return "", "", fmt.Errorf("fill audience: %w", err)
	}
	return issuer, audience, nil
}
