package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// anywhere is a definition in which what a person types is the host, or the whole address, of every
// request. No definition should be like this; the engine must not depend on that.
const anywhere = `id: anywhere
name: Anywhere
inputs:
  host: {label: Host, required: false}
  address: {label: Address, required: false}
hosts: ["${inputs.host}", "${inputs.address}"]
auth:
  - id: by_host
    kind: bearer
    fields: {token: {label: Token, type: password}}
    test: {get: "https://${inputs.host}/latest/meta-data/"}
  - id: by_address
    kind: bearer
    fields: {token: {label: Token, type: password}}
    test: {get: "${inputs.address}/latest/meta-data/"}
  - id: client
    kind: oauth2_client_credentials
    fields: {client_id: {label: Id}, client_secret: {label: Secret, type: password}}
    token: {url: "https://${inputs.host}/token", client_auth: header}
api: {base_url: "${inputs.address}"}
`

// inside lists addresses that are not the public internet's, in all the spellings that resolvers take.
func inside(t *testing.T, port string) []string {
	t.Helper()
	hosts := []string{
		// S02: loopback
		"127.0.0.1", "localhost", "LOCALHOST", "sub.localhost", "[::1]", "0.0.0.0", "[::]", "127.1", "127.0.1", "2130706433", "0x7f000001",
		"0x7f.0.0.1", "0177.0.0.1", "017700000001", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "127.0.0.1.", "localhost.",
		"①②⑦.0.0.1", "127。0。0。1", "[::1%25lo]", "127.255.255.254",
		// S01, S03: metadata services, private and special ranges
		"169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "10.0.0.1", "172.16.0.1", "192.168.0.1",
		"100.64.0.1", "198.18.0.1", "192.0.0.192", "224.0.0.1", "255.255.255.255", "240.0.0.1", "[fd00::1]", "[ff02::1]", "2852039166", "0xa9fea9fe",
		// S08: parsers that disagree
		"example.com@127.0.0.1", "127.0.0.1#@example.com", "127.0.0.1?.example.com", `127.0.0.1\.example.com`, "127.0.0.1/.example.com",
		"example.com:80@127.0.0.1", " 127.0.0.1", "127.0.0.1%00.example.com", "127.0.0.1%2f.example.com",
	}
	hosts = append(hosts, localNames(t)...)
	out := make([]string, 0, 2*len(hosts))
	for _, h := range hosts {
		out = append(out, h+":"+port)
	}
	return append(out, "169.254.169.254", "localhost", "127.0.0.1", "[::1]")
}

// localNames are names of this machine that only its resolver knows to be the loopback, so that nothing
// but the address that is dialled gives them away. (S04)
func localNames(t *testing.T) []string {
	t.Helper()
	f, err := os.Open("/etc/hosts")
	if err != nil {
		return nil
	}
	defer f.Close()
	var names []string
	for s := bufio.NewScanner(f); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		if fields := strings.Fields(line); len(fields) > 1 && (strings.HasPrefix(fields[0], "127.") || fields[0] == "::1") {
			names = append(names, fields[1:]...)
		}
	}
	return names
}

// (S01–S04, S07–S09, S11)
func TestNothingInsideIsCalledWhateverAPersonTypes(t *testing.T) {
	t.Parallel()
	trap := newTrap(t)
	i := Serve(t, "DOWEL_CONNECTORS_DIR="+Definitions(t, map[string]string{"anywhere": anywhere}))
	closed := FreeAddress(t)
	addresses := inside(t, trap.port())
	refused := map[string]int{}
	for _, host := range append(addresses, closed) {
		refused[i.refusesToCall(t, "by_host", map[string]string{"host": host, "token": "hunter2"})]++
		refused[i.refusesToCall(t, "client", map[string]string{"host": host, "client_id": "me", "client_secret": "hunter2"})]++
		refused[i.refusesToCall(t, "by_address", map[string]string{"address": "https://" + host, "token": "hunter2"})]++
	}
	for _, scheme := range []string{"http", "HTTP", "file", "ftp", "gopher", "unix", "dict", "ldap", ""} { // S07
		refused[i.refusesToCall(t, "by_address", map[string]string{"address": scheme + "://" + trap.address, "token": "hunter2"})]++
	}
	for _, address := range []string{"file:///etc/passwd", "//" + trap.address, "https:" + trap.address, "javascript:alert(1)", "data:text/plain,a"} {
		refused[i.refusesToCall(t, "by_address", map[string]string{"address": address, "token": "hunter2"})]++
	}
	t.Logf("%d addresses: %v; the trap saw %d connections", len(addresses), refused, trap.calls.Load())
	if refused["forbidden"] < len(addresses) || refused["invalid"] == 0 {
		t.Errorf("refused: %v", refused)
	}
	if strings.Contains(i.Log(), "hunter2") {
		t.Errorf("the log holds a secret:\n%s", i.Log())
	}
}

// refusesToCall imports a connection that would have the engine call an address, checks that it does
// not and does not tell what is there, and returns the kind of the refusal.
func (i *Instance) refusesToCall(t *testing.T, method string, answers map[string]string) string {
	t.Helper()
	a := i.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
		"connector": "anywhere", "method": method, "end_user": "somebody", "answers": answers,
	}, nil)
	said := map[string]string{
		"forbidden": "the address is not allowed", "invalid": " cannot be made from what was entered",
	}[a.Kind()]
	if said == "" || !strings.HasSuffix(a.Problem().Detail, said) || !a.Within(3*time.Second) {
		t.Errorf("%s %s%s: %d %s after %v", method, answers["host"], answers["address"], a.Status, a.Body, a.Took)
	}
	return a.Kind()
}

// A token endpoint, or the test's, that leads elsewhere is not followed, and the secret stays. (S05, S06, P18)
func TestRedirectsAreNotFollowedAndTheSecretStays(t *testing.T) {
	t.Parallel()
	trap := newTrap(t)
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		status := map[string]int{"/302": 302, "/303": 303, "/307": 307, "/308": 308}[r.URL.Path]
		http.Redirect(w, r, "https://"+trap.address+"/stolen", status)
	})
	sources := map[string]string{}
	for _, status := range []string{"302", "303", "307", "308"} {
		sources["moved"+status] = fmt.Sprintf(`id: moved%[2]s
name: Moved
hosts: ["%[1]s", "%[3]s"]
auth:
  - id: client
    kind: oauth2_client_credentials
    fields: {client_id: {label: Id}, client_secret: {label: Secret, type: password}}
    token: {url: "https://%[1]s/%[2]s", client_auth: body}
    test: none
  - id: key
    kind: api_key
    fields: {key: {label: Key, type: password}}
    apply: {headers: {X-Key: "${fields.key}"}}
    test: {get: "https://%[1]s/%[2]s"}
`, p.Host, status, trap.address)
	}
	i := Serve(t, append(p.Settings(t), "DOWEL_CONNECTORS_DIR="+Definitions(t, sources))...)
	for id := range sources {
		for method, answers := range map[string]map[string]string{"client": {"client_id": "me", "client_secret": "hunter2"}, "key": {"key": "hunter2"}} {
			a := i.Ask(http.MethodPost, "/api/v1/connections", map[string]any{"connector": id, "method": method, "end_user": "somebody", "answers": answers}, nil)
			if a.Status != http.StatusServiceUnavailable || !strings.Contains(a.Problem().Detail, "unexpected redirect") {
				t.Errorf("%s %s: %d %s", id, method, a.Status, a.Body)
			}
		}
	}
	if n := len(p.Requests()); n != 2*len(sources) {
		t.Errorf("the provider was asked %d times", n)
	}
}

// What the provider says beside the error code is not handed on, and what it quotes of our secrets is
// taken out. (S12, K06, P16, E04)
func TestTheProvidersAnswerIsNotReadOut(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"/verbatim":  `{"error":"invalid_request","error_description":"client_secret hunter2-hunter2 is wrong` + strings.Repeat("!", 2000) + `","internal":"INSIDE"}`,
		"/crlf":      `{"access_token":"tok\r\nX-Evil: 1","token_type":"Bearer"}`,
		"/number":    `{"access_token":12345,"token_type":"Bearer"}`,
		"/empty":     `{"access_token":"","token_type":"Bearer"}`,
		"/large":     `{"access_token":"` + strings.Repeat("x", 100_000) + `"}`,
		"/array":     `[{"access_token":"INSIDE"}]`,
		"/null":      `null`,
		"/html":      `<html>INSIDE</html>`,
		"/utf8":      "{\"access_token\":\"tok\xff\"}",
		"/deep":      strings.Repeat("[", 100_000),
		"/duplicate": `{"access_token":"a","access_token":"b\n"}`,
	}
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/verbatim" {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, answers[r.URL.Path])
	})
	sources := map[string]string{}
	for path := range answers {
		id := "odd-" + path[1:]
		sources[id] = fmt.Sprintf(`id: %s
name: Odd
hosts: ["%[2]s"]
auth:
  - id: client
    kind: oauth2_client_credentials
    fields: {client_id: {label: Id}, client_secret: {label: Secret, type: password}}
    token: {url: "https://%[2]s%[3]s", client_auth: body}
    test: none
`, id, p.Host, path)
	}
	i := Serve(t, append(p.Settings(t), "DOWEL_CONNECTORS_DIR="+Definitions(t, sources))...)
	said := map[string]int{}
	for id := range sources {
		a := i.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
			"connector": id, "end_user": "somebody", "answers": map[string]string{"client_id": "me", "client_secret": "hunter2-hunter2"},
		}, nil)
		if a.Status < 400 || a.Status == 500 || a.Kind() == "internal" || len(a.Body) > 2000 {
			t.Errorf("%s: %d %.300s", id, a.Status, a.Body)
		}
		said[a.Kind()]++
		for _, secret := range []string{"INSIDE", "hunter2-hunter2"} {
			if strings.Contains(string(a.Body), secret) || strings.Contains(i.Log(), secret) {
				t.Errorf("%s: %q is read out: %.300s\n%s", id, secret, a.Body, i.Log())
			}
		}
	}
	t.Logf("%d odd answers: %v; the provider was asked %d times", len(answers), said, len(p.Requests()))
	if len(p.Requests()) != len(answers) {
		t.Errorf("the provider was asked %d times", len(p.Requests()))
	}
	var list struct{ Connections []Connection }
	if i.Get(t, "/api/v1/connections", &list); len(list.Connections) > 0 {
		t.Errorf("%d connections were made of answers that are none", len(list.Connections))
	}
}
