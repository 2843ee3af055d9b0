package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

// TestMain lets more tests run at once than there are processors: they wait most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	machine = WatchLag()
	code := m.Run()
	machine.Stop()
	if dowel.path != "" {
		_ = os.RemoveAll(filepath.Dir(dowel.path))
	}
	os.Exit(code)
}
