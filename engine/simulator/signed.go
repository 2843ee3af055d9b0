package simulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
)

// providerKeys are what simulated providers sign with, by the kind of key. They are made once: that
// takes longer than anything else here.
var providerKeys = map[string]func() (crypto.Signer, error){
	"RSA":   sync.OnceValues(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }),
	"P-256": sync.OnceValues(func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }),
	"P-384": sync.OnceValues(func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) }),
	"P-521": sync.OnceValues(func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) }),
	"Ed25519": sync.OnceValues(func() (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}),
}

// keyKind is the kind of key that an algorithm signs with (RFC 7518 §3.1, RFC 8037 §3.1).
func keyKind(alg string) string {
	switch alg {
	case "ES256":
		return "P-256"
	case "ES384":
		return "P-384"
	case "ES512":
		return "P-521"
	case "EdDSA":
		return "Ed25519"
	}
	return "RSA"
}

// keyID is a key's name in headers and key sets.
func keyID(alg string) string { return "simulated-" + keyKind(alg) }

// signed is a JWT with the claims, in compact form (RFC 7515 §3.1). secret is the key of HS algorithms.
func signed(alg, secret string, claims any) ([]byte, error) {
	head := map[string]any{"alg": alg, "typ": "JWT", "kid": keyID(alg)}
	if strings.HasPrefix(alg, "HS") || alg == "none" {
		delete(head, "kid")
	}
	input, err := signingInput(head, claims)
	if err != nil {
		return nil, err
	}
	mark, err := signInput(alg, secret, input)
	if err != nil {
		return nil, err
	}
	return []byte(input + "." + base64.RawURLEncoding.EncodeToString(mark)), nil
}

func signingInput(head, claims any) (string, error) {
	h, err := json.Marshal(head)
	if err != nil {
		return "", err
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(c), nil
}

// signInput is RFC 7518 §3.2 to §3.5 and RFC 8037 §3.1.
func signInput(alg, secret, input string) ([]byte, error) {
	if alg == "none" {
		return nil, nil
	}
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	if strings.HasPrefix(alg, "HS") {
		mac := hmac.New(hash.New, []byte(secret))
		mac.Write([]byte(input))
		return mac.Sum(nil), nil
	}
	key, err := providerKeys[keyKind(alg)]()
	if err != nil {
		return nil, err
	}
	if alg == "EdDSA" {
		return key.Sign(rand.Reader, []byte(input), crypto.Hash(0))
	}
	h := hash.New()
	h.Write([]byte(input))
	digest := h.Sum(nil)
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(alg, "PS") {
			return rsa.SignPSS(rand.Reader, key, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(rand.Reader, key, hash, digest)
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			return nil, err
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out, nil
	}
	return nil, fmt.Errorf("there is no key for %s", alg)
}

// keys answers with the provider's key set (RFC 7517 §5), and in it what real sets have beside the key
// that counts: keys for other purposes and of kinds that nobody knows.
func (c *call) keys(h hit) *answer {
	list := []any{
		map[string]any{"kty": "XMSS", "kid": "from-the-future", "use": "sig"},
		map[string]any{"kty": "oct", "kid": keyID(h.auth.IDToken.Algs[0]), "k": "bm90IGEga2V5IHRoYXQgYW55Ym9keSBzaG91bGQgdXNl"},
	}
	for _, alg := range h.auth.IDToken.Algs {
		jwk, err := publishedKey(alg)
		if err != nil {
			return plain(http.StatusInternalServerError, err.Error())
		}
		list = append(list, jwk)
	}
	return jsonAnswer(http.StatusOK, map[string]any{"keys": list})
}

// publishedKey writes the public half of the key for alg: RFC 7518 §6.2.1 and §6.3.1, RFC 8037 §2.
func publishedKey(alg string) (map[string]any, error) {
	key, err := providerKeys[keyKind(alg)]()
	if err != nil {
		return nil, err
	}
	out := map[string]any{"use": "sig", "kid": keyID(alg), "alg": alg}
	b64 := base64.RawURLEncoding.EncodeToString
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		out["kty"], out["n"], out["e"] = "RSA", b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y: each as long as the curve wants it
		if err != nil {
			return nil, err
		}
		half := (len(point) - 1) / 2
		out["kty"], out["crv"], out["x"], out["y"] = "EC", keyKind(alg), b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		out["kty"], out["crv"], out["x"] = "OKP", "Ed25519", b64(public)
	}
	return out, nil
}
