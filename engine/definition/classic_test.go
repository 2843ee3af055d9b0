package definition

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var updateGolden = flag.Bool("update-imports", false, "rewrite what the importers write")

// told are findings as level-free lines: path, rule.
func told(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Path+" "+f.Rule)
	}
	return out
}

func TestClassicImportSaysWhereSomethingIsMissing(t *testing.T) {
	source, err := os.ReadFile("testdata/classic/microsoft.json")
	if err != nil {
		t.Fatal(err)
	}
	text, findings := ImportClassic("microsoft.json", source, Import{})
	var errs []string
	for _, f := range findings {
		if f.Level == LevelError {
			errs = append(errs, f.String())
		}
	}
	want := []string{
		`microsoft.json:2:14: import-missing: $.baseUrl: this is empty, and required`,
		`microsoft.json:14:23: import-missing: $.authorization.accessTokenUrl: this is empty, and required`,
	}
	if diff := cmp.Diff(want, errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	// The definition is written all the same, and refused where it has to be completed.
	if _, own := Parse("microsoft.yaml", text); !slices.Contains(told(own), "/auth/0/token/url empty") {
		t.Errorf("findings of\n%s\n%v", text, own)
	}
}

// TestClassicImportWritesWhatAPersonWouldWrite compares whole definitions; -update rewrites them.
func TestClassicImportWritesWhatAPersonWouldWrite(t *testing.T) {
	files, err := filepath.Glob("testdata/classic/*.json")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, findings := ImportClassic(filepath.Base(file), source, Import{})
			var b strings.Builder
			if err := WriteFindings(&b, "text", findings); err != nil {
				t.Fatal(err)
			}
			got := string(text) + "# ---\n# " + strings.ReplaceAll(strings.TrimSpace(b.String()), "\n", "\n# ") + "\n"
			golden(t, strings.TrimSuffix(file, ".json")+".golden", got)
			if strings.Contains(got, "CANARY") {
				t.Error("a secret was carried over")
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *updateGolden {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// FuzzClassic: whatever the JSON, reading it ends soon and does not panic, what is written can be read,
// and what is imported without an error loads.
func FuzzClassic(f *testing.F) {
	files, err := filepath.Glob("testdata/classic/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		start := time.Now()
		text, findings := ImportClassic("fuzz.json", source, Import{})
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		sound(t, text, findings)
	})
}

// sound checks what an importer wrote: it can be read, and without an error it loads.
func sound(t *testing.T, text []byte, findings []Finding) {
	t.Helper()
	if text == nil {
		if !HasErrors(findings) {
			t.Errorf("nothing was written, and nothing said: %v", findings)
		}
		return
	}
	d := read("fuzz.yaml", text)
	if HasErrors(findings) {
		return
	}
	if d.root == nil || HasErrors(d.findings) {
		t.Fatalf("what was written cannot be read: %v\n%s", d.findings, text)
	}
	s, _ := find(d.root, "/id")
	if c, own := Parse(s.value.Value+".yaml", text); c == nil {
		t.Errorf("no error was found, and the definition is refused: %v\n%s", own, text)
	}
}
