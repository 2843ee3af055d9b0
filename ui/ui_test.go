package ui

import (
	"io/fs"
	"strings"
	"testing"
)

func TestEveryPageHasItsTemplate(t *testing.T) {
	if _, err := New(); err != nil {
		t.Fatal(err)
	}
}

func TestStaticFilesAreServedUnderTheirHashedNameOnly(t *testing.T) {
	u, err := New()
	if err != nil {
		t.Fatal(err)
	}
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
