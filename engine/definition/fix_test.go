package definition

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const fixable = `id: fixable
name: Fixable
hosts: [api.example.com]
inputs:
  place: {label: Place, example: north}
auth:
  - id: key
    kind: api_key
    fields:
      key: {label: Key, type: password}
    apply: {headers: {X-Key: "${fields.key}", X-Place: "${inputs.place}"}}
api: {base_url: https://api.example.com}
test: {get: /me}
identity: {from: test, subject: response.body.id}
`

func TestAFixTakesTheFindingAway(t *testing.T) {
	const place = "{label: Place, example: north}"
	tests := []struct{ name, at, broken, mended string }{
		{"a misspelt key", "auth:\n", "descripton: Text\nauth:\n", "description: Text\nauth:\n"},
		{"a misspelt kind", "kind: api_key", "kind: apikey", "kind: api_key"},
		{"a misspelt word", "auth:\n", "verified: {level: documentd}\nauth:\n", "verified: {level: documented}\nauth:\n"},
		{"a misspelt name in a formula", "${inputs.place}", "ä ${inputs.plaze}", "ä ${inputs.place}"},
		{"an address without TLS", "base_url: https://", "base_url: http://", "base_url: https://"},
		{"another id than the file's", "id: fixable", "id: fixible", "id: fixable"},
		{"a key that is no text", "{X-Key", "{404: x, X-Key", `{"404": x, X-Key`},
		{"a number where a text is wanted", "name: Fixable", "name: 404", `name: "404"`},
		{"a formula in a template's clothes", "response.body.id", `"${response.body.id}"`, `"response.body.id"`},
		{"a template without its clothes", `"${inputs.place}"`, "inputs.place", `"${inputs.place}"`},
		{"required, though hidden, in a row", place, "{label: Place, hidden: true, required: true, default: x}", "{label: Place, hidden: true, default: x}"},
		{"required, though hidden, at the end", place, "{hidden: true, default: x, required: true}", "{hidden: true, default: x}"},
		{"required, though hidden, on its line", " " + place, "\n    hidden: true\n    required: true\n    default: x", "\n    hidden: true\n    default: x"},
		{"options without a select", place, "{label: Place, options: [a, b]}", "{label: Place, type: select, options: [a, b]}"},
		{"options of another type", place, "{type: text, options: [a, b]}", "{type: select, options: [a, b]}"},
		{"options on a line", " " + place, "\n    label: Place\n    options: [a, b]", "\n    label: Place\n    type: select\n    options: [a, b]"},
		{"a range without a number", place, "{label: Place, min: 3}", "{label: Place, type: number, min: 3}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken, want := strings.Replace(fixable, tt.at, tt.broken, 1), strings.Replace(fixable, tt.at, tt.mended, 1)
			_, findings := Parse("fixable.yaml", []byte(broken))
			fixed, made := ApplyFixes([]byte(broken), findings)
			if made != 1 || string(fixed) != want {
				t.Fatalf("%d fixes made it\n%s\nfindings %v", made, fixed, findings)
			}
			if _, left := Parse("fixable.yaml", fixed); HasErrors(left) {
				t.Errorf("fixed, it has %v", left)
			}
		})
	}
}

// TestFixesOfBadDefinitionsMakeThemBetter applies whatever fixes the bad definitions have: none may break
// a text, and none may leave the finding it was for.
func TestFixesOfBadDefinitionsMakeThemBetter(t *testing.T) {
	for _, file := range badFiles(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, before := Parse("bad.yaml", source)
		for _, f := range before {
			if f.Fix == nil {
				continue
			}
			fixed, made := ApplyFixes(source, []Finding{f})
			_, after := Parse("bad.yaml", fixed)
			if made != 1 || len(after) > 0 && after[0].Rule == "syntax" || count(after, f.Rule) >= count(before, f.Rule) {
				t.Errorf("%s: %v: %s: %d made, left %v", filepath.Base(file), f, f.Fix, made, after)
			}
		}
	}
}

func count(fs []Finding, rule string) int {
	n := 0
	for _, f := range fs {
		if f.Rule == rule {
			n++
		}
	}
	return n
}
