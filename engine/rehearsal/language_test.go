package rehearsal_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

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
	var all []*definition.Connector
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		k, findings := definition.Parse(strings.TrimSuffix(filepath.Base(file), ".good.yaml")+".yaml", source)
		if k == nil {
			t.Fatal(file, findings)
		}
		all = append(all, k)
	}
	err = rehearsal.All(t.Context(), all, runtime.GOMAXPROCS(0), func(r rehearsal.Result) {
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
