package auth_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/definition"
)

var update = flag.Bool("update", false, "write the golden files anew")

func methods() auth.Registry {
	return auth.NewRegistry(auth.AuthorizationCode(), auth.DeviceCode(), auth.ClientCredentials(), auth.JWTBearer(), auth.TokenExchange(), auth.Password(), auth.OAuth1(), auth.Basic(), auth.APIKey(), auth.Bearer(), auth.Custom(), auth.None())
}

// TestExplanationsAreAsReviewed shows what a definition has Dowel send. The files are reviewed like
// code: a change here is a change at the provider.
func TestExplanationsAreAsReviewed(t *testing.T) {
	for _, place := range []struct{ definitions, golden string }{
		{"testdata/conformance", "testdata/explain"},
		{"../../connectors", "../../connectors/testdata"},
	} {
		catalog, findings, err := definition.Load(os.DirFS(place.definitions))
		if err != nil || definition.HasErrors(findings) {
			t.Fatal(err, findings)
		}
		seen := map[string]bool{}
		for _, k := range catalog.Shared() {
			t.Run(k.ID, func(t *testing.T) {
				seen[k.ID+".golden"] = true
				compare(t, filepath.Join(place.golden, k.ID+".golden"), explained(k))
			})
		}
		files, err := filepath.Glob(place.golden + "/*.golden")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !seen[filepath.Base(f)] {
				t.Errorf("%s belongs to no definition", f)
			}
		}
	}
}

// explained leaves out the version, which changes with every comment.
func explained(k *definition.Connector) string {
	return strings.Replace(auth.Explain(methods(), k, "https://dowel.example/callback"), ", version "+k.Version, "", 1)
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestExplanationsNameWhatIsSecret: what stands in brackets is a name, and everything a
// person or an operator keeps secret has one.
func TestExplanationsNameWhatIsSecret(t *testing.T) {
	source, err := os.ReadFile("testdata/conformance/code-header-form.yaml")
	if err != nil {
		t.Fatal(err)
	}
	k, findings := definition.Parse("code-header-form.yaml", source)
	if k == nil {
		t.Fatal(findings)
	}
	got := explained(k)
	for _, want := range []string{
		"code_challenge=[code_challenge]", "state=[state]", "code=[code]", "code_verifier=[code_verifier]", "refresh_token=[refresh_token]",
		"Basic base64([client_id]:[client_secret])", "Authorization: Bearer [access_token]",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
