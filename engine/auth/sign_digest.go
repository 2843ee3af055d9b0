package auth

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // what old APIs ask for; lint warns of it
	"crypto/sha1" //nolint:gosec // what old APIs ask for; lint warns of it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"

	"dowel/engine/definition"
)

// signDigest signs with the HMAC (RFC 2104) or the digest of the definition's message, or with a private
// key.
func (r Request) signDigest(out *http.Request, s *definition.Sign, env definition.Env, o occasion) error {
	return r.signPlaces(out, s, env, o, func(env definition.Env) (string, error) {
		return o.signature(func() (string, error) { return r.digest(s, env) })
	})
}

// digest makes the signature of the message.
func (r Request) digest(s *definition.Sign, env definition.Env) (string, error) {
	d := s.Digest()
	message, err := d.Message.Fill(env)
	if err != nil {
		return "", err
	}
	if s.Key != nil {
		signed, err := r.signedMessage(s.Signing(), message, env)
		return encoded(signed, d.Encoding), err
	}
	newHash, ok := hashes[d.Alg]
	if !ok {
		return "", fmt.Errorf("there is no digest %q", d.Alg)
	}
	h := newHash()
	if k := s.HMAC; k != nil {
		key, err := r.hmacKey(k, env)
		if err != nil {
			return "", err
		}
		h = hmac.New(newHash, key)
	}
	h.Write([]byte(message))
	return encoded(h.Sum(nil), d.Encoding), nil
}

// hashes are the digests by their names in definitions.
var hashes = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// hmacKey fills a key and reads it as it is written. Signing with an empty one would be signing with
// nothing.
func (r Request) hmacKey(s *definition.HMACSignature, env definition.Env) ([]byte, error) {
	text, err := s.Key.Fill(env)
	if err != nil {
		return nil, err
	}
	key, err := decodeKey(s.KeyEncoding, text)
	if err == nil && len(key) == 0 {
		err = errors.New("is empty")
	}
	if err != nil {
		return nil, r.badKey(&s.Key, env, err)
	}
	return key, nil
}

func encoded(b []byte, encoding string) string {
	switch encoding {
	case "base64":
		return base64.StdEncoding.EncodeToString(b)
	case "base64url":
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return hex.EncodeToString(b)
}
