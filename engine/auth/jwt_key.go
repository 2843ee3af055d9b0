package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// signingKey reads the key that signs j, and refuses one that does not fit its algorithm: a form names
// the question that has to be answered in another way.
func (r Request) signingKey(j *definition.JWT, env definition.Env) (any, error) {
	text, err := j.Key.Fill(env)
	if err != nil {
		return nil, r.badKey(&j.Key, env, errors.New("cannot be read as a key"))
	}
	if text == "" {
		return nil, r.badKey(&j.Key, env, errors.New("has no private key in it"))
	}
	key, err := readKey(j, text)
	if err != nil {
		return nil, r.badKey(&j.Key, env, err)
	}
	return key, nil
}

// badKey blames a key on the question that t reads it from. why is a phrase whose subject the question
// is, and holds nothing of the key.
func (r Request) badKey(t *definition.Template, env definition.Env, why error) error {
	asked := r.Connector.Asked(r.Auth, t)
	if len(asked) == 0 {
		return fault.E(fault.Misconfigured, "what "+r.Connector.Name+" is to be shown "+why.Error(), nil)
	}
	f := asked[0].Field
	answers, _ := env[asked[0].Root].(map[string]any)
	if answers[f.Name] == nil || answers[f.Name] == "" {
		why = errors.New("is required")
	}
	if asked[0].Root == "app" {
		return &badAppKey{f.Name, f.Label + " " + why.Error(), r.Connector.Name}
	}
	return fault.Field(f.Name, f.Label+" "+why.Error())
}

// badAppKey is a key of the app that cannot sign. Whoever connects can do nothing about it; the operator
// is told which answer to change.
type badAppKey struct{ field, complaint, connector string }

// Error is the complaint.
func (e *badAppKey) Error() string { return e.complaint }

// Unwrap classifies it for everybody but the operator.
func (e *badAppKey) Unwrap() error {
	return fault.E(fault.Misconfigured, "the app of "+e.connector+" cannot be used: "+e.complaint, nil)
}

// readKey reads a key for j. Its errors are phrases that say what the text is instead.
func readKey(j *definition.JWT, text string) (any, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		key, err := readJWK(text)
		if err != nil {
			return nil, err
		}
		return key, fits(j, key)
	}
	if j.Symmetric() {
		key, err := decodeKey(j.KeyEncoding, text)
		if err != nil {
			return nil, err
		}
		return key, fits(j, key)
	}
	key, err := definition.PrivateKey(text)
	if err != nil {
		return nil, err
	}
	return key, fits(j, key)
}

// readJWK reads a private or secret key as RFC 7517 writes it.
func readJWK(text string) (any, error) {
	var k jose.JSONWebKey
	unreadable := errors.New("is neither in PEM form nor a JWK that can be read")
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return nil, unreadable
	}
	if secret, ok := k.Key.([]byte); ok {
		return secret, nil
	}
	if !k.Valid() {
		return nil, unreadable
	}
	if k.IsPublic() {
		return nil, errors.New("is a public key and not the private one")
	}
	return k.Key, nil
}

func decodeKey(encoding, text string) ([]byte, error) {
	switch encoding {
	case "hex":
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, errors.New("is not written in hex")
		}
		return b, nil
	case "base64":
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
		b, err := base64.RawStdEncoding.DecodeString(plain)
		if err != nil {
			return nil, errors.New("is not written in base64")
		}
		return b, nil
	}
	return []byte(text), nil
}

// fits reports why key cannot sign with j's algorithm: RFC 7518 §3.2 to §3.5, RFC 8037 §3.1.
func fits(j *definition.JWT, key any) error {
	wanted, found := "an RSA key", ""
	switch k := key.(type) {
	case *rsa.PrivateKey:
		found = "an RSA key"
		if bits := k.N.BitLen(); bits < 2048 || bits > 16384 {
			return fmt.Errorf("is an RSA key of %d bits; at least 2048 are needed", bits)
		}
	case *ecdsa.PrivateKey:
		found = "an EC key on " + k.Curve.Params().Name
	case ed25519.PrivateKey:
		found = "an Ed25519 key"
	case []byte:
		found = "a shared secret"
	default:
		found = "a key of another kind"
	}
	switch j.Alg[:2] {
	case "ES":
		wanted = "an EC key on " + map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[j.Alg]
	case "Ed":
		wanted = "an Ed25519 key"
	case "HS":
		wanted = "a shared secret"
		least := map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}[j.Alg]
		if secret, ok := key.([]byte); ok && len(secret) < least {
			return fmt.Errorf("is too short: %s signs with at least %d bytes", j.Alg, least)
		}
	}
	if found != wanted {
		return fmt.Errorf("is %s, and %s signs with %s", found, j.Alg, wanted)
	}
	return nil
}
