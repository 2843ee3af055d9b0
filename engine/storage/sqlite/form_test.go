package sqlite

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/storage/storagetest"
)

// TestStoredFormIsPinned lists the names a connection is written under. One that changes here can not
// be read back any more by files that exist: write it under the old name, or raise format and read both.
func TestStoredFormIsPinned(t *testing.T) {
	s := open(t, newPath(t))
	defer s.Close()
	c := storagetest.Connection("acme", "one")
	c.Inputs, c.Captured = map[string]string{"input": ""}, map[string]string{"captured": ""}
	c.Discovered = map[string]string{"discovered": ""}
	c.Emit(storagetest.Event("acme", "one", "event"))
	c.Outbox[0].Data = map[string]string{"fact": ""}
	if err := s.CreateConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var body, outbox []byte
	if err := s.reads.row("SELECT body, outbox FROM connections", nil, &body, &outbox); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"[].actor", "[].at", "[].data.fact", "[].id", "[].kind", "[].subject", "[].tenant",
		"app", "attempt.At", "attempt.ID", "attempt.MaySpend", "attempt.Tries", "attempt.Version", "auth",
		"captured.captured", "connector", "connector_version", "created_at", "discovered.discovered", "end_user", "expires_at", "granted_scopes[]",
		"health.Failures", "health.LastRefreshAt", "health.LastRefreshError", "health.LastTestAt", "health.LastTestError",
		"identity.Avatar", "identity.Email", "identity.EmailVerified", "identity.Name", "identity.Subject", "inputs.input",
		"kind", "name", "obtained_at", "previous_until", "refresh_at", "refresh_expires_at", "requested_scopes[]",
		"status", "status_reason", "unverified", "updated_at", "version",
	}
	got := slices.Sorted(slices.Values(append(names(t, outbox), names(t, body)...)))
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// names lists the paths of all values in a JSON text.
func names(t *testing.T, text []byte) (list []string) {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, inner := range value {
				if path != "" {
					name = path + "." + name
				}
				walk(name, inner)
			}
		case []any:
			for _, inner := range value {
				walk(path+"[]", inner)
			}
		default:
			list = append(list, path)
		}
	}
	walk("", value)
	return list
}
