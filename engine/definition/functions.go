package definition

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
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
	text1 := []any{new(func(string) string)}
	text2 := []any{new(func(string, string) string)}
	return []Function{
		{"base64", "base64(text) encodes with padding (RFC 4648 §4).", on1(func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(s))
		}), text1},
		{"base64url", "base64url(text) encodes without padding (RFC 4648 §5).", on1(func(s string) string {
			return base64.RawURLEncoding.EncodeToString([]byte(s))
		}), text1},
		{"sha256", "sha256(text) is the SHA-256 of text in lower-case hex.", on1(func(s string) string {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:])
		}), text1},
		{"hmac_sha256", "hmac_sha256(key, text) is the HMAC-SHA-256 of text in lower-case hex.", on2(func(k, s string) string {
			m := hmac.New(sha256.New, []byte(k))
			m.Write([]byte(s))
			return hex.EncodeToString(m.Sum(nil))
		}), text2},
		{"urlencode", "urlencode(text) escapes text for a query.", on1(url.QueryEscape), text1},
		{"after_last", "after_last(text, mark) is what follows the last mark; all of text if there is none.", on2(func(s, mark string) string {
			if i := strings.LastIndex(s, mark); i >= 0 {
				return s[i+len(mark):]
			}
			return s
		}), text2},
		{"before_first", "before_first(text, mark) is what stands before the first mark; all of text if there is none.", on2(func(s, mark string) string {
			before, _, _ := strings.Cut(s, mark)
			return before
		}), text2},
		{"uuid", "uuid() is a new random UUID (RFC 9562, version 4).", func(...any) (any, error) { return uuid(), nil }, []any{new(func() string)}},
		{"now", "now() is the present moment, in UTC.", func(...any) (any, error) { return time.Now().UTC(), nil }, []any{new(func() time.Time)}},
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
