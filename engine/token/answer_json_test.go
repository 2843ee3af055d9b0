package token

import (
	"encoding/json"
	"testing"
	"time"

	"dowel/engine/auth"
)

func TestTheAnswerIsWhatEncodingJSONWouldWrite(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 123e6, time.UTC)
	answers := map[string]answer{
		"full": {
			Connection: "conn_1", Connector: "x", Kind: "basic", Version: 7, AccessToken: `a"b\c<d>&é` + "\n\u2028", TokenType: "Bearer",
			ExpiresAt: &at, Scopes: []string{"a b", `"`}, Tokens: map[string]string{"user": "u", "bot": "b"},
			Captured: map[string]string{"k": "v"}, Warning: "stale",
			Request: auth.Attachment{BaseURL: "https://x.example/api", Headers: map[string]string{"B": "2", "A": "1"}, Query: map[string]string{"q": "ü"}},
		},
		"control": {Scopes: []string{"12345678\x1f", "\x00abcdefgh", "abcdefg\x7f", "abcdefgé", "abcdef\xff\xfe"}, Request: auth.Attachment{Headers: map[string]string{}, Query: map[string]string{}}},
		"signed":  {Scopes: []string{}, Request: auth.Attachment{Headers: map[string]string{}, Query: map[string]string{}, Body: map[string]string{"k": "v<"}, Signed: true}},
		"empty":   {Scopes: []string{}, Request: auth.Attachment{Headers: map[string]string{}, Query: map[string]string{}}},
	}
	for name, a := range answers {
		want, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(a.appendJSON(nil)); got != string(want) {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}
