package simulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"sync"
)

// signingKey signs what simulated providers sign. It is made once: that takes longer than anything else
// here.
var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// signingKeyID is the key's name in headers and key sets.
const signingKeyID = "simulated-1"

// signed is a JWT with the claims, in compact form (RFC 7515 §3.1), signed with RS256.
func signed(claims any) ([]byte, error) {
	key, err := signingKey()
	if err != nil {
		return nil, err
	}
	head, err := segment(map[string]any{"alg": "RS256", "typ": "JWT", "kid": signingKeyID})
	if err != nil {
		return nil, err
	}
	payload, err := segment(claims)
	if err != nil {
		return nil, err
	}
	input := head + "." + payload
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, err
	}
	return []byte(input + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

func segment(v any) (string, error) {
	b, err := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(b), err
}
