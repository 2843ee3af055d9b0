package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// teamKey is a definition of a tenant's own: the header tells which version is at work.
func teamKey(header string) string {
	return fmt.Sprintf(`id: team
name: Team
hosts: [team.example.com]
auth:
  - id: key
    kind: api_key
    fields: {key: {label: Key, type: password}}
    apply: {headers: {%s: "${fields.key}"}}
api: {base_url: https://team.example.com}
`, header)
}

// send sends a definition and returns the version that it became.
func (d Door) send(t *testing.T, text, query string, want int) (version string, a Answer) {
	t.Helper()
	a = d.Ask(http.MethodPost, "/api/v1/connectors"+query, []byte(text), http.Header{"Content-Type": {"application/yaml"}})
	if a.Status != want {
		t.Fatalf("%d %s, want %d", a.Status, a.Body, want)
	}
	var v struct{ Version string }
	a.decode(&v)
	return v.Version, a
}

// header is the name of the header that the connection's token goes into.
func (d Door) header(t *testing.T, connection string) string {
	t.Helper()
	var live struct {
		Request struct{ Headers map[string]string }
	}
	d.Get(t, "/api/v1/connections/"+connection+"/token", &live)
	for name := range live.Request.Headers {
		return name
	}
	return ""
}

func (d Door) bring(t *testing.T, connector string) string {
	t.Helper()
	a := d.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
		"connector": connector, "end_user": "somebody", "answers": map[string]string{"key": "hunter2"}, "skip_test": true,
	}, nil)
	var made struct{ ID string }
	if a.decode(&made); a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return made.ID
}

func TestATenantPublishesAndRollsBackItsOwnConnector(t *testing.T) {
	t.Parallel()
	i := Serve(t)
	mine, theirs := i.Door, i.As(i.Key(t, "other", AllScopes))
	first, _ := mine.send(t, teamKey("X-First"), "", http.StatusCreated)
	old := mine.bring(t, "team")
	second, _ := mine.send(t, teamKey("X-Second"), "?publish=false", http.StatusCreated)
	if h := mine.header(t, mine.bring(t, "team")); h != "X-First" {
		t.Errorf("a version that is not published is at work: %s", h)
	}
	steps := []struct{ version, want string }{{second, "X-Second"}, {first, "X-First"}, {second, "X-Second"}}
	for _, s := range steps {
		if a := mine.Ask(http.MethodPost, "/api/v1/connectors/team/publish", map[string]string{"version": s.version}, nil); a.Status != http.StatusOK {
			t.Fatalf("publish %s: %d %s", s.version, a.Status, a.Body)
		}
		if h := mine.header(t, mine.bring(t, "team")); h != s.want {
			t.Errorf("a new connection uses %s, want %s", h, s.want)
		}
	}
	if h := mine.header(t, old); h != "X-First" {
		t.Errorf("the connection made with the first version uses %s", h)
	}
	for _, path := range []string{"/api/v1/connectors/team", "/api/v1/connectors/team/definition", "/api/v1/connectors/team/definition?version=" + first} {
		if a := theirs.Ask(http.MethodGet, path, nil, nil); a.Status != http.StatusNotFound {
			t.Errorf("another tenant: GET %s: %d %s", path, a.Status, a.Body)
		}
	}
	for _, a := range []Answer{
		theirs.Ask(http.MethodPost, "/api/v1/connectors/team/publish", map[string]string{"version": first}, nil),
		theirs.Ask(http.MethodDelete, "/api/v1/connectors/team", nil, nil),
	} {
		if a.Status != http.StatusNotFound {
			t.Errorf("another tenant changes it: %d %s", a.Status, a.Body)
		}
	}
	if a := mine.Ask(http.MethodDelete, "/api/v1/connectors/team", nil, nil); a.Status != http.StatusNoContent {
		t.Errorf("withdraw: %d %s", a.Status, a.Body)
	}
	if a := mine.Ask(http.MethodGet, "/api/v1/connectors/team", nil, nil); a.Status != http.StatusNotFound {
		t.Errorf("a withdrawn connector: %d", a.Status)
	}
	if h := mine.header(t, old); h != "X-First" {
		t.Errorf("after it was withdrawn the connection uses %q", h)
	}
}

func TestADefinitionThatIsSentIsCheckedAndChangesNothing(t *testing.T) {
	t.Parallel()
	i := Serve(t)
	_, dry := i.send(t, teamKey("X-Key"), "?dry_run=true", http.StatusOK)
	if !strings.Contains(string(dry.Body), `"valid":true`) {
		t.Errorf("dry run: %s", dry.Body)
	}
	for name, text := range map[string]string{
		"an error": strings.Replace(teamKey("X-Key"), "api_key", "apikey", 1), "no YAML": "id: [", "nothing": "",
		"a bomb": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "not UTF-8": "id: \xff\n", "long": "# " + strings.Repeat("x", 300<<10),
		"another's host in a secret's way": strings.Replace(teamKey("X-Key"), "hosts: [team.example.com]", "hosts: ['*']", 1),
		"a path for an id":                 strings.Replace(teamKey("X-Key"), "id: team", "id: ../team", 1),
	} {
		_, a := i.send(t, text, "", http.StatusBadRequest)
		var p struct {
			Code     string
			Findings []struct {
				Line, Col     int
				Rule, Message string
			}
		}
		if a.decode(&p); p.Code != "definition-invalid" || len(p.Findings) == 0 || p.Findings[0].Line < 1 || p.Findings[0].Rule == "" {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	if a := i.Ask(http.MethodPost, "/api/v1/connectors", []byte("x"), http.Header{"Content-Type": {"image/png"}}); a.Status != http.StatusUnsupportedMediaType {
		t.Errorf("a picture: %d", a.Status)
	}
	reader := i.As(i.Key(t, "default", "connectors:read"))
	if a := reader.Ask(http.MethodPost, "/api/v1/connectors", []byte(teamKey("X-Key")), http.Header{"Content-Type": {"text/yaml"}}); a.Problem().Code != "scope-missing" {
		t.Errorf("without the scope: %d %s", a.Status, a.Body)
	}
	if a := i.Ask(http.MethodGet, "/api/v1/connectors/team", nil, nil); a.Status != http.StatusNotFound {
		t.Errorf("something was stored: %d %s", a.Status, a.Body)
	}
}

// What the operator allows to his own definitions is not allowed to a tenant's. (S01)
func TestATenantsDefinitionReachesNoPrivateNetwork(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) })
	i := Serve(t, append(p.Settings(t), "DOWEL_CONNECTORS_DIR="+Definitions(t, map[string]string{"keyed": keyed(p.Host)}))...)
	typed := func(connector string) Answer {
		return i.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
			"connector": connector, "end_user": "somebody", "answers": map[string]string{"key": "hunter2"},
		}, nil)
	}
	if a := typed("keyed"); a.Status != http.StatusCreated || len(p.Requests()) != 1 {
		t.Fatalf("the operator's definition: %d %s, %d requests", a.Status, a.Body, len(p.Requests()))
	}
	i.send(t, strings.Replace(keyed(p.Host), "id: keyed", "id: sneaky", 1), "", http.StatusCreated)
	if a := typed("sneaky"); a.Status == http.StatusCreated || len(p.Requests()) != 1 {
		t.Errorf("a tenant's definition reached 127.0.0.1: %d %s, %d requests", a.Status, a.Body, len(p.Requests()))
	}
}

func TestADirectoryOfConnectorsIsFollowed(t *testing.T) {
	t.Parallel()
	dir := Definitions(t, map[string]string{"team": teamKey("X-First")})
	i := Serve(t, "DOWEL_CONNECTORS_DIR="+dir)
	name := func() string {
		var k struct{ Name string }
		i.Ask(http.MethodGet, "/api/v1/connectors/team", nil, nil).decode(&k)
		return k.Name
	}
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	renamed := strings.Replace(teamKey("X-First"), "name: Team", "name: Renamed", 1)
	write("team.yaml", renamed)
	Eventually(t, 20*time.Second, "the change is served", func() bool { return name() == "Renamed" })
	write("team.yaml", renamed+"\nbroken: [")
	write("other.yaml", strings.NewReplacer("id: team", "id: other").Replace(teamKey("X-Key")))
	Eventually(t, 20*time.Second, "the other file is served", func() bool {
		return i.Ask(http.MethodGet, "/api/v1/connectors/other", nil, nil).Status == http.StatusOK
	})
	if name() != "Renamed" {
		t.Errorf("a broken file took away what it said: %q", name())
	}
	if !strings.Contains(i.Log(), "team.yaml") {
		t.Error("the log does not say which file is broken")
	}
}
