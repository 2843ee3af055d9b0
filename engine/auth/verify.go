package auth

import (
	"cmp"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// verify refuses parameters that are not signed as v says. env is without them: nothing that a browser
// brings may have a part in the key.
func (r Request) verify(v *definition.Verify, a Answer, env definition.Env) error {
	if v == nil {
		return nil
	}
	key, err := v.Key().Fill(env)
	if err != nil {
		return invalidRequest("signing key", err)
	}
	if key == "" {
		// A hash with an empty key can be made by anybody.
		return fault.E(fault.Misconfigured, r.Connector.Name+" has no secret to check its signature with", nil).WithCode("app-missing")
	}
	if v.HMAC != nil {
		err = r.verifyHMAC(v.HMAC, []byte(key), a, env)
	} else {
		err = verifyJWT(v.JWT, []byte(key), a.Query, env)
	}
	if err != nil {
		return fault.E(fault.Refused, "the answer is not signed by "+r.Connector.Name, err).WithCode("callback-unverified")
	}
	return nil
}

func (r Request) verifyHMAC(v *definition.VerifyHMAC, key []byte, a Answer, env definition.Env) error {
	query, signed := a.Query, maps.Clone(a.Query)
	delete(signed, v.Param)
	message := signed.Encode() // sorted by name
	if v.Over.Source != definition.OverSortedQuery {
		env = maps.Clone(env)
		env["callback"] = callbackOf(r.RedirectURI, Answer{signed, a.Posted})
		var err error
		if message, err = v.Over.Fill(env); err != nil {
			return err
		}
	}
	got, err := decoded(query.Get(v.Param), v.Encoding)
	if err != nil {
		return err
	}
	mac := hmac.New(hashes[cmp.Or(v.Alg, "sha256")], key)
	mac.Write([]byte(message))
	if !hmac.Equal(got, mac.Sum(nil)) {
		return errors.New("the hash is not that of the parameters")
	}
	if v.Timestamp == "" {
		return nil
	}
	return fresh(query.Get(v.Timestamp))
}

// decoded reads a hash as it is written in a parameter; base64 with either alphabet, and with padding or
// without.
func decoded(text, encoding string) ([]byte, error) {
	if encoding != "base64" {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) == 0 {
			return nil, errors.New("there is no hash in hex")
		}
		return b, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "=")))
	if err != nil || len(b) == 0 {
		return nil, errors.New("there is no hash in base64")
	}
	return b, nil
}

// freshness is how old a signature may be, and how far a provider's clock may be from ours.
const freshness = 10 * time.Minute

// fresh refuses a moment, in seconds since 1970, that is not about now.
func fresh(text string) error {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return errors.New("it does not say when it was signed")
	}
	if age := time.Since(time.Unix(seconds, 0)); age > freshness || age < -freshness {
		return errors.New("it was not signed just now")
	}
	return nil
}

func verifyJWT(v *definition.VerifyJWT, key []byte, query url.Values, env definition.Env) error {
	// The algorithm is the definition's, whatever the header says (RFC 8725 §3.1).
	token, err := jwt.ParseSigned(query.Get(v.Param), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(cmp.Or(v.Alg, "HS256"))})
	if err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	var claims jwt.Claims
	if err := token.Claims(key, &claims); err != nil {
		return fmt.Errorf("check the token: %w", err)
	}
	if claims.Expiry == nil {
		return errors.New("the token has no end")
	}
	want := jwt.Expected{Time: time.Now()}
	if want.Issuer, err = optional(v.Issuer, env); err != nil {
		return err
	}
	audience, err := optional(v.Audience, env)
	if err != nil {
		return err
	}
	if audience != "" {
		want.AnyAudience = jwt.Audience{audience}
	}
	return claims.ValidateWithLeeway(want, jwt.DefaultLeeway)
}

// optional fills a template that need not be there. One that is and comes out empty would let anything
// pass.
func optional(t *definition.Template, env definition.Env) (string, error) {
	if t == nil {
		return "", nil
	}
	s, err := t.Fill(env)
	if err == nil && s == "" {
		err = fmt.Errorf("%q comes out empty", t.Source)
	}
	return s, err
}
