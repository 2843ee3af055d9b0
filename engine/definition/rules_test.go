package definition

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const testdata = "../../schemas/testdata"

// want is an expectation on the offending line of a bad definition: # want <rule> "<part of the message>"
var want = regexp.MustCompile(`# want ([a-z0-9-]+) "(.*)"$`)

type expectation struct {
	line       int
	rule, part string
}

func expectations(source []byte) []expectation {
	var out []expectation
	for i, line := range bytes.Split(source, []byte("\n")) {
		if m := want.FindSubmatch(line); m != nil {
			out = append(out, expectation{i + 1, string(m[1]), string(m[2])})
		}
	}
	return out
}

func badFiles(t *testing.T) []string {
	files, err := filepath.Glob(filepath.Join(testdata, "*.bad.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no bad definitions", err)
	}
	return files
}

func TestABadDefinitionIsFoundOnItsLine(t *testing.T) {
	for _, file := range badFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, got := Parse("bad.yaml", source)
			wanted := expectations(source)
			if !slices.ContainsFunc(wanted, func(e expectation) bool { return e.rule+".bad.yaml" == filepath.Base(file) }) {
				t.Errorf("the file does not expect the rule it is named after")
			}
			if (c == nil) != HasErrors(got) {
				t.Errorf("connector %v with findings %v", c, got)
			}
			for _, e := range wanted {
				i := slices.IndexFunc(got, func(f Finding) bool {
					return f.Line == e.line && f.Rule == e.rule && strings.Contains(f.Message, e.part)
				})
				if i < 0 {
					t.Errorf("line %d: no finding %s with %q; there are %v", e.line, e.rule, e.part, got)
					continue
				}
				if level := levelOf(t, e.rule); got[i].Level != level {
					t.Errorf("%v is of level %s, want %s", got[i], got[i].Level, level)
				}
				got = slices.Delete(got, i, i+1)
			}
			for _, f := range got {
				t.Errorf("unexpected finding %s %v", f.Level, f)
			}
		})
	}
}

func levelOf(t *testing.T, rule string) Level {
	for _, r := range Rules() {
		if r.Name == rule {
			return r.Level
		}
	}
	t.Fatalf("Rules does not list %s", rule)
	return ""
}

func TestEveryRuleHasABadDefinition(t *testing.T) {
	elsewhere := []string{"file", "too-large"} // in TestAFileThatIsNoneIsRefused and TestBombsAreRefusedQuickly
	for i, r := range Rules() {
		if i > 0 && Rules()[i-1].Name == r.Name {
			t.Errorf("there are two rules named %s", r.Name)
		}
		if !strings.HasSuffix(r.Doc, ".") || r.Level != LevelError && r.Level != LevelWarning {
			t.Errorf("%s: level %q, doc %q", r.Name, r.Level, r.Doc)
		}
		if _, err := os.Stat(filepath.Join(testdata, r.Name+".bad.yaml")); err != nil && !slices.Contains(elsewhere, r.Name) {
			t.Error(err)
		}
	}
}

// ofYAML are rules that JSON text cannot break.
var ofYAML = []string{"alias", "encoding", "key-not-text", "many-documents", "syntax", "tag"}

func TestJSONBreaksTheSameRules(t *testing.T) {
	for _, file := range badFiles(t) {
		rule := strings.TrimSuffix(filepath.Base(file), ".bad.yaml")
		if slices.Contains(ofYAML, rule) {
			continue
		}
		t.Run(rule, func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, fromYAML := Parse("bad.yaml", source)
			text := asJSON(t, source)
			_, fromJSON := Parse("bad.json", text)
			_, sniffed := Parse("bad.yaml", text)
			want := rulesOf(fromYAML)
			for _, got := range []string{rulesOf(fromJSON), rulesOf(sniffed)} {
				if got != want {
					t.Errorf("rules %s, want %s; findings %v in\n%s", got, want, fromJSON, text)
				}
			}
			for _, f := range fromJSON {
				if f.Line < 1 || f.Line > bytes.Count(text, []byte("\n"))+1 || f.Col < 1 {
					t.Errorf("%v is not in the file", f)
				}
			}
		})
	}
}

func rulesOf(fs []Finding) string {
	var rules []string
	for _, f := range fs {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	return strings.Join(rules, " ")
}

// asJSON writes a YAML text as JSON, with its keys in their order and as often as they stand there.
func asJSON(t *testing.T, source []byte) []byte {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(source, &doc); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, jsonOf(doc.Content[0]), "", " "); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jsonOf(n *yaml.Node) []byte {
	var parts [][]byte
	switch n.Kind {
	case yaml.MappingNode:
		for pair := range slices.Chunk(n.Content, 2) {
			parts = append(parts, fmt.Appendf(nil, "%s:%s", quote(pair[0].Value), jsonOf(pair[1])))
		}
		return slices.Concat([]byte("{"), bytes.Join(parts, []byte(",")), []byte("}"))
	case yaml.SequenceNode:
		for _, c := range n.Content {
			parts = append(parts, jsonOf(c))
		}
		return slices.Concat([]byte("["), bytes.Join(parts, []byte(",")), []byte("]"))
	}
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null":
		return []byte(n.Value)
	}
	return quote(n.Value)
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a text can always be written
	return b
}
