package auth

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

func TestACredentialComesBackAsItWas(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, int(250*time.Millisecond), time.UTC)
	want := Credential{
		Kind: definition.AuthorizationCode, AccessToken: secret.New("a"), RefreshToken: secret.New("r"), IDToken: secret.New("i"),
		TokenType: "Bearer", ObtainedAt: at, ExpiresAt: at.Add(time.Hour), RefreshExpiresAt: at.Add(24 * time.Hour),
		Scopes: []string{"x", "y"}, Tokens: Values(map[string]string{"user": "u"}),
		Values: Values(map[string]string{"session": "s"}), Fields: Values(map[string]string{"b": "2", "a": "1"}),
	}
	for _, c := range []Credential{want, {Kind: definition.APIKey}} {
		b, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeCredential(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got, cmp.Comparer(secret.Value.Equal)); diff != "" {
			t.Errorf("decode (-want +got):\n%s", diff)
		}
		for i := range b {
			_, _ = DecodeCredential(b[:i]) // must not panic
		}
	}
}

func TestGarbageIsNoCredential(t *testing.T) {
	for _, b := range []string{"", "{}", "\xff\xff\xff", `{"kind":"basic"}`} {
		if c, err := DecodeCredential([]byte(b)); err == nil {
			t.Errorf("DecodeCredential(%q) = %v", b, c)
		}
	}
}
