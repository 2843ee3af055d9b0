package definition

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// varied are connectors each of which does something of its own.
func varied() []string {
	var files []string
	for _, id := range []string{
		"acme-login", "airtable", "datadog", "facebook", "github", "google", "hubspot", "microsoft", "notion", "salesforce",
		"shopify", "slack", "stripe", "twilio", "xero", "zendesk",
	} {
		files = append(files, "../../connectors/"+id+".yaml")
	}
	return files
}

// shipped returns the definitions that come with Dowel, so often that there are n.
func shipped(t testing.TB, n int) fstest.MapFS {
	files := varied()
	if n > len(files) {
		var err error
		if files, err = filepath.Glob("../../connectors/*.yaml"); err != nil || len(files) == 0 {
			t.Fatal("no connectors", err)
		}
	}
	fsys := fstest.MapFS{}
	for i := range n {
		file := files[i%len(files)]
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if i >= len(files) {
			id := fmt.Sprintf("copy%d", i)
			name, source = id+".yaml", renamed(source, id)
		}
		fsys[name] = &fstest.MapFile{Data: source}
	}
	return fsys
}

func BenchmarkParse(b *testing.B) {
	fsys := shipped(b, 16)
	b.ReportAllocs()
	for b.Loop() {
		for name, f := range fsys {
			Parse(name, f.Data)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(fsys)), "µs/definition")
}

func BenchmarkLoad500(b *testing.B) {
	fsys := shipped(b, 500)
	b.ReportAllocs()
	for b.Loop() {
		_, findings, err := Load(fsys)
		if err != nil || len(findings) > 0 {
			b.Fatal(findings, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/load")
}

func BenchmarkFormula(b *testing.B) {
	for b.Loop() {
		f := newFormulas()
		for i := range 1000 {
			f.compile(fmt.Sprintf("response.body.user%d.id", i), inIdentity)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/formula")
}
