package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const masterKeySize = 32

// A MasterKey wraps the tenants' keysets. It prints as "[secret]", as a Value
// does. The zero MasterKey is not a key.
type MasterKey struct{ text Value }

// NewMasterKey returns a fresh random key.
func NewMasterKey() MasterKey {
	var key [masterKeySize]byte
	_, _ = rand.Read(key[:]) // Never fails: the program ends instead.
	return MasterKey{New(string(key[:]))}
}

// ParseMasterKey reads a master key: 32 random bytes as base64 or hex, white
// space around it ignored. It refuses keys that were evidently not drawn at
// random; the error says how to make one and never repeats the text.
func ParseMasterKey(text string) (MasterKey, error) {
	key, err := decodeMasterKey(strings.TrimSpace(text))
	if err == nil {
		err = checkStrength(key)
	}
	if err != nil {
		return MasterKey{}, fmt.Errorf("the master key %w; make one with `dowel keys new`", err)
	}
	return MasterKey{New(string(key))}, nil
}

// Reveal returns the key as base64, the text ParseMasterKey reads.
func (k MasterKey) Reveal() string {
	return base64.StdEncoding.EncodeToString([]byte(k.text.Reveal()))
}

// ID names the key without giving it away: the first 8 hex digits of its
// SHA-256, with a prefix so that it is the hash of nothing else.
func (k MasterKey) ID() string {
	sum := sha256.Sum256([]byte("dowel master key id\x00" + k.text.Reveal()))
	return hex.EncodeToString(sum[:masterIDSize])
}

// IsZero reports whether there is no key.
func (k MasterKey) IsZero() bool { return k.text.IsZero() }

// String returns "[secret]".
func (k MasterKey) String() string { return k.text.String() }

// GoString returns what String returns.
func (k MasterKey) GoString() string { return k.text.String() }

// Format writes what String returns, whatever the verb.
func (k MasterKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue returns what String returns.
func (k MasterKey) LogValue() slog.Value { return k.text.LogValue() }

// MarshalText returns what String returns.
func (k MasterKey) MarshalText() ([]byte, error) { return k.text.MarshalText() }

func decodeMasterKey(text string) ([]byte, error) {
	if text == "" {
		return nil, errors.New("is missing")
	}
	if key, err := hex.DecodeString(text); err == nil {
		return key, checkSize(key)
	}
	bare := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	key, err := base64.RawStdEncoding.DecodeString(bare)
	if err != nil {
		return nil, errors.New("is neither base64 nor hex")
	}
	// One random key in five thousand million has letters of one case only;
	// words joined together often do.
	if strings.ToLower(text) == text || strings.ToUpper(text) == text {
		return nil, errors.New("looks like words, not like random bytes")
	}
	return key, checkSize(key)
}

func checkSize(key []byte) error {
	if len(key) != masterKeySize {
		return fmt.Errorf("has %d bytes, and must have %d", len(key), masterKeySize)
	}
	return nil
}

// checkStrength refuses what a random generator gives less often than once in
// a million million keys, and people often.
func checkStrength(key []byte) error {
	distinct := map[byte]bool{}
	steps := map[byte]bool{}
	printable := true
	for i, b := range key {
		distinct[b] = true
		steps[b-key[(i+1)%len(key)]] = true
		printable = printable && b >= 0x20 && b < 0x7f
	}
	switch {
	case printable:
		return errors.New("is text, not random bytes")
	case len(distinct) < 16, len(steps) < 8, repeats(key):
		return errors.New("is too regular to be random")
	}
	return nil
}

// repeats reports whether key is one pattern of up to half its length, again and again.
func repeats(key []byte) bool {
	for period := 1; period <= len(key)/2; period++ {
		if string(key[period:]) == string(key[:len(key)-period]) {
			return true
		}
	}
	return false
}
