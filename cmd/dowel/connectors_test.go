package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dowel runs a command as the binary would and returns what it wrote.
func dowel(t *testing.T, args ...string) (out, errs string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

func TestSchemaPrintsTheSchemaThatDefinitionsAreCheckedAgainst(t *testing.T) {
	out, _, err := dowel(t, "connectors", "schema")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../schemas/connector.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) || !json.Valid([]byte(out)) {
		t.Errorf("connectors schema printed %d bytes, the schema has %d", len(out), len(want))
	}
}

func TestLintMendsWhatNeedsNoDecision(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acme.yaml")
	broken := "id: acne\nname: Acme\nhosts: [api.example.com]\nauth:\n  - id: token\n    knid: bearer\n" +
		"api: {base_url: http://api.example.com}\ntest: {get: /me}\nidentity: {from: tset, subject: response.body.id}\n"
	if err := os.WriteFile(file, []byte(broken), 0o640); err != nil {
		t.Fatal(err)
	}
	out, errs, err := dowel(t, "connectors", "lint", "--fix", file)
	if err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	fixed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("acne", "acme", "knid", "kind", "http://", "https://", "tset", "test").Replace(broken)
	if string(fixed) != want {
		t.Errorf("the file is now\n%s", fixed)
	}
	if n := strings.Count(errs, ": fixed: "); n != 4 || !strings.Contains(errs, file+":6:5: unknown-key: fixed: write \"kind\" instead of \"knid\"") {
		t.Errorf("told of %d fixes:\n%s", n, errs)
	}
	if !strings.Contains(out, "missing") || strings.Contains(out, "(error)") {
		t.Errorf("what is left:\n%s", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
}

func TestLintReadsADirectoryAsServingItWould(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/etc/hosts", filepath.Join(dir, "out.yaml")); err != nil {
		t.Fatal(err)
	}
	out, _, err := dowel(t, "connectors", "lint", dir)
	if want := filepath.Join(dir, "out.yaml") + ":1:1: file: this link leads out of the directory (error)\n"; out != want || err == nil {
		t.Errorf("%v; got %q, want %q", err, out, want)
	}
}
