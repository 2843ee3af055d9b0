package definition

import "strings"

// A grantShape is one way in which classic Fastn JSON says what a token request looks like, in our words.
type grantShape struct {
	names []string // the spellings, the usual one first; case and underscores do not count
	kind  AuthKind // of the method; empty: authorization code
	// method and format are how the parameters are sent; empty: POST, and as requestBodyType says.
	method, format string
	clientAuth     ClientAuth
	rename         [][2]string // a standard parameter and its name; an empty name leaves it out
	grantType      string
	params         [][2]string
	// Of refreshes only.
	grant, rotation string
}

// tokenShapes are the values of oauthGrantType.
func tokenShapes() []grantShape {
	return []grantShape{
		{names: []string{"authCodeGrantWithGrantType", "authorization_code_grant_with_grant_type", "exchange_auth_code_with_grant_type"}},
		{names: []string{"authCodeGrant", "authorization_code_grant", "exchange_auth_code"}, rename: [][2]string{{"grant_type", ""}}},
		{
			names:  []string{"simpleAuthCodeGrant", "simple_authorization_code_grant", "exchange_auth_code_simple"},
			rename: [][2]string{{"grant_type", ""}, {"redirect_uri", ""}},
		},
		{names: []string{"authCodeBasic", "exchange_auth_code_basic"}, clientAuth: ClientAuthHeader},
		{
			names:  []string{"authCodeParam", "get_auth_code_param"},
			method: "GET", format: "query", rename: [][2]string{{"grant_type", ""}},
		},
		{names: []string{"generateTokenWithJsonRequest"}, format: "json"},
		{
			names:  []string{"getTokenWithAppKeySecret"},
			method: "GET", format: "query",
			rename: [][2]string{{"client_id", "app_key"}, {"client_secret", "app_secret"}, {"code", "auth_code"}, {"redirect_uri", ""}},
		},
		{names: []string{"clientCredentialsGrant", "client_credentials"}, kind: ClientCredentials},
	}
}

// refreshShapes are the values of refreshTokenGrantType.
func refreshShapes() []grantShape {
	redirect := [2]string{"redirect_uri", "${callback.redirect_uri}"}
	return []grantShape{
		{names: []string{"refreshTokenSimple", "refresh_token"}},
		{names: []string{"refreshTokenWithGrantType"}, params: [][2]string{redirect}},
		{names: []string{"refreshTokenWithRedirectUrl", "refresh_token_with_redirect_uri"}, params: [][2]string{redirect}},
		{names: []string{"refreshTokenWithAccessType"}, params: [][2]string{{"access_type", "offline"}}},
		{names: []string{"refreshTokenBasicAuthGrant", "refresh_token_basic"}, clientAuth: ClientAuthHeader},
		{names: []string{"refreshTokenWithJsonRequest"}, format: "json"},
		{
			names:  []string{"refreshTokenWithAppKeySecret"},
			method: "GET", format: "query", rename: [][2]string{{"client_id", "app_key"}, {"client_secret", "app_secret"}},
		},
		{
			names:  []string{"refreshCodeParam", "get_refresh_code_param"},
			method: "GET", format: "query", grant: "access_token", grantType: "fb_exchange_token",
			params: [][2]string{{"fb_exchange_token", "${credential.access_token}"}, {"set_token_expires_in_60_days", "true"}},
		},
		{names: []string{"updatingRefreshTokenRequestType"}, rotation: "always"},
	}
}

// shapeNamed finds a shape by any spelling of its name.
func shapeNamed(shapes []grantShape, name string) (grantShape, bool) {
	want := bareWord(name)
	for _, s := range shapes {
		for _, n := range s.names {
			if bareWord(n) == want {
				return s, true
			}
		}
	}
	return grantShape{}, false
}

// bareWord is a word without case and without what stands between its parts.
func bareWord(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
}

// withoutOurs are the grant types that a definition cannot say, and what to do instead.
func withoutOurs(name string) (instead string, known bool) {
	switch word := bareWord(name); {
	case strings.HasPrefix(word, "resourceowner"), strings.HasPrefix(word, "password"):
		return "the password grant", true
	case strings.HasPrefix(word, "devicecode"):
		return "the device code grant", true
	}
	return "", false
}
