package mongo

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"

	"dowel/engine/storage/mongo/mongotestproc"
	"dowel/engine/storage/storagetest"
)

// TestStoredFormIsPinned lists the names a connection is written under. One that changes here can not
// be read back any more from databases that exist: write it under the old name, or raise schema and
// read both.
func TestStoredFormIsPinned(t *testing.T) {
	uri := mongotestproc.Start(t).URI()
	s := open(t, uri, newDatabase(t, uri))
	defer s.Close()
	c := storagetest.Connection("acme", "one")
	c.Inputs, c.Captured = map[string]string{"input": ""}, map[string]string{"captured": ""}
	c.Discovered = map[string]string{"discovered": ""}
	c.Emit(storagetest.Event("acme", "one", "event"))
	c.Outbox[0].Data = map[string]string{"fact": ""}
	if err := s.CreateConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	document, err := s.connections.collection.FindOne(t.Context(), bson.D{}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"_id", "app", "attempt.at", "attempt.id", "attempt.mayspend", "attempt.tries", "attempt.version", "auth",
		"captured.captured", "connector", "connector_version", "created_at", "credential", "discovered.discovered", "due_at", "end_user", "expires_at",
		"granted_scopes[]", "health.failures", "health.lastrefreshat", "health.lastrefresherror", "health.lasttestat",
		"health.lasttesterror", "id", "identity.avatar", "identity.email", "identity.emailverified", "identity.name",
		"identity.subject", "inputs.input", "kind", "lease.fence", "lease.holder", "lease.ref.id", "lease.ref.tenant",
		"lease.until", "name", "obtained_at", "outbox[].actor", "outbox[].at", "outbox[].data.fact", "outbox[].id",
		"outbox[].kind", "outbox[].subject", "outbox[].tenant", "outbox_at", "outbox_holder", "outbox_until", "previous",
		"previous_until", "refresh_at", "refresh_expires_at", "requested_scopes[]", "revision", "schema", "status",
		"status_reason", "tenant", "unverified", "updated_at", "version",
	}
	got := slices.Sorted(slices.Values(names(t, "", document)))
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// names lists the paths of all values in a document; those of an array have one name.
func names(t *testing.T, path string, document bson.Raw) (list []string) {
	t.Helper()
	elements, err := document.Elements()
	if err != nil {
		t.Fatal(err)
	}
	for _, element := range elements {
		name := path + element.Key()
		switch value := element.Value(); value.Type {
		case bsontype.EmbeddedDocument:
			list = append(list, names(t, name+".", value.Document())...)
		case bsontype.Array:
			values, err := value.Array().Values()
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range values {
				if value.Type == bsontype.EmbeddedDocument {
					list = append(list, names(t, name+"[].", value.Document())...)
				} else {
					list = append(list, name+"[]")
				}
			}
		default:
			list = append(list, name)
		}
	}
	return list
}
