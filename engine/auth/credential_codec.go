package auth

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

// The numbers of a credential's parts in its encoding, which is protobuf's wire format: read on every
// token read, so it must be quick, and kept for years, so parts may be added and unknown ones are
// skipped. A number is never used again for something else.
const (
	partKind protowire.Number = iota + 1
	partAccessToken
	partRefreshToken
	partIDToken
	partTokenType
	partObtainedAt // milliseconds since 1970
	partExpiresAt
	partRefreshExpiresAt
	partScope // repeated
	partToken // repeated pair
	partValue // repeated pair
	partField // repeated pair
	partTokenSecret
)

// The parts of a pair.
const (
	pairName protowire.Number = iota + 1
	pairValue
)

// Encode writes c in the open, for sealing only.
func (c Credential) Encode() ([]byte, error) {
	var b []byte
	b = appendText(b, partKind, string(c.Kind))
	b = appendText(b, partAccessToken, c.AccessToken.Reveal())
	b = appendText(b, partRefreshToken, c.RefreshToken.Reveal())
	b = appendText(b, partIDToken, c.IDToken.Reveal())
	b = appendText(b, partTokenType, c.TokenType)
	b = appendTime(b, partObtainedAt, c.ObtainedAt)
	b = appendTime(b, partExpiresAt, c.ExpiresAt)
	b = appendTime(b, partRefreshExpiresAt, c.RefreshExpiresAt)
	for _, s := range c.Scopes {
		b = appendText(b, partScope, s)
	}
	b = appendPairs(b, partToken, c.Tokens)
	b = appendPairs(b, partValue, c.Values)
	b = appendPairs(b, partField, c.Fields)
	return appendText(b, partTokenSecret, c.TokenSecret.Reveal()), nil
}

func appendText(b []byte, n protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
}

func appendTime(b []byte, n protowire.Number, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(t.UnixMilli()))
}

func appendPairs(b []byte, n protowire.Number, m map[string]secret.Value) []byte {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		pair := appendText(appendText(nil, pairName, name), pairValue, m[name].Reveal())
		b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), pair)
	}
	return b
}

// DecodeCredential reads what Encode wrote.
func DecodeCredential(b []byte) (Credential, error) {
	var c Credential
	err := eachPart(b, func(n protowire.Number, text string, number uint64) error {
		at := time.UnixMilli(int64(number)).UTC()
		switch n {
		case partKind:
			c.Kind = definition.AuthKind(text)
		case partAccessToken:
			c.AccessToken = secret.New(text)
		case partRefreshToken:
			c.RefreshToken = secret.New(text)
		case partIDToken:
			c.IDToken = secret.New(text)
		case partTokenType:
			c.TokenType = text
		case partTokenSecret:
			c.TokenSecret = secret.New(text)
		case partObtainedAt:
			c.ObtainedAt = at
		case partExpiresAt:
			c.ExpiresAt = at
		case partRefreshExpiresAt:
			c.RefreshExpiresAt = at
		case partScope:
			c.Scopes = append(c.Scopes, text)
		case partToken:
			return readPair(&c.Tokens, text)
		case partValue:
			return readPair(&c.Values, text)
		case partField:
			return readPair(&c.Fields, text)
		}
		return nil
	})
	if err == nil && c.Kind == "" {
		err = errors.New("it has no kind")
	}
	if err != nil {
		return Credential{}, fmt.Errorf("decode credential: %w", err)
	}
	return c, nil
}

// eachPart calls f with every part: its text, or its number.
func eachPart(b []byte, f func(n protowire.Number, text string, number uint64) error) error {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]
		var text []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			text, size = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(b)
		default:
			size = protowire.ConsumeFieldValue(n, kind, b)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		if err := f(n, string(text), number); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

func readPair(m *map[string]secret.Value, encoded string) error {
	var name, value string
	err := eachPart([]byte(encoded), func(n protowire.Number, text string, _ uint64) error {
		switch n {
		case pairName:
			name = text
		case pairValue:
			value = text
		}
		return nil
	})
	if *m == nil {
		*m = map[string]secret.Value{}
	}
	(*m)[name] = secret.New(value)
	return err
}
