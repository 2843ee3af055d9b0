package definition

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newFrom makes a definition of a file in testdata/new, by its name.
func newFrom(file string, source []byte) ([]byte, []Finding) {
	if strings.Contains(file, "metadata") {
		return FromMetadata(filepath.Base(file), source, "", Import{})
	}
	return FromOpenAPI(filepath.Base(file), source, Import{})
}

func TestNewDefinitionsAreWhatAPersonWouldWrite(t *testing.T) {
	files, err := filepath.Glob("testdata/new/*.[jy]*")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, findings := newFrom(file, source)
			var b strings.Builder
			if err := WriteFindings(&b, "text", findings); err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, filepath.Ext(file))+".golden",
				string(text)+"# ---\n# "+strings.ReplaceAll(strings.TrimSpace(b.String()), "\n", "\n# ")+"\n")
		})
	}
}

// TestMetadataOfAnotherIssuerIsRefused is RFC 8414 §3.3: to the letter, or an attacker's metadata passes for
// the one that was asked for.
func TestMetadataOfAnotherIssuerIsRefused(t *testing.T) {
	for said, wanted := range map[string]string{
		"https://acme.example": "", "https://acme.example/": "https://acme.example", "https://ACME.example": "https://acme.example",
		"https://acme.example.evil.example": "https://acme.example", "": "https://acme.example",
	} {
		source := fmt.Sprintf(`{"issuer": %q, "authorization_endpoint": "https://acme.example/a", "token_endpoint": "https://acme.example/t"}`, said)
		asked := wanted
		if asked == "" {
			asked = said
		}
		text, findings := FromMetadata("m.json", []byte(source), asked, Import{})
		if refused := text == nil && HasErrors(findings); refused != (wanted != "") {
			t.Errorf("metadata of %q, asked for %q: refused = %t, %v", said, asked, refused, findings)
		}
	}
}

func TestWellKnownAddresses(t *testing.T) {
	tests := []struct {
		address    string
		oidc       bool
		want, from string
	}{
		// OpenID Connect Discovery 1.0 §4.1, RFC 8414 §3.1: the examples of both.
		{"https://example.com/issuer1", true, "https://example.com/issuer1/.well-known/openid-configuration", "https://example.com/issuer1"},
		{"https://example.com/", true, "https://example.com/.well-known/openid-configuration", "https://example.com/"},
		{"https://example.com", false, "https://example.com/.well-known/oauth-authorization-server", "https://example.com"},
		{"https://example.com/issuer1", false, "https://example.com/.well-known/oauth-authorization-server/issuer1", "https://example.com/issuer1"},
		{"https://example.com/.well-known/oauth-authorization-server/issuer1", false, "https://example.com/.well-known/oauth-authorization-server/issuer1", "https://example.com/issuer1"},
		{"https://example.com/i/.well-known/openid-configuration", false, "https://example.com/i/.well-known/openid-configuration", "https://example.com/i"},
	}
	for _, tt := range tests {
		got, from, err := WellKnown(tt.address, tt.oidc)
		if err != nil || got != tt.want || from != tt.from {
			t.Errorf("WellKnown(%q, %t) = %q, %q, %v; want %q, %q", tt.address, tt.oidc, got, from, err, tt.want, tt.from)
		}
	}
}

func TestOpenAPIRefusesWhatCostsMoreThanItIsWorth(t *testing.T) {
	bombs := bombs()
	bombs["9 MB of YAML"] = "openapi: 3.0.0\ninfo: {title: \"" + strings.Repeat("a", 9<<20) + "\"}\n"
	bombs["8 MB of items"] = "openapi: [" + strings.Repeat("0,", 4<<20-100) + "]"
	bombs["8 MB of keys"] = strings.Repeat("k: 0\n", 8<<20/5-100)
	for name, source := range bombs {
		start := time.Now()
		text, findings := FromOpenAPI("bomb.yaml", []byte(source), Import{})
		if text != nil || !HasErrors(findings) {
			t.Errorf("%s: %v\n%.200s", name, findings, text)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// FuzzNew: whatever is published, reading it ends soon and does not panic, what is written can be read, and
// what is written without an error loads.
func FuzzNew(f *testing.F) {
	files, err := filepath.Glob("testdata/new/*.[jy]*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source, strings.Contains(file, "metadata"))
	}
	f.Fuzz(func(t *testing.T, source []byte, published bool) {
		start := time.Now()
		name := map[bool]string{true: "metadata", false: "openapi"}[published]
		text, findings := newFrom(name, source)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		sound(t, text, findings)
	})
}
