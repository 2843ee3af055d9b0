package definition

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// folder is a directory of definitions that a test edits.
type folder struct {
	t    *testing.T
	path string
	dir  *Directory
	tick int
}

func newFolder(t *testing.T) *folder {
	f := &folder{t: t, path: t.TempDir()}
	f.dir = &Directory{FS: os.DirFS(f.path), Parents: []Parents{In(family("parent", parentText))}}
	return f
}

func (f *folder) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.path, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.tick++ // two writes may come within the file system's idea of a moment
	at := time.Now().Add(time.Duration(f.tick) * time.Second)
	if err := os.Chtimes(path, at, at); err != nil {
		f.t.Fatal(err)
	}
}

// load returns the names of the connectors, and the rules that were broken.
func (f *folder) load() (names, rules string, changed bool) {
	f.t.Helper()
	ks, findings, changed, err := f.dir.Load()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, k := range ks {
		names += k.ID + "=" + k.Name + " "
	}
	for _, x := range findings {
		rules += x.File + ":" + x.Rule + " "
	}
	return strings.TrimSpace(names), strings.TrimSpace(rules), changed
}

func keyed(id, name string) string {
	return strings.NewReplacer("parent", id, "Parent", name).Replace(parentText)
}

func TestADirectoryIsFollowed(t *testing.T) {
	f := newFolder(t)
	steps := []struct {
		name         string
		do           func()
		want, broken string
		unchanged    bool
	}{
		{name: "empty at first", do: func() {}, want: ""},
		{name: "nothing happened", do: func() {}, unchanged: true},
		{name: "a new file", do: func() { f.write("one.yaml", keyed("one", "One")) }, want: "one=One"},
		{name: "another", do: func() { f.write("two.yaml", keyed("two", "Two")) }, want: "one=One two=Two"},
		{name: "touched, the same text", do: func() { f.write("two.yaml", keyed("two", "Two")) }, want: "one=One two=Two", unchanged: true},
		{name: "changed", do: func() { f.write("two.yaml", keyed("two", "Zwei")) }, want: "one=One two=Zwei"},
		{name: "broken: what it said stays", do: func() { f.write("two.yaml", "id: two\n") }, want: "one=One two=Zwei", broken: "two.yaml:missing-key two.yaml:missing-key two.yaml:missing-key"},
		{name: "broken from the beginning", do: func() { f.write("new.yaml", "id: [") }, want: "one=One two=Zwei", broken: "new.yaml:syntax"},
		{name: "mended", do: func() { f.write("two.yaml", keyed("two", "Deux")) }, want: "one=One two=Deux"},
		{name: "extends a built-in", do: func() { f.write("child.yaml", "extends: one\nid: child\nname: Child\n") }, want: "child=Child one=One two=Deux"},
		{name: "gone", do: func() { _ = os.Remove(filepath.Join(f.path, "two.yaml")) }, want: "child=Child one=One"},
	}
	for _, step := range steps {
		step.do()
		names, broken, changed := f.load()
		if names != step.want || broken != step.broken || changed == step.unchanged {
			t.Errorf("%s: %q, broken %q, changed %v; want %q, %q, %v", step.name, names, broken, changed, step.want, step.broken, !step.unchanged)
		}
	}
}

func TestAChangeOfTheParentReachesWhatExtendsIt(t *testing.T) {
	f := newFolder(t)
	f.write("one.yaml", keyed("one", "One"))
	f.write("child.yaml", "extends: one\nid: child\nname: Child\n")
	f.load()
	f.write("one.yaml", strings.Replace(keyed("one", "One"), "[crm]", "[sales]", 1))
	ks, _, changed, err := f.dir.Load()
	if err != nil || !changed || len(ks) != 2 || ks[0].Categories[0] != "sales" {
		t.Errorf("changed %v, %v: %v", changed, err, ks[0].Categories)
	}
}
