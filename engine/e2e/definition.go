package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Definitions writes definitions, by id, into a directory for DOWEL_CONNECTORS_DIR and returns it.
func Definitions(tb testing.TB, sources map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for id, source := range sources {
		if err := os.WriteFile(filepath.Join(dir, id+".yaml"), []byte(source), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// Plain is the definition of a provider that does everything as RFC 6749 says. refresh is its refresh
// block, such as "{rotation: always}".
func Plain(id, refresh string) string {
	return fmt.Sprintf(`id: %[1]s
name: Plain %[1]s
hosts: [%[1]s.example.com]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "https://%[1]s.example.com/authorize"}
    scopes: {default: [read]}
    pkce: required
    token: {url: "https://%[1]s.example.com/token", client_auth: body}
    refresh: %[2]s
    revoke: {post: "https://%[1]s.example.com/revoke", auth: client, client_auth: body, form: {token: "${credential.refresh_token}"}}
api: {base_url: "https://%[1]s.example.com/api"}
test: {get: /me}
identity: {from: test, subject: response.body.id, email: response.body.email}
`, id, refresh)
}
