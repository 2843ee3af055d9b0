package main

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

// dowel runs a command as the binary would and returns what it wrote.
func dowel(t *testing.T, args ...string) (out, errs string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

func TestSchemaPrintsTheSchemaThatDefinitionsAreCheckedAgainst(t *testing.T) {
	out, _, err := dowel(t, "connectors", "schema")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../schemas/connector.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) || !json.Valid([]byte(out)) {
		t.Errorf("connectors schema printed %d bytes, the schema has %d", len(out), len(want))
	}
}
