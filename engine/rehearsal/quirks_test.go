package rehearsal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"dowel/engine/definition"
	"dowel/engine/rehearsal"
)

// quirk is a row of schemas/testdata/quirks.yaml, where the keys are explained.
type quirk struct {
	Row    string            `yaml:"row"`
	Quirk  string            `yaml:"quirk"`
	Keys   []string          `yaml:"keys"`
	In     string            `yaml:"in"`
	Method string            `yaml:"method"`
	Unsaid map[string]string `yaml:"unsaid"`
	Fails  string            `yaml:"fails"`
	Tests  []string          `yaml:"tests"`
}

func TestEveryQuirkIsSaidAndSeen(t *testing.T) {
	text, err := os.ReadFile("../../schemas/testdata/quirks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var quirks []quirk
	if err := yaml.Unmarshal(text, &quirks); err != nil {
		t.Fatal(err)
	}
	for _, q := range quirks {
		t.Run(q.Row, func(t *testing.T) {
			t.Parallel()
			if q.Fails != "" {
				q.play(t)
			}
		})
	}
}

// play has the definition go through against itself, and fail without what the row is about.
func (q quirk) play(t *testing.T) {
	file, parents := q.file()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	said, unsaid := string(source), string(source)
	if len(q.Unsaid) == 0 {
		t.Fatal("nothing is left unsaid")
	}
	for text, instead := range q.Unsaid {
		if !strings.Contains(unsaid, text) {
			t.Fatalf("%s does not say %q", file, text)
		}
		unsaid = strings.Replace(unsaid, text, instead, 1)
	}
	provider := parse(t, file, said, parents)
	for _, r := range q.run(t, provider, provider) {
		if !r.OK() {
			t.Errorf("as it is: %v", r)
		}
	}
	for _, r := range q.run(t, provider, parse(t, file, unsaid, parents)) {
		if r.Step == q.Fails {
			return
		}
		t.Logf("unsaid: %v %v", r, r.Steps)
	}
	t.Errorf("%s: nothing fails at %q without it", q.Quirk, q.Fails)
}

func (q quirk) file() (string, definition.Parents) {
	if name, ok := strings.CutSuffix(q.In, ".good"); ok {
		dir := fstest.MapFS{}
		files, _ := filepath.Glob("../../schemas/testdata/*.good.yaml")
		for _, f := range files {
			text, _ := os.ReadFile(f)
			dir[strings.TrimSuffix(filepath.Base(f), ".good.yaml")+".yaml"] = &fstest.MapFile{Data: text}
		}
		return "../../schemas/testdata/" + name + ".good.yaml", definition.In(dir)
	}
	return "../../connectors/" + q.In + ".yaml", definition.In(os.DirFS("../../connectors"))
}

func (q quirk) run(t *testing.T, provider, k *definition.Connector) []rehearsal.Result {
	t.Helper()
	results, err := rehearsal.Against(t.Context(), provider, k)
	if err != nil {
		t.Fatal(err)
	}
	var out []rehearsal.Result
	for _, r := range results {
		if q.Method == "" || r.Method == q.Method {
			out = append(out, r)
		}
	}
	return out
}

func parse(t *testing.T, file, source string, parents definition.Parents) *definition.Connector {
	t.Helper()
	name := strings.Replace(filepath.Base(file), ".good", "", 1)
	k, findings := definition.Parse(name, []byte(source), parents)
	if k == nil {
		t.Fatal(findings)
	}
	return k
}
