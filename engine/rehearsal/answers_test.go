package rehearsal_test

import (
	"testing"

	"dowel/engine/definition"
	"dowel/engine/rehearsal"
	"dowel/engine/simulator"
)

func TestAnswersSuitEveryFieldThatHasToBeAnswered(t *testing.T) {
	const head = "id: acme\nname: Acme\nhosts: [acme.example]\nauth:\n  - id: m\n    kind: custom\n    fields:\n"
	tests := map[string]string{
		"plain":             `{label: Name}`,
		"example":           `{example: acme}`,
		"pattern":           `{pattern: "AC[0-9a-fA-F]{32}"}`,
		"alternatives":      `{pattern: "(?i:eu|us)-[a-z]+-[0-9]{1,2}|local"}`,
		"prefix":            `{type: password, pattern: "xox[a-z]-.+"}`,
		"optional part":     `{pattern: "[a-z]+(\\.[a-z]+)*@(one|two)\\.example"}`,
		"email":             `{format: email}`,
		"uuid":              `{format: uuid}`,
		"url":               `{type: url}`,
		"host":              `{type: host}`,
		"select":            `{type: select, options: [b, a]}`,
		"number":            `{type: number, min: 8, max: 9}`,
		"boolean":           `{type: boolean}`,
		"secret":            `{type: password}`,
		"private key":       `{type: textarea, format: pem}`,
		"bad example":       `{type: password, example: not-so-bad}`,
		"number in pattern": `{type: number, pattern: "[0-9]{6}"}`,
	}
	for name, field := range tests {
		t.Run(name, func(t *testing.T) {
			k, findings := definition.Parse("acme.yaml", []byte(head+"      f: "+field+"\n"))
			if k == nil {
				t.Fatal(findings)
			}
			got, err := rehearsal.Answers(k.Auth[0].Fields)
			if err != nil {
				t.Fatal(err)
			}
			if _, bad := k.Auth[0].Fields.Answers(got); got["f"] == "" || len(bad) > 0 {
				t.Errorf("answers = %v, refused: %v", got, bad)
			}
			if k.Auth[0].Fields[0].Secret() && simulator.Wrong(got["f"]) {
				t.Errorf("the secret %q calls itself wrong", got["f"])
			}
		})
	}
}

func TestAnswersSayWhatTheyCannotAnswer(t *testing.T) {
	k, findings := definition.Parse("acme.yaml", []byte("id: acme\nname: Acme\nhosts: [acme.example]\nauth:\n  - id: m\n    kind: custom\n    fields:\n      f: {pattern: \"a$b\"}\n"))
	if k == nil {
		t.Fatal(findings)
	}
	if got, err := rehearsal.Answers(k.Auth[0].Fields); err == nil {
		t.Errorf("answers = %v to a pattern that nothing matches", got)
	}
}
