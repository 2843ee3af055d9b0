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

// Issue makes what a provider's console gives out for a method: a key that signs what the method signs
// first, and behind it the certificate of the key, if the method shows one. It is empty for a method that
// takes neither.
func Issue(a *definition.Auth) (string, error) {
	alg, encoding := "", ""
	if signed := a.JWTs(); len(signed) > 0 {
		alg, encoding = signed[0].Alg, signed[0].KeyEncoding
	} else if signed := a.Signings(); len(signed) > 0 && !signed[0].Symmetric() {
		alg = signed[0].Alg
	} else if a.TLS != nil {
		alg = "ES256"
	}
	if alg == "" {
		return "", nil
	}
	key, err := NewKey(alg, encoding)
	if err != nil || a.TLS == nil {
		return key, err
	}
	certificate, _, err := NewCertificate(key)
	return key + certificate, err
}

// SplitIssued takes a key and its certificate apart.
func SplitIssued(text string) (key, certificate string) {
	if i := strings.Index(text, "-----BEGIN CERTIFICATE-----"); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// issueKey serves GET ID/_key?method=METHOD, where a provider's console would be: what Issue makes for the
// method, or for the first that takes something, which the provider then knows, whoever shows it.
func (s *Simulator) issueKey(w http.ResponseWriter, k *definition.Connector, method string) {
	for _, a := range k.Auth {
		if method != "" && a.ID != method {
			continue
		}
		text, err := Issue(a)
		if text == "" && err == nil {
			continue
		}
		if err == nil {
			err = s.know(k.ID, text)
		}
		if err != nil {
			plain(http.StatusInternalServerError, err.Error()).write(w)
			return
		}
		plain(http.StatusOK, strings.TrimSpace(text)).set("Cache-Control", "no-store").write(w)
		return
	}
	plain(http.StatusNotFound, k.Name+" gives out no keys").write(w)
}

// know registers what was issued.
func (s *Simulator) know(connectorID, text string) error {
	key, certificate := SplitIssued(text)
	if err := s.RegisterKey(connectorID, "", key); err != nil || certificate == "" {
		return err
	}
	return s.RegisterCertificate(connectorID, "", certificate)
}
