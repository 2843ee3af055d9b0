package rehearsal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
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

// rows is how many of each kind there are: where things are, the authorization request, the token request,
// its answer, refresh and revocation, the use of credentials, identity, tests, and clients that register.
var rows = map[string]int{"A": 12, "B": 16, "C": 16, "D": 10, "E": 8, "F": 11, "G": 15, "H": 5, "I": 1}

func TestEveryQuirkIsSaidAndSeen(t *testing.T) {
	text, err := os.ReadFile("../../schemas/testdata/quirks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var quirks []quirk
	if err := yaml.Unmarshal(text, &quirks); err != nil {
		t.Fatal(err)
	}
	seen, tests := map[string]bool{}, testNames(t)
	for _, q := range quirks {
		seen[q.Row] = true
		t.Run(q.Row, func(t *testing.T) {
			t.Parallel()
			if q.Fails != "" {
				q.play(t)
			}
			if _, err := os.Stat(q.path()); err != nil || q.Fails == "" && len(q.Tests) == 0 {
				t.Errorf("nothing shows it: %v", err)
			}
			for _, name := range q.Tests {
				if !tests[name] {
					t.Errorf("there is no test %s", name)
				}
			}
		})
	}
	for kind, n := range rows {
		for i := 1; i <= n; i++ {
			row := kind + strconv.Itoa(i)
			if kind == "I" {
				row = kind
			}
			if !seen[row] {
				t.Errorf("row %s is missing", row)
			}
		}
	}
}

// testNames are the tests of the engine.
func testNames(t *testing.T) map[string]bool {
	declared, out := regexp.MustCompile(`(?m)^func (Test\w+)\(`), map[string]bool{}
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			out[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// play has the definition go through against itself, and fail without what the row is about.
func (q quirk) play(t *testing.T) {
	file, parents := q.path(), q.parents()
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

func (q quirk) path() string {
	if strings.HasSuffix(q.In, ".good") {
		return "../../schemas/testdata/" + q.In + ".yaml"
	}
	return "../../connectors/" + q.In + ".yaml"
}

// parents are what the definition may extend.
func (q quirk) parents() definition.Parents {
	if !strings.HasSuffix(q.In, ".good") {
		return definition.In(os.DirFS("../../connectors"))
	}
	dir := fstest.MapFS{}
	files, _ := filepath.Glob("../../schemas/testdata/*.good.yaml")
	for _, f := range files {
		text, _ := os.ReadFile(f)
		dir[strings.TrimSuffix(filepath.Base(f), ".good.yaml")+".yaml"] = &fstest.MapFile{Data: text}
	}
	return definition.In(dir)
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
