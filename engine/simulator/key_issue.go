package simulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"

	"dowel/engine/definition"
)

// NewKey makes a key that signs with an algorithm of RFC 7518 §3.1, as people are given one: a private
// key in PEM form (PKCS #8), or a shared secret in the encoding that a definition names.
func NewKey(alg, encoding string) (string, error) {
	var key crypto.Signer
	var err error
	switch {
	case strings.HasPrefix(alg, "HS"):
		return newSecret(encoding), nil
	case alg == "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case strings.HasPrefix(alg, "ES"):
		curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[alg]
		key, err = ecdsa.GenerateKey(curve, rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("write key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// newSecret is long enough for every HS algorithm (RFC 7518 §3.2).
func newSecret(encoding string) string {
	text := rand.Text() + rand.Text() + rand.Text()
	switch encoding {
	case "hex":
		return hex.EncodeToString([]byte(text))
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return text
}

// issueKey serves GET ID/_key?method=METHOD, where a provider's console would be: it gives out a new key
// for a method, or for the first that signs, which the connector's provider then knows, whoever signs
// with it.
func (s *Simulator) issueKey(w http.ResponseWriter, k *definition.Connector, method string) {
	for _, a := range k.Auth {
		if method != "" && a.ID != method {
			continue
		}
		for _, j := range a.JWTs() {
			key, err := NewKey(j.Alg, j.KeyEncoding)
			if err == nil {
				err = s.RegisterKey(k.ID, "", key)
			}
			if err != nil {
				plain(http.StatusInternalServerError, err.Error()).write(w)
				return
			}
			plain(http.StatusOK, strings.TrimSpace(key)).set("Cache-Control", "no-store").write(w)
			return
		}
	}
	plain(http.StatusNotFound, k.Name+" gives out no keys").write(w)
}
