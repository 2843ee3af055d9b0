package main

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// issuer publishes metadata on loopback under both well-known addresses, and has the settings trust it.
func issuer(t *testing.T, say func(base string) string) string {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/t1/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/t1":
			fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": "https://acme.example/authorize", "token_endpoint": "https://acme.example/token",
				"userinfo_endpoint": "https://acme.example/me", "scopes_supported": ["openid"], "code_challenge_methods_supported": ["S256"]}`, say(server.URL))
		case "/moved/.well-known/openid-configuration":
			http.Redirect(w, r, server.URL+"/t1/.well-known/openid-configuration", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOWEL_CA_FILE", ca)
	t.Setenv("DOWEL_ALLOW_PRIVATE", "127.0.0.0/8")
	return server.URL
}

func TestNewFromAnIssuerLintsAndPlays(t *testing.T) {
	base := issuer(t, func(base string) string { return base + "/t1" })
	for i, from := range [][]string{
		{"--from-oidc", base + "/t1"},
		{"--from-metadata", base + "/t1"},
		{"--from-metadata", base + "/.well-known/oauth-authorization-server/t1"},
	} {
		file := filepath.Join(t.TempDir(), "acme.yaml")
		if _, errs, err := dowel(t, append([]string{"connectors", "new", "--id", "acme", "--name", "Acme", "-o", file}, from...)...); err != nil {
			t.Fatalf("%v: %v\n%s", from, err, errs)
		}
		if out, errs, err := dowel(t, "connectors", "lint", file); err != nil {
			t.Errorf("%v: lint: %v\n%s%s", from, err, out, errs)
		}
		if i > 0 {
			continue
		}
		if out, errs, err := dowel(t, "connectors", "test", file); err != nil || !strings.HasPrefix(out, "ok  acme/oauth") {
			t.Errorf("test: %v\n%s%s", err, out, errs)
		}
	}
}

func TestNewRefusesTheMetadataOfAnotherIssuer(t *testing.T) {
	base := issuer(t, func(string) string { return "https://evil.example" })
	out, errs, err := dowel(t, "connectors", "new", "--from-oidc", base+"/t1")
	if err == nil || out != "" || !strings.Contains(errs, "RFC 8414 §3.3") {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
	dir := write(t, map[string]string{"m.json": `{"issuer": "https://a.example", "authorization_endpoint": "https://a.example/a", "token_endpoint": "https://a.example/t"}`})
	out, errs, err = dowel(t, "connectors", "new", "--from-metadata", filepath.Join(dir, "m.json"), "--issuer", "https://b.example")
	if err == nil || out != "" {
		t.Errorf("a file of another issuer: %v\n%s%s", err, out, errs)
	}
	if out, errs, err := dowel(t, "connectors", "new", "--from-metadata", filepath.Join(dir, "m.json")); err != nil || !strings.Contains(out, "issuer: https://a.example") {
		t.Errorf("a file: %v\n%s%s", err, out, errs)
	}
}

func TestNewGoesOutByTheRulesOfEgress(t *testing.T) {
	base := issuer(t, func(base string) string { return base + "/t1" })
	if _, _, err := dowel(t, "connectors", "new", "--from-oidc", base+"/moved"); err == nil {
		t.Error("a redirect was followed")
	}
	if _, _, err := dowel(t, "connectors", "new", "--from-oidc", base+"/nothing"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("nothing there: %v", err)
	}
	if _, _, err := dowel(t, "connectors", "new", "--from-oidc", strings.Replace(base, "https", "http", 1)+"/t1"); err == nil {
		t.Error("metadata was fetched over http")
	}
	t.Setenv("DOWEL_ALLOW_PRIVATE", "")
	if _, _, err := dowel(t, "connectors", "new", "--from-oidc", base+"/t1"); err == nil {
		t.Error("a private address was called")
	}
}

func TestNewFromOpenAPIPlays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acme-api.yaml")
	if _, errs, err := dowel(t, "connectors", "new", "--from-openapi", "../../engine/definition/testdata/new/acme.openapi.yaml", "-o", file); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	if out, errs, err := dowel(t, "connectors", "lint", file); err != nil {
		t.Errorf("lint: %v\n%s%s", err, out, errs)
	}
	out, errs, err := dowel(t, "connectors", "test", file)
	if err != nil || strings.Count(out, "ok  acme-api/") != 6 {
		t.Errorf("test: %v\n%s%s", err, out, errs)
	}
}
