package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"

	"dowel/engine/definition"
)

// signedMessage signs a message with a private key, as RFC 7518 §3.3 and §3.5 and RFC 8037 §3.1 sign the
// text of a token.
func (r Request) signedMessage(j *definition.JWT, message string, env definition.Env) ([]byte, error) {
	key, err := r.signingKey(j, env)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, []byte(message)), nil
	case *rsa.PrivateKey:
		hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[j.Alg[2:]]
		h := hash.New()
		h.Write([]byte(message))
		options := crypto.SignerOpts(hash)
		if strings.HasPrefix(j.Alg, "PS") {
			options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		}
		return key.Sign(rand.Reader, h.Sum(nil), options)
	}
	return nil, errors.New("the key is of no kind that signs requests")
}
