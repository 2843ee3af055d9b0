package simulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// registeredKey is what somebody has shown a provider, so that it can tell who signed. A provider never
// has the private half.
type registeredKey struct {
	owner  string           // who signs with it; empty: whoever does
	public crypto.PublicKey // nil for a shared secret
	secret string
}

// RegisterKey makes a key known at the provider of a connector. owner is the client or the account that
// signs with it, as the iss claim says; empty stands for any. key is a PEM text with a private key, a
// public key or a certificate, a JWK, or else a shared secret; of a private key only the public half is
// kept.
func (s *Simulator) RegisterKey(connectorID, owner, key string) error {
	k := registeredKey{owner: owner, secret: key}
	public, err := publicHalf(key)
	if err != nil {
		return err
	}
	if public != nil {
		k = registeredKey{owner: owner, public: public}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[connectorID] = append(s.keys[connectorID], k)
	return nil
}

// ForgetKeys takes back the keys and certificates that were made known for an owner.
func (s *Simulator) ForgetKeys(connectorID, owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []registeredKey
	for _, k := range s.keys[connectorID] {
		if k.owner != owner {
			rest = append(rest, k)
		}
	}
	s.keys[connectorID] = rest
	s.certificates[connectorID] = slices.DeleteFunc(s.certificates[connectorID], func(c registeredCertificate) bool { return c.owner == owner })
}

// keysOf are the keys that a signature by one of the owners may be made with.
func (s *Simulator) keysOf(connectorID string, owners ...string) []registeredKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []registeredKey
	for _, k := range s.keys[connectorID] {
		mine := k.owner == ""
		for _, o := range owners {
			mine = mine || k.owner == o
		}
		if mine {
			out = append(out, k)
		}
	}
	return out
}

// publicHalf reads what anybody may know of a key; nil for a text that is none, a shared secret.
func publicHalf(text string) (crypto.PublicKey, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return publicJWK(text)
	}
	for rest := []byte(strings.ReplaceAll(text, `\n`, "\n")); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		var v any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			v, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			v, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			v, err = x509.ParseECPrivateKey(block.Bytes)
		case "PUBLIC KEY":
			return x509.ParsePKIXPublicKey(block.Bytes)
		case "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("read certificate: %w", err)
			}
			return cert.PublicKey, nil
		default:
			continue
		}
		private, ok := v.(crypto.Signer)
		if err != nil || !ok {
			return nil, fmt.Errorf("read key: %w", errors.Join(err, errors.ErrUnsupported))
		}
		return private.Public(), nil
	}
	if strings.Contains(text, "-----BEGIN") {
		return nil, errors.New("the PEM text holds no key")
	}
	return nil, nil
}

// publicJWK reads the public members of a JWK (RFC 7518 §6, RFC 8037 §2).
func publicJWK(text string) (crypto.PublicKey, error) {
	var k struct{ Kty, Crv, N, E, X, Y string }
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return nil, fmt.Errorf("read JWK: %w", err)
	}
	number := func(s string) *big.Int {
		b, _ := base64.RawURLEncoding.DecodeString(s)
		return new(big.Int).SetBytes(b)
	}
	switch {
	case k.Kty == "RSA":
		return &rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}, nil
	case k.Kty == "EC":
		curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Crv]
		if curve == nil {
			return nil, errors.New("the JWK's curve is not known")
		}
		return &ecdsa.PublicKey{Curve: curve, X: number(k.X), Y: number(k.Y)}, nil
	case k.Kty == "OKP" && k.Crv == "Ed25519":
		x, _ := base64.RawURLEncoding.DecodeString(k.X)
		if len(x) != ed25519.PublicKeySize {
			return nil, errors.New("the JWK's x is not a key")
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, errors.New("the JWK is of a kind that is not known")
}
