package connectors_test

import (
	"strings"
	"testing"

	"dowel/connectors"
	"dowel/engine/definition"
)

func TestEveryDefinitionLoadsWithoutAFinding(t *testing.T) {
	catalog, findings, err := definition.Load(connectors.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
	files, err := connectors.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		c, err := catalog.Current(t.Context(), "", strings.TrimSuffix(f.Name(), ".yaml"))
		if err != nil {
			t.Errorf("%s does not define the connector it is named after: %v", f.Name(), err)
			continue
		}
		if c.Links.Docs == "" || c.Verified.Level == "" || c.Color == "" || len(c.Categories) == 0 || len(c.ErrorHelp) == 0 {
			t.Errorf("%s leaves out links.docs, verified, color, categories or error_help", f.Name())
		}
		for _, a := range c.Auth {
			if !c.Testable(a) {
				t.Errorf("%s, %s: no test", f.Name(), a.ID)
			}
		}
	}
}
