package ui

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden pages")

func newUI(t *testing.T) *UI {
	t.Helper()
	u, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func render(t *testing.T, u *UI, p Page) string {
	t.Helper()
	var buf bytes.Buffer
	if err := u.Render(&buf, p); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestStoriesRenderAsTheGoldenPages(t *testing.T) {
	u := newUI(t)
	seen := map[string]bool{}
	for _, s := range Stories() {
		t.Run(s.Name, func(t *testing.T) {
			if seen[s.Name+".html"] {
				t.Fatalf("two stories are called %s", s.Name)
			}
			seen[s.Name+".html"] = true
			got := unhashed(u, render(t, u, s.Page))
			file := filepath.Join("golden", s.Name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v (go test ./ui -update writes it)", err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
	entries, err := os.ReadDir("golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !seen[e.Name()] {
			t.Errorf("golden/%s belongs to no story", e.Name())
		}
	}
}

// unhashed takes the hashes out of static addresses, so that a change of a style changes no page.
func unhashed(u *UI, html string) string {
	for name, hashed := range u.assets.byName {
		html = strings.ReplaceAll(html, "/static/"+hashed, "/static/"+name)
	}
	return html
}

func TestStoriesShowEveryPage(t *testing.T) {
	told := map[string]bool{}
	for _, s := range Stories() {
		told[s.Page.page()] = true
	}
	for _, p := range everyPage() {
		if !told[p.page()] {
			t.Errorf("page %q has no story", p.page())
		}
	}
}

func TestStaticFilesAreServedUnderTheirHashedNameOnly(t *testing.T) {
	u := newUI(t)
	name := strings.TrimPrefix(u.Asset("connect.js"), "/static/")
	if name == "connect.js" {
		t.Fatalf("Asset: %q has no hash", name)
	}
	if _, err := fs.ReadFile(u.Static(), name); err != nil {
		t.Errorf("read %s: %v", name, err)
	}
	if _, err := fs.ReadFile(u.Static(), "connect.js"); err == nil {
		t.Error("connect.js is served without its hash: a cache would keep it for ever")
	}
}
