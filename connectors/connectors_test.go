package connectors_test

import (
	"slices"
	"strings"
	"testing"

	"dowel/connectors"
	"dowel/engine/definition"
)

// categories are the words for what providers are for; connectors/README.md lists them.
var categories = []string{
	"accounting", "advertising", "ai", "analytics", "calendar", "cloud", "commerce", "communication", "crm",
	"customer-support", "data", "design", "developer-tools", "e-mail", "e-signature", "education", "example", "files",
	"finance", "fitness", "forms", "games", "hr", "identity", "legal", "marketing", "media", "messaging", "monitoring",
	"music", "notes", "payments", "productivity", "project-management", "recruiting", "sales", "scheduling", "security",
	"sms", "social", "surveys", "travel", "video", "websites",
}

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
	names := map[string]string{}
	for _, f := range files {
		c, err := catalog.Current(t.Context(), "", strings.TrimSuffix(f.Name(), ".yaml"))
		if err != nil {
			t.Errorf("%s does not define the connector it is named after: %v", f.Name(), err)
			continue
		}
		if other, twice := names[c.Name]; twice {
			t.Errorf("%s and %s are both called %s", other, f.Name(), c.Name)
		}
		names[c.Name] = f.Name()
		described(t, c)
	}
}

// described checks what people read of a connector before they choose it.
func described(t *testing.T, c *definition.Connector) {
	t.Helper()
	if c.Links.Docs+c.Links.Website == "" || c.Verified.Level == "" || c.Color == "" || c.Description == "" {
		t.Errorf("%s leaves out links, verified, color or description", c.File)
	}
	if n := len(c.Categories); n == 0 || n > 3 {
		t.Errorf("%s has %d categories, want 1 to 3", c.File, n)
	}
	for _, word := range c.Categories {
		if !slices.Contains(categories, word) {
			t.Errorf("%s: category %q is not one of the words there are", c.File, word)
		}
	}
	if c.Verified.Level == "live" {
		t.Errorf("%s says that it was tried against the provider, which nobody here could", c.File)
	}
}
