package simulator

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// signedToken is a JWS in compact form (RFC 7515 §7.1), taken apart and not yet believed.
type signedToken struct {
	header, claims map[string]any
	input          string // what is signed (§5.1)
	signature      []byte
}

// parseToken takes a token apart, as strictly as RFC 7515 §5.2 wants.
func parseToken(text string) (*signedToken, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errors.New("it is not a signed token of three parts")
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return nil, errors.New("its parts are not base64url without padding")
		}
	}
	t := &signedToken{input: parts[0] + "." + parts[1], signature: raw[2]}
	for _, part := range []struct {
		raw  []byte
		into *map[string]any
	}{{raw[0], &t.header}, {raw[1], &t.claims}} {
		d := json.NewDecoder(bytes.NewReader(part.raw))
		d.UseNumber()
		if err := d.Decode(part.into); err != nil || *part.into == nil || d.More() {
			return nil, errors.New("its parts are not JSON objects")
		}
	}
	return t, nil
}

// trustworthy refuses headers by which a token would choose how it is to be believed: RFC 8725 §3.1 and
// §3.10, RFC 7515 §4.1.11.
func (t *signedToken) trustworthy(alg string) error {
	if got := t.header["alg"]; got != alg {
		return fmt.Errorf("its alg is %v; only %s is accepted", got, alg)
	}
	for _, name := range []string{"jwk", "jku", "x5u", "x5c", "crit", "b64"} {
		if _, there := t.header[name]; there {
			return errors.New("its header has " + name + ", which is not accepted")
		}
	}
	return nil
}

// verify reports whether one of the keys made the signature. An algorithm is only tried with keys of its
// own kind: a public key is never taken for a shared secret (RFC 8725 §2.1).
func (t *signedToken) verify(alg, encoding string, keys []registeredKey) bool {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	for _, k := range keys {
		good := false
		switch public := k.public.(type) {
		case nil:
			good = strings.HasPrefix(alg, "HS") && t.verifyHMAC(hash, encoding, k.secret)
		case *rsa.PublicKey:
			good = t.verifyRSA(alg, hash, public)
		case *ecdsa.PublicKey:
			good = strings.HasPrefix(alg, "ES") && t.verifyECDSA(alg, hash, public)
		case ed25519.PublicKey:
			good = alg == "EdDSA" && ed25519.Verify(public, []byte(t.input), t.signature)
		}
		if good {
			return true
		}
	}
	return false
}

func (t *signedToken) digest(hash crypto.Hash) []byte {
	h := hash.New()
	h.Write([]byte(t.input))
	return h.Sum(nil)
}

// verifyHMAC is RFC 7518 §3.2, with a key as long as that wants it.
func (t *signedToken) verifyHMAC(hash crypto.Hash, encoding, secret string) bool {
	key, err := []byte(secret), error(nil)
	switch encoding {
	case "hex":
		key, err = hex.DecodeString(secret)
	case "base64":
		key, err = base64.StdEncoding.DecodeString(secret)
	}
	if err != nil || len(key) < hash.Size() {
		return false
	}
	mac := hmac.New(hash.New, key)
	mac.Write([]byte(t.input))
	return hmac.Equal(mac.Sum(nil), t.signature)
}

// verifyRSA is RFC 7518 §3.3 and §3.5, where the salt is as long as the digest.
func (t *signedToken) verifyRSA(alg string, hash crypto.Hash, key *rsa.PublicKey) bool {
	switch {
	case key.N.BitLen() < 2048:
		return false
	case strings.HasPrefix(alg, "RS"):
		return rsa.VerifyPKCS1v15(key, hash, t.digest(hash), t.signature) == nil
	case strings.HasPrefix(alg, "PS"):
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		return rsa.VerifyPSS(key, hash, t.digest(hash), t.signature, options) == nil
	}
	return false
}

// verifyECDSA is RFC 7518 §3.4: two numbers of the curve's length, one after the other.
func (t *signedToken) verifyECDSA(alg string, hash crypto.Hash, key *ecdsa.PublicKey) bool {
	size := map[string]int{"ES256": 32, "ES384": 48, "ES512": 66}[alg]
	if (key.Curve.Params().BitSize+7)/8 != size || len(t.signature) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(t.signature[:size]), new(big.Int).SetBytes(t.signature[size:])
	return ecdsa.Verify(key, t.digest(hash), r, s)
}
