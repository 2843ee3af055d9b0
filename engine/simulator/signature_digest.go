package simulator

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"

	"dowel/engine/definition"
)

// digestSignature is a message's HMAC (RFC 2104) or digest.
type digestSignature struct{ *definition.Sign }

func (s digestSignature) found(c *call, out slots) bool { return c.placed(s.Places(), out) }

func (s digestSignature) check(c *call, got slots, env definition.Env) *problem {
	if at, told := signedAt(got); told {
		if p := timely(at); p != nil {
			return p
		}
	}
	env["request"] = c.signedRequest(carriers(s.Places()), got)
	want, err := s.made(env)
	if err != nil {
		return badSignature("nothing can be made of the request: " + err.Error())
	}
	env["signature"] = want
	if !c.asWritten(s.Places(), env) {
		return badSignature("the signature is not that of this request and this secret")
	}
	if nonce := got["request.nonce"]; nonce != "" {
		return c.once(nonce)
	}
	return nil
}

// made is the signature that the provider itself comes to.
func (s digestSignature) made(env definition.Env) (string, error) {
	d := s.Digest()
	message, err := d.Message.Fill(env)
	if err != nil {
		return "", err
	}
	sums := map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}
	h := sums[d.Alg]()
	if s.HMAC != nil {
		key, err := secretBytes(&s.HMAC.Key, s.HMAC.KeyEncoding, env)
		if err != nil {
			return "", err
		}
		h = hmac.New(sums[d.Alg], key)
	}
	h.Write([]byte(message))
	switch sum := h.Sum(nil); d.Encoding {
	case "base64":
		return base64.StdEncoding.EncodeToString(sum), nil
	case "base64url":
		return base64.RawURLEncoding.EncodeToString(sum), nil
	default:
		return hex.EncodeToString(sum), nil
	}
}

// secretBytes are the bytes of a key that is written in some way.
func secretBytes(t *definition.Template, encoding string, env definition.Env) ([]byte, error) {
	text, err := t.Fill(env)
	switch {
	case err != nil:
		return nil, err
	case encoding == "hex":
		return hex.DecodeString(text)
	case encoding == "base64":
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding} {
			if b, err := e.DecodeString(text); err == nil {
				return b, nil
			}
		}
		return base64.RawURLEncoding.DecodeString(text)
	}
	return []byte(text), nil
}
