package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestDocsListEveryQuirk keeps the guide's table of what providers do: how it is written, and what shows it.
func TestDocsListEveryQuirk(t *testing.T) {
	text, err := os.ReadFile("../../schemas/testdata/quirks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var quirks []struct {
		Row, Quirk, In, Method, Fails string
		Keys, Tests                   []string
	}
	if err := yaml.Unmarshal(text, &quirks); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| row | what a provider does | written as | for example | shown by |\n|---|---|---|---|---|\n")
	for _, q := range quirks {
		file := q.In + ".yaml"
		if strings.HasSuffix(q.In, ".good") {
			file = "../schemas/testdata/" + file
		}
		example := fmt.Sprintf("[`%s`](%s)", q.In, file)
		if q.Method != "" {
			example += ", method `" + q.Method + "`"
		}
		shown := q.Tests
		if q.Fails != "" {
			shown = append([]string{"TestEveryQuirkIsSaidAndSeen/" + q.Row}, shown...)
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s | `%s` |\n", q.Row, q.Quirk, strings.Join(q.Keys, "`, `"), example, strings.Join(shown, "`, `"))
	}
	documented(t, "../../connectors/README.md", "quirks", b.String())
}
