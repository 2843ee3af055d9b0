package simulator

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"time"

	"dowel/engine/definition"
)

// wsseSignature is the UsernameToken of the OASIS profile, in a header.
type wsseSignature struct{ *definition.WSSESignature }

var usernameToken = regexp.MustCompile(`^UsernameToken Username="([^"]*)", *PasswordDigest="([^"]*)", *Nonce="([^"]*)", *Created="([^"]*)"$`)

// read takes the header apart: user, digest, nonce, time.
func (s wsseSignature) read(c *call) []string {
	values := c.r.Header.Values(s.Header)
	if len(values) != 1 {
		return nil
	}
	return usernameToken.FindStringSubmatch(values[0])
}

func (s wsseSignature) found(c *call, out slots) bool {
	parts := s.read(c)
	return parts != nil && matched(&s.Username, parts[1], out)
}

func (s wsseSignature) check(c *call, _ slots, env definition.Env) *problem {
	parts := s.read(c)
	digest, nonce, created := parts[2], parts[3], parts[4]
	at, err := time.Parse(time.RFC3339, created)
	if err != nil {
		return badSignature("Created is not a time of ISO 8601")
	}
	if p := timely(at); p != nil {
		return p
	}
	raw := []byte(nonce)
	if s.Nonce == "base64" {
		if raw, err = base64.StdEncoding.DecodeString(nonce); err != nil {
			return badSignature("the nonce is not base64")
		}
	}
	if len(raw) < 8 {
		return badSignature("the nonce is too short to be used once")
	}
	secret, err := s.Secret.Fill(env)
	if err != nil {
		return badSignature(err.Error())
	}
	h := sha1.New()
	h.Write(raw)
	h.Write([]byte(created))
	h.Write([]byte(secret))
	want := h.Sum(nil)
	if s.Digest == "hex" {
		want = []byte(hex.EncodeToString(want))
	}
	if !same(base64.StdEncoding.EncodeToString(want), digest) {
		return badSignature("PasswordDigest is not that of this nonce, time and secret")
	}
	return c.once(nonce)
}
