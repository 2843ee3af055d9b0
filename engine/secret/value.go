// Package secret holds values that must not be seen and seals them for rest.
//
// A Value is secret text in memory: whatever prints, logs or encodes it gets
// "[secret]". A Keyring turns bytes into Sealed and back, under one tink keyset
// per tenant which the master key wraps, and binds what it seals to the one
// record it belongs to: a Sealed copied to another tenant, kind or record does
// not open.
//
// The package does not know what the bytes mean, where they are stored, or who
// may read them; the wrapped keysets are kept by a KeysetStore. tink stays in
// here.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// mask is what stands in for a secret wherever one would be printed.
const mask = "[secret]"

// A Value is secret text. It is safe to print, log and encode, and cannot be
// decoded: what was written out as "[secret]" is never read back as a secret.
// The zero Value is no secret at all, and prints as the empty string.
//
// Values are not comparable with ==; use Equal.
type Value struct {
	_ [0]func() // == would compare pointers, and in variable time.
	// The text stands behind a pointer because fmt and slog do not call methods
	// of an unexported field: they would print a plain string.
	text *string
}

// New returns text as a Value. The empty text gives the zero Value.
func New(text string) Value {
	if text == "" {
		return Value{}
	}
	return Value{text: &text}
}

// Reveal returns the text itself. Call it only where the secret is sent or sealed.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsZero reports whether there is no secret. It also serves the omitzero tag.
func (v Value) IsZero() bool { return v.text == nil }

// Equal compares two Values; the time it takes tells at most their lengths.
func (v Value) Equal(w Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(w.Reveal())) == 1
}

// String returns "[secret]", or the empty string for the zero Value.
func (v Value) String() string {
	if v.IsZero() {
		return ""
	}
	return mask
}

// GoString returns what String returns.
func (v Value) GoString() string { return v.String() }

// Format writes what String returns, whatever the verb and its flags.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.String()) }

// LogValue returns what String returns.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalJSON returns what String returns as a JSON string.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + v.String() + `"`), nil }

// MarshalText returns what String returns.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// MarshalYAML returns what String returns.
func (v Value) MarshalYAML() (any, error) { return v.String(), nil }
