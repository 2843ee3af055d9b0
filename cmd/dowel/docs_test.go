package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"dowel/engine/definition"
)

var update = flag.Bool("update", false, "rewrite the generated parts of the documentation")

// TestDocsListEverySetting keeps the README's table of settings as the code has it.
func TestDocsListEverySetting(t *testing.T) {
	documented(t, "../../README.md", "settings", settingsTable())
}

// TestDocsListEveryFunction keeps the guide's list of functions as the code has it.
func TestDocsListEveryFunction(t *testing.T) {
	var b strings.Builder
	for _, f := range definition.Functions() {
		call, does, _ := strings.Cut(f.Doc, ") ")
		fmt.Fprintf(&b, "- `%s)` %s\n", call, does)
	}
	documented(t, "../../connectors/README.md", "functions", b.String())
}

// documented compares a generated part of a document with what it should be, or rewrites it.
func documented(t *testing.T, file, part, text string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+part+": written by make docs -->\n", "<!-- /"+part+" -->"
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the %s", file, part)
	}
	want := before + begin + text + end + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(b) {
		t.Errorf("the %s in %s are not those of the code; run make docs", part, file)
	}
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("\n| setting | default | |\n|---|---|---|\n")
	for _, s := range Settings() {
		name, value := "`"+s.Name+"`", ""
		if s.Secret {
			name += ", `…_FILE`"
		}
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, value, s.Doc)
	}
	b.WriteString("\n")
	return b.String()
}

func TestLoadConfigSaysEverythingThatIsWrong(t *testing.T) {
	file := t.TempDir() + "/dowel.yaml"
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:9\nno_such: 1\nrefresh_pool: many\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{"DOWEL_READ_WAIT": "soon"}
	_, err := loadConfig(file, func(name string) string { return environ[name] })
	if err == nil {
		t.Fatal("no complaint")
	}
	for _, want := range []string{"DOWEL_READ_WAIT: must be a duration", "DOWEL_REFRESH_POOL: must be a number", file + ":2:10: there is no setting no_such"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestASecretCanComeFromAFile(t *testing.T) {
	file := t.TempDir() + "/uri"
	if err := os.WriteFile(file, []byte("mongodb://127.0.0.1/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{"DOWEL_MONGODB_URI_FILE": file}
	c, err := loadConfig("", func(name string) string { return environ[name] })
	if err != nil || c.MongoDBURI != "mongodb://127.0.0.1/x" {
		t.Errorf("loadConfig: %+v, %v", c, err)
	}
}

func TestAProcessWithoutAKeySaysHowToMakeOne(t *testing.T) {
	for _, c := range []Config{{}, {MasterKey: "password"}, {MasterKey: strings.Repeat("a", 64)}} {
		_, err := c.masterKeys()
		if err == nil || !strings.Contains(err.Error(), "dowel keys new") {
			t.Errorf("masterKeys of %q: %v", c.MasterKey, err)
		}
	}
}

func TestTheFirstStepsAreSafe(t *testing.T) {
	tests := []struct {
		name string
		c    Config
		want string
	}{
		{"dev mode stays on this machine", Config{Dev: true, Listen: "0.0.0.0:8080"}, "loopback only"},
		{"a public address must be said", Config{Listen: "127.0.0.1:8080"}, "DOWEL_PUBLIC_URL is not set"},
		{"nothing is simulated in production", Config{Listen: "127.0.0.1:8080", PublicURL: "https://x.example", SimulatorURL: "http://127.0.0.1:1"}, "dev mode only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.c.checkDev(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("checkDev: %v, want %q", err, tt.want)
			}
		})
	}
	if err := guardMongo(&Config{MongoDBURI: "mongodb://db.internal/x"}); err == nil {
		t.Error("a database on another machine without a user is accepted")
	}
	if err := guardMongo(&Config{MongoDBURI: "mongodb://u:p@db.internal/x"}); err != nil {
		t.Error(err)
	}
}
