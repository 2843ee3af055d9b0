package rehearsal_test

import (
	"fmt"
	"strings"
	"testing"

	"dowel/engine/definition"
	"dowel/engine/rehearsal"
)

// TestEveryClassicGrantShapePlays imports an OAuth section with each request shape of classic Fastn JSON
// and plays what came of it.
func TestEveryClassicGrantShapePlays(t *testing.T) {
	const usual = "authCodeGrantWithGrantType"
	tests := []struct {
		token, refresh, body string
		want                 []string // lines of the definition
	}{
		{usual, "refreshTokenWithAccessType", "form", []string{"refresh: {grant: refresh_token, params: {access_type: offline}}"}},
		{usual, "updatingRefreshTokenRequestType", "form", []string{"refresh: {grant: refresh_token, rotation: always}"}},
		{usual, "refreshTokenWithGrantType", "json", []string{"format: json", `params: {redirect_uri: "${callback.redirect_uri}"}`}},
		{"authorization_code_grant", "refresh_token_simple", "", []string{"names: {grant_type: null}", "names: {grant_type: grant_type}"}},
		{"exchange_auth_code_simple", "refreshTokenSimple", "", []string{"names: {grant_type: null, redirect_uri: null}"}},
		{"auth_code_basic", "refresh_token_basic_auth_grant", "", []string{"client_auth: header", "refresh: {grant: refresh_token}"}},
		{"get_auth_code_param", "refresh_token_with_redirect_url", "", []string{"method: GET", "method: POST", "format: query", "format: form"}},
		{"generate_token_with_json_request", "refresh_token_with_json_request", "", []string{"format: json", "refresh: {grant: refresh_token}"}},
		{
			"get_token_with_app_key_secret", "refresh_token_with_app_key_secret", "",
			[]string{"code: auth_code", "names: {client_id: app_key, client_secret: app_secret}"},
		},
		{"auth_code_param", "refresh_code_param", "", []string{"grant: access_token", "grant_type: fb_exchange_token"}},
		{"client_credentials_grant", "", "", []string{"kind: oauth2_client_credentials"}},
	}
	for _, tt := range tests {
		t.Run(tt.token+"/"+tt.refresh, func(t *testing.T) {
			source := fmt.Sprintf(`{"baseUrl": "https://{{shop}}.acme.example/authorize", "params": {"scope": "read write", "response_type": "code"},
				"inputContract": {"shop": {"description": "Shop:"}},
				"authorization": {"oauthGrantType": %q, "accessTokenUrl": "https://{{shop}}.acme.example/token", "refreshTokenGrantType": %q, "requestBodyType": %q}}`,
				tt.token, tt.refresh, tt.body)
			text, findings := definition.ImportClassic("acme.json", []byte(source), definition.Import{})
			if definition.HasErrors(findings) {
				t.Fatal(findings)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(text), want) {
					t.Errorf("the definition lacks %q:\n%s", want, text)
				}
			}
			k, findings := definition.Parse("acme.yaml", text)
			if k == nil {
				t.Fatal(findings)
			}
			results, err := rehearsal.Run(t.Context(), k)
			if err != nil || len(results) != 1 || !results[0].OK() {
				t.Errorf("%v %v\n%s", results, err, text)
			}
		})
	}
}
