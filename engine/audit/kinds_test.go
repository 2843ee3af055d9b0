package audit_test

import (
	"encoding/json"
	"os"
	"testing"

	"dowel/engine/audit"
)

// TestEveryKindIsDocumented holds the kinds in the code and in the schema together.
func TestEveryKindIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../schemas/event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		OneOf []struct {
			Title       audit.Kind `json:"title"`
			Description string     `json:"description"`
		} `json:"oneOf"`
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	documented := map[audit.Kind]bool{}
	for _, k := range schema.OneOf {
		documented[k.Title] = k.Description != ""
	}
	for _, k := range audit.Kinds() {
		if !documented[k] {
			t.Errorf("%s is not documented", k)
		}
		delete(documented, k)
	}
	for k := range documented {
		t.Errorf("%s is documented and does not exist", k)
	}
}
