package secret

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestParseMasterKeyRefusesWhatIsNotRandom(t *testing.T) {
	random := []byte(NewMasterKey().text.Reveal())
	b64 := base64.StdEncoding.EncodeToString
	rising := make([]byte, 32)
	for i := range rising {
		rising[i] = byte(100 + 3*i)
	}
	tests := []struct{ name, text, want string }{
		{"nothing", "", "is missing"},
		{"white space", " \n", "is missing"},
		{"short", b64(random[:16]), "has 16 bytes"},
		{"short hex", hex.EncodeToString(random[:31]), "has 31 bytes"},
		{"long", b64(append(random, 1)), "has 33 bytes"},
		{"not encoded", "correct horse battery staple", "neither base64 nor hex"},
		{"joined words", "correcthorsebatterystaplecorrecthorsebatter", "looks like words"},
		{"all zero", b64(make([]byte, 32)), "not like random"},
		{"all zero in hex", strings.Repeat("0", 64), "too regular"},
		{"all equal", strings.Repeat("ab", 32), "too regular"},
		{"repeated pattern", strings.Repeat("deadbeef", 8), "too regular"},
		{"repeated half", hex.EncodeToString(append(random[:16:16], random[:16]...)), "too regular"},
		{"rising", hex.EncodeToString(rising), "too regular"},
		{"passphrase", b64([]byte("It was a dark and stormy night!!")), "is text"},
		{"passphrase in hex", hex.EncodeToString([]byte("hunter2 hunter3 hunter4 hunter5!")), "is text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseMasterKey(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "dowel keys new") {
				t.Fatalf("ParseMasterKey(%q): %v, want %q and how to make one", tt.text, err, tt.want)
			}
			if len(tt.text) > 8 && strings.Contains(err.Error(), tt.text) {
				t.Errorf("the error repeats the key: %v", err)
			}
		})
	}
}

func TestParseMasterKeyReadsWhatNewMasterKeyMade(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		key := NewMasterKey()
		raw := []byte(key.text.Reveal())
		for _, text := range []string{
			key.Reveal() + "\n", hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
			base64.RawURLEncoding.EncodeToString(raw),
		} {
			got, err := ParseMasterKey(text)
			if err != nil || got.ID() != key.ID() {
				t.Fatalf("ParseMasterKey of a fresh key: %v, id %s, want %s", err, got.ID(), key.ID())
			}
		}
		if len(key.ID()) != 8 || seen[key.ID()] {
			t.Fatalf("id %q is not 8 digits or came twice", key.ID())
		}
		seen[key.ID()] = true
	}
}
