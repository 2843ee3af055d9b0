package engine

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed lists what each room may import of the others. A new edge is a line here, with its reason in
// the commit. Foundations first; arrows go down.
var allowed = map[string][]string{
	"fault":      {},
	"access":     {},
	"secret":     {"fault"},
	"egress":     {"fault"},
	"definition": {"fault"},
	"auth":       {"definition", "egress", "fault", "secret"},
	"audit":      {},
	"storage":    {"audit", "secret"},
	"vault":      {"auth", "definition", "fault", "secret", "storage"},
	"token":      {"audit", "auth", "definition", "fault", "secret", "storage", "vault"},
	"flow":       {"access", "audit", "auth", "definition", "fault", "storage", "vault"},
	"connection": {"access", "audit", "auth", "definition", "fault", "flow", "secret", "storage", "token", "vault"},
	"connector":  {"access", "audit", "definition", "fault", "storage"},
	"identity":   {"access", "audit", "fault", "storage"},
	"api":        {"access", "connection", "connector", "definition", "fault", "flow", "identity"},
	"web":        {"access", "audit", "connection", "definition", "fault", "flow", "identity"},

	"auth/authtest":               {"auth", "definition", "egress", "fault", "secret"},
	"storage/sqlite":              {"audit", "fault", "secret", "storage"},
	"storage/mongo":               {"audit", "fault", "secret", "storage"},
	"storage/storagetest":         {"audit", "fault", "secret", "storage"},
	"storage/mongo/mongotestproc": {},
	"simulator":                   {"definition", "fault"},
	// The whole house on a stage: only cmd and tests may use it.
	"rehearsal": {
		"access", "auth", "connection", "definition", "egress", "fault", "flow", "secret", "simulator", "storage", "storage/sqlite", "token",
	},
}

// outside lists what rooms may import of the top level beside engine.
var outside = map[string][]string{
	"definition": {"schemas"},
	"web":        {"ui"},
	"":           {"ui"},
	"rehearsal":  {"engine", "ui"},
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	for room, imports := range roomImports(t) {
		if room == "" {
			continue // the house may import every room
		}
		may, known := allowed[room]
		if !known {
			t.Errorf("engine/%s is not in the table of rooms", room)
			continue
		}
		for _, other := range imports {
			name, inEngine := strings.CutPrefix(other, "dowel/engine/")
			switch {
			case inEngine && !slices.Contains(may, name):
				t.Errorf("engine/%s must not import engine/%s", room, name)
			case !inEngine && !slices.Contains(outside[room], strings.TrimPrefix(other, "dowel/")):
				t.Errorf("engine/%s must not import %s", room, other)
			}
		}
	}
}

// roomImports lists our own packages that each room's code (tests apart) imports.
func roomImports(t *testing.T) map[string][]string {
	t.Helper()
	rooms := map[string][]string{}
	walk(t, func(dir, path string) {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		rooms[dir] = append(rooms[dir], []string{}...)
		for _, spec := range f.Imports {
			if p, _ := strconv.Unquote(spec.Path.Value); strings.HasPrefix(p, "dowel/") && !slices.Contains(rooms[dir], p) {
				rooms[dir] = append(rooms[dir], p)
			}
		}
	})
	return rooms
}

// walk calls f for every file of code below engine; suites of processes and benchmarks may use
// everything.
func walk(t *testing.T, f func(dir, path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != "." {
				return filepath.SkipDir
			}
			if slices.Contains([]string{"e2e", "bench", "testdata"}, path) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			dir := filepath.ToSlash(filepath.Dir(path))
			if dir == "." {
				dir = ""
			}
			f(dir, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryRoomHasOnePackageComment(t *testing.T) {
	comments := map[string]int{}
	walk(t, func(dir, path string) {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		comments[dir] += 0
		if f.Doc != nil {
			comments[dir]++
		}
	})
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("engine/%s has %d package comments, want 1", dir, n)
		}
	}
}
