package definition

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what old APIs ask for
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what old APIs ask for
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Function is one documented, pure function that formulas may call beside expr's own.
type Function struct {
	Name, Doc string
	call      func(args ...any) (any, error)
	types     []any
}

// Functions lists our functions for the reference.
func Functions() []Function { return functions() }

func functions() []Function {
	return slices.Concat(encodings(), digests(), cuts(), []Function{
		{"jwt_claims", "jwt_claims(text) are the claims of a JWT (RFC 7519 §4), read and not verified; nil if text is none.", func(args ...any) (any, error) {
			s, _ := args[0].(string)
			return jwtClaims(s), nil
		}, []any{new(func(string) any)}},
		{"uuid", "uuid() is a new random UUID (RFC 9562, version 4).", func(...any) (any, error) { return uuid(), nil }, []any{new(func() string)}},
		{"now", "now() is the present moment, in UTC.", func(...any) (any, error) { return time.Now().UTC(), nil }, []any{new(func() time.Time)}},
	})
}

// The types of the functions that take one text or two, and give one.
var (
	text1 = []any{new(func(string) string)}
	text2 = []any{new(func(string, string) string)}
)

// encodings write bytes in characters and back. What a decoding yields may be any bytes: they are good
// for a digest, a key, or another encoding.
func encodings() []Function {
	return []Function{
		{"base64", "base64(text) encodes with padding (RFC 4648 §4).", on1(func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(s))
		}), text1},
		{"base64url", "base64url(text) encodes without padding (RFC 4648 §5).", on1(func(s string) string {
			return base64.RawURLEncoding.EncodeToString([]byte(s))
		}), text1},
		{"base64_decode", "base64_decode(text) is what was encoded, with either alphabet and with padding or without.", decode1(decodeBase64), text1},
		{"hex", "hex(text) writes the bytes of text in lower-case hex.", on1(func(s string) string {
			return hex.EncodeToString([]byte(s))
		}), text1},
		{"hex_decode", "hex_decode(text) is what was written in hex, such as a key or a digest.", decode1(hex.DecodeString), text1},
		{"pem_der", "pem_der(text) are the bytes of the first thing in a PEM text (RFC 7468), such as a certificate to take the digest of.", decode1(pemDER), text1},
		{"public_der", "public_der(text) is the public key that belongs to a private key in PEM form, as the bytes of its SubjectPublicKeyInfo.", decode1(publicDER), text1},
		{"urlencode", "urlencode(text) escapes text for a query.", on1(url.QueryEscape), text1},
	}
}

// decodeBase64 reads both alphabets of RFC 4648, padded or not.
func decodeBase64(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("the text is not base64")
	}
	return b, nil
}

// digests are written in lower-case hex, except where the name says otherwise.
func digests() []Function {
	out := []Function{
		{"hmac_sha256_base64", "hmac_sha256_base64(key, text) is the HMAC-SHA-256 of text in base64.", on2(func(k, s string) string {
			return base64.StdEncoding.EncodeToString(mac(sha256.New, k, s))
		}), text2},
	}
	for _, d := range []struct {
		name, title string
		hash        func() hash.Hash
	}{
		{"sha256", "SHA-256", sha256.New}, {"sha512", "SHA-512", sha512.New}, {"sha1", "SHA-1", sha1.New},
	} {
		out = append(out,
			Function{d.name, d.name + "(text) is the " + d.title + " of text in lower-case hex.", on1(func(s string) string {
				h := d.hash()
				h.Write([]byte(s))
				return hex.EncodeToString(h.Sum(nil))
			}), text1},
			Function{"hmac_" + d.name, "hmac_" + d.name + "(key, text) is the HMAC-" + d.title + " of text in lower-case hex.", on2(func(k, s string) string {
				return hex.EncodeToString(mac(d.hash, k, s))
			}), text2})
	}
	return append(out, Function{"md5", "md5(text) is the MD5 of text in lower-case hex. It protects nothing any more: it is for providers that know no better.", on1(func(s string) string {
		sum := md5.Sum([]byte(s)) //nolint:gosec // what old APIs ask for; the documentation says what it is worth
		return hex.EncodeToString(sum[:])
	}), text1})
}

func mac(h func() hash.Hash, key, text string) []byte {
	m := hmac.New(h, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// cuts take a part of a text.
func cuts() []Function {
	return []Function{
		{"before_first", "before_first(text, mark) is what stands before the first mark; all of text if there is none.", on2(func(s, mark string) string {
			before, _, _ := strings.Cut(s, mark)
			return before
		}), text2},
		{"after_first", "after_first(text, mark) is what follows the first mark; all of text if there is none.", on2(func(s, mark string) string {
			if _, after, found := strings.Cut(s, mark); found {
				return after
			}
			return s
		}), text2},
		{"before_last", "before_last(text, mark) is what stands before the last mark; all of text if there is none.", on2(func(s, mark string) string {
			if i := strings.LastIndex(s, mark); i >= 0 {
				return s[:i]
			}
			return s
		}), text2},
		{"after_last", "after_last(text, mark) is what follows the last mark; all of text if there is none.", on2(func(s, mark string) string {
			if i := strings.LastIndex(s, mark); i >= 0 {
				return s[i+len(mark):]
			}
			return s
		}), text2},
	}
}

// maxJWT bounds what jwt_claims looks at; larger ones fit no header.
const maxJWT = 64 << 10

// jwtClaims reads the second part of a JWT in compact form. Whole numbers stay whole, as in answers.
func jwtClaims(s string) any {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || len(s) > maxJWT {
		return nil
	}
	payload, err := decodeBase64(parts[1])
	if err != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	claims := map[string]any{}
	if err := d.Decode(&claims); err != nil {
		return nil
	}
	return wholeNumbers(claims)
}

func wholeNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return int(i)
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k := range v {
			v[k] = wholeNumbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = wholeNumbers(v[i])
		}
	}
	return v
}

func decode1(f func(string) ([]byte, error)) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		a, ok := args[0].(string)
		if !ok {
			return nil, fmt.Errorf("a text is wanted, not %T", args[0])
		}
		b, err := f(a)
		if err != nil {
			return nil, err
		}
		return string(b), nil
	}
}

func on1(f func(string) string) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		a, ok := args[0].(string)
		if !ok {
			return nil, fmt.Errorf("a text is wanted, not %T", args[0])
		}
		return f(a), nil
	}
}

func on2(f func(a, b string) string) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		a, ok := args[0].(string)
		b, ok2 := args[1].(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf("two texts are wanted, not %T and %T", args[0], args[1])
		}
		return f(a, b), nil
	}
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
