package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// microsoft is the example of Fastn's own documentation; %URLS% are empty there.
func microsoft(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../engine/definition/testdata/classic/microsoft.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestImportFastnNamesEmptyAddressesByTheirPath(t *testing.T) {
	dir := write(t, map[string]string{"microsoft.json": microsoft(t)})
	out, errs, err := dowel(t, "connectors", "import", "fastn", filepath.Join(dir, "microsoft.json"))
	if err == nil {
		t.Error("no error although two addresses are missing")
	}
	for _, want := range []string{
		"microsoft.json:2:14: import-missing: $.baseUrl: ",
		"microsoft.json:14:23: import-missing: $.authorization.accessTokenUrl: ",
		"hint: Microsoft comes with Dowel",
		"https://login.microsoftonline.com/${inputs.directory}/oauth2/v2.0/token",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("standard error lacks %q:\n%s", want, errs)
		}
	}
	if !strings.Contains(out, "refresh_expires: {default: 2160h}") {
		t.Errorf("what could be carried over was not written:\n%s", out)
	}
}

// TestImportFastnEndToEnd fills in the example's addresses, imports it, lints it and plays it.
func TestImportFastnEndToEnd(t *testing.T) {
	const host = "https://login.microsoftonline.com/{{directory}}/oauth2/v2.0/"
	filled := strings.NewReplacer(`"baseUrl": ""`, `"baseUrl": "`+host+`authorize"`, `"accessTokenUrl": ""`, `"accessTokenUrl": "`+host+`token"`).Replace(microsoft(t))
	dir := write(t, map[string]string{"ms.json": filled})
	in, out := filepath.Join(dir, "ms.json"), filepath.Join(dir, "entra.yaml")
	if _, errs, err := dowel(t, "connectors", "import", "fastn", in, "-o", out, "--id", "entra", "--name", "Entra"); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	if text, errs, err := dowel(t, "connectors", "lint", out); err != nil {
		t.Errorf("lint: %v\n%s%s", err, text, errs)
	}
	text, errs, err := dowel(t, "connectors", "test", out)
	if err != nil || !strings.HasPrefix(text, "ok  entra/oauth") {
		t.Errorf("test: %v\n%s%s", err, text, errs)
	}
	explained, _, err := dowel(t, "connectors", "explain", out)
	if err != nil || !strings.Contains(explained, "prompt=consent") || !strings.Contains(explained, "offline_access") {
		t.Errorf("explain: %v\n%s", err, explained)
	}
}

func TestImportDoesNotWriteOverAFile(t *testing.T) {
	dir := write(t, map[string]string{"key.json": `{"type":"bearerToken","details":{"access_token":{"type":"password"}}}`, "key.yaml": "mine"})
	args := []string{"connectors", "import", "fastn", filepath.Join(dir, "key.json"), "--base-url", "https://api.acme.example", "-o", filepath.Join(dir, "key.yaml")}
	if _, _, err := dowel(t, args...); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("error = %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "key.yaml")); string(b) != "mine" {
		t.Errorf("the file is now %q", b)
	}
	if _, errs, err := dowel(t, append(args, "--force")...); err != nil {
		t.Errorf("with --force: %v\n%s", err, errs)
	}
}

func TestImportRefusesWhatItCannotRead(t *testing.T) {
	dir := write(t, map[string]string{
		"text.json": "no JSON", "twice.json": `{"baseUrl": "a", "baseUrl": "b"}`, "deep.json": strings.Repeat("[", 100_000),
		"large.json": `{"baseUrl": "` + strings.Repeat("x", 1<<20) + `"}`,
	})
	for _, name := range []string{"text.json", "twice.json", "deep.json", "large.json", "none.json"} {
		out, errs, err := dowel(t, "connectors", "import", "fastn", filepath.Join(dir, name))
		if err == nil || out != "" || errs == "" {
			t.Errorf("%s: %v\n%s%s", name, err, out, errs)
		}
	}
}
