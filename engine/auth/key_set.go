package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-jose/go-jose/v4"
)

// maxKeys bounds a key set; the largest real ones have a dozen.
const maxKeys = 100

var errNoKey = errors.New("no key of the provider made the signature")

// verifySignature checks a signed token with the provider's keys and returns its payload. A key that is
// not known may be new, so the set is fetched again, but not more often than once a minute: anybody can
// send a token with a name that no key has.
func (r Request) verifySignature(ctx context.Context, token *jose.JSONWebSignature, at *url.URL) ([]byte, error) {
	set, err := r.keySet(ctx, at, false)
	if err != nil {
		return nil, err
	}
	payload, ok := verifiedBy(token, set)
	if ok {
		return payload, nil
	}
	if set, err = r.keySet(ctx, at, true); err != nil {
		return nil, err
	}
	if payload, ok = verifiedBy(token, set); ok {
		return payload, nil
	}
	return nil, errNoKey
}

// verifiedBy tries the keys that the token's header names, or all of them where it names none. go-jose
// tries a key with the token's own algorithm only if they are of one kind, and that algorithm is one
// that the definition lists.
func verifiedBy(token *jose.JSONWebSignature, keys []jose.JSONWebKey) ([]byte, bool) {
	header := token.Signatures[0].Header
	for _, k := range keys {
		if header.KeyID != "" && k.KeyID != header.KeyID || k.Algorithm != "" && k.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := token.Verify(k.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// keySet fetches the provider's public keys for signatures (RFC 7517 §5). Keys of a kind that is not
// known are left out (§5), and so is everything that is not a public key: a set is no place for shared
// secrets.
func (r Request) keySet(ctx context.Context, at *url.URL, fresh bool) ([]jose.JSONWebKey, error) {
	age := documentAge
	if fresh {
		age = retryAge
	}
	body, err := r.published(ctx, at, age)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, r.unpublished(fmt.Errorf("the key set is not one: %w", errNotJSON))
	}
	var out []jose.JSONWebKey
	for _, raw := range set.Keys[:min(len(set.Keys), maxKeys)] {
		var k jose.JSONWebKey
		if err := json.Unmarshal(raw, &k); err == nil && k.IsPublic() && k.Valid() && k.Use != "enc" {
			out = append(out, k)
		}
	}
	return out, nil
}
