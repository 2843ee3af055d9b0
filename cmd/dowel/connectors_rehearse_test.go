package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write puts files into a directory and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const keyDefinition = `
id: acme
name: Acme
hosts: [acme.example]
auth:
  - id: key
    kind: bearer
test: {get: https://acme.example/me}
`

func TestTestPlaysEveryMethodOfAConnector(t *testing.T) {
	out, errs, err := dowel(t, "connectors", "test", "slack")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	want := []string{"ok  slack/oauth  ", "ok  slack/token  ", "1 connectors, 2 methods, 0 failed  "}
	if err != nil || !slices.EqualFunc(lines, want, strings.HasPrefix) {
		t.Errorf("connectors test slack: %v\n%s%s", err, out, errs)
	}
}

func TestTestOfADirectoryNamesWhatFailsAndWhatIsRefused(t *testing.T) {
	dir := write(t, map[string]string{
		"acme.yaml":   keyDefinition,
		"deaf.yaml":   strings.NewReplacer("acme", "deaf", "/me}", "/me, success: response.status == 418}").Replace(keyDefinition),
		"broken.yaml": "id: broken\n",
	})
	out, errs, err := dowel(t, "connectors", "test", "--all", "--dir", dir)
	if err == nil {
		t.Error("no error although two of three definitions fail")
	}
	for _, want := range []string{"ok  acme/key  ", "FAIL  deaf/key: connect: ", "2 connectors, 2 methods, 1 failed  "} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if !strings.Contains(errs, "broken.yaml:1:1: missing-key: ") || strings.Contains(errs, "Usage") {
		t.Errorf("errors = %s", errs)
	}
	out, errs, err = dowel(t, "connectors", "test", "--dir", dir, "acme")
	if err != nil || !strings.HasPrefix(out, "ok  acme/key") {
		t.Errorf("connectors test acme: %v\n%s%s", err, out, errs)
	}
}

func TestTestWantsSomethingToTest(t *testing.T) {
	for _, args := range [][]string{{}, {"--all", "slack"}, {"no-such-connector"}} {
		if out, _, err := dowel(t, append([]string{"connectors", "test"}, args...)...); err == nil {
			t.Errorf("connectors test %v: no error\n%s", args, out)
		}
	}
}
