package rehearsal_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"dowel/engine/definition"
	"dowel/engine/rehearsal"
)

// TestEveryGoodDefinitionPlaysItsWholeLife plays the definitions that show what the language can say
// and no shipped connector needs.
func TestEveryGoodDefinitionPlaysItsWholeLife(t *testing.T) {
	files, err := filepath.Glob("../../schemas/testdata/*.good.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no good definitions", err)
	}
	dir := fstest.MapFS{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir[strings.TrimSuffix(filepath.Base(file), ".good.yaml")+".yaml"] = &fstest.MapFile{Data: source}
	}
	catalog, findings, err := definition.Load(dir)
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	err = rehearsal.All(t.Context(), catalog.Shared(), runtime.GOMAXPROCS(0), func(r rehearsal.Result) {
		if !r.OK() {
			t.Error(r)
			return
		}
		t.Log(r, r.Steps)
	})
	if err != nil {
		t.Fatal(err)
	}
}
