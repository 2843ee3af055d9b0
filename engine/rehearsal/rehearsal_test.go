package rehearsal_test

import (
	"os"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"dowel/engine/definition"
	"dowel/engine/rehearsal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEveryShippedConnectorPlaysItsWholeLife is what `dowel connectors test --all` does.
func TestEveryShippedConnectorPlaysItsWholeLife(t *testing.T) {
	catalog, findings, err := definition.Load(os.DirFS("../../connectors"))
	if err != nil || definition.HasErrors(findings) {
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
