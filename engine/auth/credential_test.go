package auth

import (
	"testing"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

func TestPrimaryAndRenewable(t *testing.T) {
	password := func(names ...string) definition.Fields {
		var out definition.Fields
		for _, n := range names {
			out = append(out, definition.Field{Name: n, Type: "password"})
		}
		return append(out, definition.Field{Name: "user"})
	}
	step := []*definition.Step{{ID: "a"}, {ID: "b", Credential: definition.Captures{{Name: "session"}, {Name: "more"}}}}
	oauth := Credential{AccessToken: secret.New("a"), RefreshToken: secret.New("r")}
	bare := Credential{AccessToken: secret.New("a")}
	typedIn := Credential{Fields: Values(map[string]string{"user": "u", "key": "k", "other": "o"})}
	session := Credential{Values: Values(map[string]string{"session": "s", "more": "m"}), Fields: typedIn.Fields}
	token := new(definition.TokenRequest)
	for _, tt := range []struct {
		name      string
		a         definition.Auth
		c         Credential
		primary   string
		renewable bool
	}{
		{"code", definition.Auth{Kind: definition.AuthorizationCode, Token: token}, oauth, "a", true},
		{"code without a refresh token", definition.Auth{Kind: definition.AuthorizationCode, Token: token}, bare, "a", false},
		{"code that is not renewed", definition.Auth{Kind: definition.AuthorizationCode, Token: token, Refresh: &definition.Refresh{Grant: "none"}}, oauth, "a", false},
		{"trade of the access token", definition.Auth{Kind: definition.AuthorizationCode, Token: token, Refresh: &definition.Refresh{Grant: "access_token"}}, bare, "a", true},
		{"client", definition.Auth{Kind: definition.ClientCredentials, Token: token}, bare, "a", true},
		{"client that is not renewed", definition.Auth{Kind: definition.ClientCredentials, Token: token, Refresh: &definition.Refresh{Grant: "none"}}, bare, "a", false},
		{"one secret", definition.Auth{Kind: definition.APIKey, Fields: password("key")}, typedIn, "k", false},
		{"two secrets", definition.Auth{Kind: definition.APIKey, Fields: password("key", "other")}, typedIn, "", false},
		{"no secret", definition.Auth{Kind: definition.Custom, Fields: password()}, typedIn, "", false},
		{"login", definition.Auth{Kind: definition.Custom, Fields: password("key"), Login: step, Renew: &definition.Renew{By: "login"}}, session, "s", true},
		{"login that is not renewed", definition.Auth{Kind: definition.Custom, Fields: password("key"), Login: step}, session, "s", false},
	} {
		if got := tt.c.Primary(&tt.a).Reveal(); got != tt.primary {
			t.Errorf("%s: primary %q, want %q", tt.name, got, tt.primary)
		}
		if got := tt.c.Renewable(&tt.a); got != tt.renewable {
			t.Errorf("%s: renewable %v, want %v", tt.name, got, tt.renewable)
		}
	}
}
