package simulator

import (
	"encoding/base64"
	"encoding/hex"

	"dowel/engine/definition"
)

// keySignature is a message that is signed with a private key, whose public half the provider knows.
type keySignature struct{ *definition.Sign }

func (s keySignature) found(c *call, out slots) bool { return c.placed(s.Places(), out) }

func (s keySignature) check(c *call, got slots, env definition.Env) *problem {
	if at, told := signedAt(got); told {
		if p := timely(at); p != nil {
			return p
		}
	}
	env["request"] = c.signedRequest(carriers(s.Places()), got)
	message, err := s.Key.Message.Fill(env)
	if err != nil {
		return badSignature("nothing can be made of the request: " + err.Error())
	}
	signature, err := written(got["signature"], s.Key.Encoding)
	if err != nil {
		return badSignature("the signature is not written in " + s.Key.Encoding)
	}
	signed := &signedToken{input: message, signature: signature}
	if !signed.verify(s.Key.Alg, "", c.signers(s.Signing(), env)) {
		return badSignature("the signature is not that of this request and this key")
	}
	env["signature"] = got["signature"]
	if !c.asWritten(s.Places(), env) {
		return badSignature("what goes along with the signature is not where or what it should be")
	}
	if nonce := got["request.nonce"]; nonce != "" {
		return c.once(nonce)
	}
	return nil
}

// signers are the keys that may have signed: that of whom the request names, and those that were given out.
func (c *call) signers(j *definition.JWT, env definition.Env) []registeredKey {
	out := c.s.keysOf(c.connector.ID)
	text, err := j.Key.Fill(env)
	if err != nil {
		return out
	}
	switch public, err := publicHalf(text); {
	case err != nil:
		return out
	case public != nil:
		return append(out, registeredKey{public: public})
	}
	return append(out, registeredKey{secret: text})
}

// written reads the bytes of a signature.
func written(text, encoding string) ([]byte, error) {
	switch encoding {
	case "hex":
		return hex.DecodeString(text)
	case "base64url":
		return base64.RawURLEncoding.Strict().DecodeString(text)
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}
