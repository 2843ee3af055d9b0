package auth_test

import (
	"os"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/auth/authtest"
)

func TestMethodsConform(t *testing.T) {
	pair := func(answer map[string]any) any {
		out := map[string]any{"oauth_token_secret": "CANARY-token-secret"}
		for name, v := range answer {
			if name == "access_token" {
				name = "oauth_token"
			}
			out[name] = v
		}
		return out
	}
	data := func(answer map[string]any) any { return map[string]any{"data": answer} }
	for _, tt := range []struct {
		file   string
		method auth.Method
		with   authtest.Setting
	}{
		{"code-header-form", auth.AuthorizationCode(), authtest.Setting{}},
		{"code-body-form", auth.AuthorizationCode(), authtest.Setting{Fields: map[string]string{"hint": "ana@example.com"}}},
		{"code-body-json", auth.AuthorizationCode(), authtest.Setting{Wrap: data}},
		{"code-none-get", auth.AuthorizationCode(), authtest.Setting{}},
		{"code-pushed-header", auth.AuthorizationCode(), authtest.Setting{}},
		{"code-pushed-body", auth.AuthorizationCode(), authtest.Setting{}},
		{"exchange-app", auth.TokenExchange(), authtest.Setting{Fields: map[string]string{"token": "CANARY.subject+/=", "actor": "CANARY actor"}}},
		{"exchange-again", auth.TokenExchange(), authtest.Setting{Fields: map[string]string{"token": "CANARY-subject"}}},
		{"password-app", auth.Password(), authtest.Setting{Fields: map[string]string{"username": "ana", "password": `CANARY "pass" & <word>`}}},
		{"password-again", auth.Password(), authtest.Setting{Fields: map[string]string{"user": "ana", "word": "CANARY+pass/word%"}, Wrap: data}},
		{"device-form", auth.DeviceCode(), authtest.Setting{Fields: map[string]string{"language": "en"}}},
		{"device-json", auth.DeviceCode(), authtest.Setting{Wrap: data}},
		{"client-app", auth.ClientCredentials(), authtest.Setting{}},
		{"client-person", auth.ClientCredentials(), authtest.Setting{
			Inputs: map[string]string{"tenant": "acme"},
			Fields: map[string]string{"client_id": "brought id", "client_secret": `CANARY "brought" <secret>`},
		}},
		{"bearer-rs", auth.JWTBearer(), authtest.Setting{Fields: map[string]string{"account": "robot@acme.example"}}},
		{"bearer-es", auth.JWTBearer(), authtest.Setting{Fields: map[string]string{"account": "robot"}}},
		{"bearer-hs", auth.JWTBearer(), authtest.Setting{Fields: map[string]string{"account": "robot", "secret": "CANARY secret of more than 32 bytes"}}},
		{"client-consent", auth.ClientCredentials(), authtest.Setting{Callback: map[string]string{"tenant": "acme"}}},
		{"code-program", auth.AuthorizationCode(), authtest.Setting{Callback: map[string]string{"shop": "acme", "granted": "read"}}},
		{"code-signed-query", auth.AuthorizationCode(), authtest.Setting{Callback: map[string]string{"shop": "acme & sons"}}},
		{"code-signed-token", auth.AuthorizationCode(), authtest.Setting{}},
		{"bearer-signed-parts", auth.Bearer(), authtest.Setting{Callback: map[string]string{"token": "CANARY-token", "shop": "acme"}}},
		{"key-handover", auth.APIKey(), authtest.Setting{
			Callback: map[string]string{"success": "1"},
			Posted:   map[string]any{"key_id": 1, "key": "CANARY-key", "secret": "CANARY-secret", "key_permissions": "read_write"},
		}},
		{"bearer-page", auth.Bearer(), authtest.Setting{Callback: map[string]string{"token": "CANARY-token"}}},
		{"key-page", auth.APIKey(), authtest.Setting{
			Fields:   map[string]string{"note": "mine"},
			Callback: map[string]string{"key": "CANARY-key", "secret": "CANARY-secret"},
		}},
		{"code-private-key", auth.AuthorizationCode(), authtest.Setting{}},
		{"code-secret-jwt", auth.AuthorizationCode(), authtest.Setting{}},
		{"code-minted-secret", auth.AuthorizationCode(), authtest.Setting{}},
		{"client-mtls", auth.ClientCredentials(), authtest.Setting{}},
		{"client-person-key", auth.ClientCredentials(), authtest.Setting{Fields: map[string]string{"client_id": "brought id"}}},
		{"oauth1-header", auth.OAuth1(), authtest.Setting{Wrap: pair, Callback: map[string]string{"place": "here"}}},
		{"oauth1-query", auth.OAuth1(), authtest.Setting{Wrap: pair}},
		{"oauth1-form", auth.OAuth1(), authtest.Setting{Wrap: pair, Fields: map[string]string{"account": "acme"}}},
		{"basic", auth.Basic(), authtest.Setting{Fields: map[string]string{"email": "ana@example.com", "token": "CANARY:token"}}},
		{"api-key", auth.APIKey(), authtest.Setting{Fields: map[string]string{"key": "CANARY-key", "app": "CANARY app+key&"}}},
		{"bearer", auth.Bearer(), authtest.Setting{Fields: map[string]string{"token": "CANARY-token"}}},
		{"signed-hmac", auth.APIKey(), authtest.Setting{Fields: map[string]string{"id": "me", "secret": "CANARY"}}},
		{"signed-oauth1", auth.Custom(), authtest.Setting{Fields: map[string]string{"id": "a consumer", "secret": "CANARY & secret", "token": "a token", "token_secret": "CANARY%"}}},
		{"signed-aws", auth.Custom(), authtest.Setting{Fields: map[string]string{"id": "AKID", "secret": "CANARY/key"}}},
		{"signed-wsse", auth.APIKey(), authtest.Setting{Fields: map[string]string{"id": "me", "secret": "CANARY"}}},
		{"none", auth.None(), authtest.Setting{Inputs: map[string]string{"city": "Bern"}}},
		{"custom-login", auth.Custom(), authtest.Setting{Fields: map[string]string{"user": "ana", "password": `CANARY "pass" <word>`}}},
		{"custom-fields", auth.Custom(), authtest.Setting{Fields: map[string]string{"account": "acme", "key": "CANARY-key"}}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			definition, err := os.ReadFile("testdata/conformance/" + tt.file + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			authtest.Run(t, tt.method, string(definition), tt.with)
		})
	}
}
