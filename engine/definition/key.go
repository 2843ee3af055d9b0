package definition

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// PrivateKey reads a private key in PEM form (RFC 7468): PKCS #8, PKCS #1 or SEC 1, the first of its kind
// in the text. The line breaks may have become \n on their way through a JSON file. Its errors say what
// the text is instead and hold nothing of it.
func PrivateKey(text string) (crypto.Signer, error) {
	rest, seen := []byte(lines(text)), ""
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, notPrivate(text, seen)
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return nil, errors.New("is protected by a passphrase; take it off first")
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			seen = block.Type
			continue
		}
		return parsePrivate(block)
	}
}

func notPrivate(text, seen string) error {
	switch {
	case seen == "" && strings.Contains(text, "-----BEGIN"):
		return errors.New("is cut off or damaged; copy the whole of it, with its line breaks")
	case seen == "":
		return errors.New("is not in PEM form")
	case strings.Contains(seen, "CERTIFICATE"):
		return errors.New("is a certificate and not its private key")
	case strings.Contains(seen, "PUBLIC"):
		return errors.New("is a public key and not the private one")
	}
	return errors.New("holds no private key")
}

func parsePrivate(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("is damaged, or a key of a kind that is not known")
	}
	return signer, nil
}

// pemDER is what the first block of a PEM text holds.
func pemDER(text string) ([]byte, error) {
	block, _ := pem.Decode([]byte(lines(text)))
	if block == nil {
		return nil, errors.New("the text is not in PEM form")
	}
	return block.Bytes, nil
}

func publicDER(text string) ([]byte, error) {
	key, err := PrivateKey(text)
	if err != nil {
		return nil, errors.New("the text " + err.Error())
	}
	return x509.MarshalPKIXPublicKey(key.Public())
}
