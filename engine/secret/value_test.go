package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const canary = "canary-7f3a"

type holder struct {
	Name    string
	Public  Value
	private Value
	key     MasterKey
}

// TestNothingPrintsASecret puts a known word into Values and a MasterKey in every
// position, and looks for it in the output of everything that prints.
func TestNothingPrintsASecret(t *testing.T) {
	v := New(canary)
	key := MasterKey{New(canary)}
	h := holder{Name: "n", Public: v, private: v, key: key}
	things := map[string]any{
		"value": v, "pointer": &v, "struct": h, "struct pointer": &h,
		"slice": []Value{v}, "map": map[string]holder{"k": h}, "key": key, "any": []any{v, h},
	}
	for name, thing := range things {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10s", "%T"} {
				fmt.Fprintf(&out, format+"\n", thing)
			}
			slog.New(slog.NewTextHandler(&out, nil)).Info("m", "thing", thing)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "thing", thing)
			for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
				text, err := marshal(thing)
				if err != nil {
					t.Fatal(err)
				}
				out.Write(text)
			}
			got := out.String()
			if strings.Contains(got, canary) || strings.Contains(got, fmt.Sprintf("%x", canary)) {
				t.Errorf("the secret was printed:\n%s", got)
			}
			if !strings.Contains(got, "[secret]") {
				t.Errorf("nothing says that there is a secret:\n%s", got)
			}
		})
	}
}

func TestValueDoesNotComeBackFromItsMask(t *testing.T) {
	text, err := json.Marshal(New(canary))
	if err != nil || string(text) != `"[secret]"` {
		t.Fatalf("Marshal: %s, %v", text, err)
	}
	var v Value
	if err := json.Unmarshal(text, &v); err == nil {
		t.Errorf("%s was read back as a Value", text)
	}
	if err := yaml.Unmarshal([]byte("[secret]"), &v); err == nil {
		t.Error("YAML was read as a Value")
	}
}

func TestZeroValueIsEmpty(t *testing.T) {
	for _, v := range []Value{{}, New("")} {
		text, err := json.Marshal(struct {
			A Value `json:"a"`
			B Value `json:"b,omitzero"`
		}{v, v})
		if err != nil || string(text) != `{"a":""}` || v.Reveal() != "" || !v.IsZero() || fmt.Sprint(v) != "" {
			t.Errorf("zero Value: %s, %v, %q", text, err, fmt.Sprint(v))
		}
	}
}

func TestEqualComparesTheText(t *testing.T) {
	if !New("a").Equal(New("a")) || New("a").Equal(New("b")) || New("a").Equal(Value{}) || !New("").Equal(Value{}) {
		t.Error("Equal does not compare the text")
	}
	if New(canary).Reveal() != canary {
		t.Error("Reveal does not return the text")
	}
}
