package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dowel/engine/simulator"
	"dowel/engine/storage/mongo/mongotestproc"
)

// canary stands in every secret of this test: in what the provider issues and in what people type.
const canary = "CANARY"

// canaryHouse collects everything that comes out of a house.
type canaryHouse struct {
	*faultHouse
	t    *testing.T
	seen map[string]string // texts in which the canary must not be, by where they were seen
	// secrets are further texts that must not be kept in the open.
	secrets map[string]string
}

// The whole life of connections, with its failures: no secret is in a log, an event, a problem, a page,
// or in the open in the store. (K02, K06, K07, T11, K12)
func TestNoSecretShowsUpAnywhere(t *testing.T) {
	t.Parallel()
	t.Run("on the embedded store", func(t *testing.T) {
		h := newCanaryHouse(t)
		h.live()
		h.Stop()
		h.nothingIn("dowel.db", filepath.Join(h.dir, "dowel.db"), filepath.Join(h.dir, "dowel.db-wal"))
	})
	t.Run("on MongoDB", func(t *testing.T) {
		db := mongotestproc.Start(t)
		h := newCanaryHouse(t, "DOWEL_MONGODB_URI="+db.URI())
		h.live()
		h.Stop()
		h.nothingIn("the database", db.Data())
	})
}

func newCanaryHouse(t *testing.T, env ...string) *canaryHouse {
	t.Helper()
	t.Parallel()
	sources := map[string]string{"strict": Plain("strict", rotating)}
	for _, kind := range canaryFaults {
		sources["f-"+strings.ReplaceAll(string(kind), "_", "-")] = Plain("f-"+strings.ReplaceAll(string(kind), "_", "-"), rotating)
	}
	address := FreeAddress(t)
	settings := append([]string{
		"DOWEL_CONNECTORS_DIR=" + Definitions(t, sources), "DOWEL_LISTEN=" + address, "DOWEL_PROVIDER_TIMEOUT=1s", "DOWEL_LOG_LEVEL=debug",
	}, env...)
	sim := StartSimulatorWith(t, settings, "http://"+address, "--token-lifetime=1h", "--mark="+canary)
	i := Start(t, append(settings, "DOWEL_SIMULATOR_URL="+sim.URL)...)
	return &canaryHouse{&faultHouse{i, sim}, t, map[string]string{}, map[string]string{}}
}

var canaryFaults = []simulator.FaultKind{
	simulator.FaultStatus, simulator.FaultHTML, simulator.FaultRedirect, simulator.FaultError200, simulator.FaultInvalidGrant, simulator.FaultInvalidClient,
	simulator.FaultLate, simulator.FaultDrop, simulator.FaultTruncated, simulator.FaultTrickle, simulator.FaultMalformed, simulator.FaultHuge, simulator.FaultGzipBomb,
	simulator.FaultExpiresIn, simulator.FaultNoRefreshToken,
}

// live connects, renews, fails, reads, denies, disconnects and looks at every page.
func (h *canaryHouse) live() {
	h.connectAndFail()
	h.typeSecrets()
	h.failToRenew()
	id := h.ConnectAs(h.t, "strict", "ends", Ana)
	h.note("disconnect", h.Ask(http.MethodPost, "/api/v1/connections/"+id+"/disconnect", nil, nil))
	id = h.ConnectAs(h.t, "google", "deleted", Ana)
	h.note("delete", h.Ask(http.MethodDelete, "/api/v1/connections/"+id, nil, nil))
	if token, a := h.Door.Token(h.ConnectAs(h.t, "strict", "reads", Ana), ""); !strings.Contains(token.AccessToken, canary) {
		h.t.Errorf("a token without the canary: %d %s", a.Status, token.AccessToken)
	}
	h.look()
	h.crawl()
	h.seen["the log"], h.seen["the simulator's log"] = h.Log(), h.sim.log.String()
	for where, text := range h.seen {
		for _, secret := range []string{canary, "simulated-secret-of"} {
			if at := strings.Index(text, secret); at >= 0 {
				h.t.Errorf("%s holds a secret: …%s…", where, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
	h.t.Logf("looked for %s in %d answers, pages and logs", canary, len(h.seen))
	if !strings.Contains(h.Log(), "level=") || len(h.seen) < 80 {
		h.t.Errorf("only %d texts were seen", len(h.seen))
	}
}

func (h *canaryHouse) note(what string, a Answer) {
	h.seen[fmt.Sprint(what, " ", len(h.seen))] = string(a.Body)
}

func (h *canaryHouse) page(what string, p Page) {
	h.seen[fmt.Sprint("page ", what, " ", len(h.seen))] = p.Body + p.Location + fmt.Sprint(p.Header["Content-Security-Policy"])
}

// connectAndFail goes to several providers, denies, and has the code refused and its answer spoilt.
func (h *canaryHouse) connectAndFail() {
	for _, connector := range []string{"strict", "google", "slack", "notion", "xero", "facebook", "discogs"} {
		h.through(connector, "allow", nil)
		h.through(connector, "deny", nil)
	}
	for _, kind := range canaryFaults {
		h.through("strict", "allow", &simulator.Fault{On: "code", Kind: kind, Delay: 1500 * time.Millisecond})
	}
	h.through("strict", "allow", &simulator.Fault{On: "api", Kind: simulator.FaultStatus})
}

// through presses Connect and follows the pages to their end.
func (h *canaryHouse) through(connector, decision string, f *simulator.Fault) {
	h.t.Helper()
	if f != nil {
		h.sim.Fault(h.t, connector, f)
		defer h.sim.Heal(h.t, connector)
	}
	b := NewBrowser(h.t)
	ticket := h.Ticket(h.t, "somebody-"+connector, connector)
	h.page("of the ticket", b.Open(ticket))
	p := b.Press(ticket, "", nil)
	if u, err := url.Parse(p.URL); err == nil {
		for name, param := range map[string]string{"a state": "state", "temporary credentials": "oauth_token"} {
			if v := u.Query().Get(param); v != "" {
				h.secrets[name] = v
			}
		}
	}
	h.secrets["a ticket"] = ticket[strings.LastIndex(ticket, "/")+1:]
	page := b.Open(b.Consent(p.URL, Ana, decision))
	for n := 0; page.Location != "" && n < 10; n++ {
		h.page("after the callback", page)
		page = b.Open(page.Location)
	}
	h.page("of the result", page)
	h.page("of the used ticket", b.Open(ticket))
}

// typeSecrets connects with what people type, good and refused.
func (h *canaryHouse) typeSecrets() {
	tests := []struct {
		connector, method string
		answers           map[string]string
	}{
		{"stripe", "", map[string]string{"secret_key": "sk_test_" + canary}},
		{"stripe", "", map[string]string{"secret_key": "sk_test_" + canary + "\n"}},
		{"stripe", "", map[string]string{"secret_key": canary}},
		{"acme-login", "login", map[string]string{"username": "ana", "password": canary, "workspace": "main"}},
		{"acme-login", "login", map[string]string{"username": "ana", "password": "wrong-" + canary, "workspace": "main"}},
		{"twilio", "", map[string]string{"account_sid": "AC0123456789abcdef0123456789abcdef", "auth_token": canary}},
		{"zendesk", "api_token", map[string]string{"subdomain": "acme", "email": "ana@example.com", "api_token": "wrong-" + canary}},
		{"zendesk", "api_token", map[string]string{"subdomain": "acme/" + canary, "email": canary, "api_token": canary}},
	}
	for _, tt := range tests {
		answers := map[string]any{"connector": tt.connector, "method": tt.method, "end_user": "typist", "answers": tt.answers}
		a := h.Ask(http.MethodPost, "/api/v1/connections", answers, nil)
		h.note("typed for "+tt.connector, a)
		b := NewBrowser(h.t)
		ticket := h.Ticket(h.t, "typist", tt.connector)
		form := b.Open(ticket).Hidden()
		form.Set("method", tt.method)
		for k, v := range tt.answers {
			form.Set("f."+k, v)
		}
		if tt.answers["email"] == canary {
			continue // what is not secret may be shown again in its field
		}
		h.page("typed for "+tt.connector, b.Post(ticket+"/start", form, nil))
	}
	h.note("import", h.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
		"connector": "strict", "end_user": "imported", "access_token": canary, "refresh_token": canary, "skip_test": true, "expires_at": time.Now().Add(time.Hour),
	}, nil))
	h.note("import", h.Ask(http.MethodPost, "/api/v1/connections", map[string]any{"connector": "strict", "end_user": "imported", "access_token": canary}, nil))
	h.note("app", h.Ask(http.MethodPost, "/api/v1/apps", map[string]any{"connector": "github", "name": "x", "client_id": "me", "client_secret": canary}, nil))
	h.typeKeys()
	h.note("app", h.Ask(http.MethodPost, "/api/v1/apps", map[string]any{"connector": "github", "name": "x", "client_id": "me", "client_secret": canary, "bad": canary[:0]}, nil))
}

// somebodysKey is a private key (RFC 7515 §A.3.1) with the canary in it.
const somebodysKey = `{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
  "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", "note": "` + canary + `"}`

// typeKeys registers an app with a private key, good and refused.
func (h *canaryHouse) typeKeys() {
	h.t.Helper()
	h.secrets["a private key"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
	app := map[string]any{"connector": "apple", "name": "x", "client_id": "com.example.me"}
	for _, key := range []string{canary, strings.Replace(somebodysKey, "EC", "RSA", 1), strings.Replace(somebodysKey, "P-256", "P-384", 1), "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----"} {
		app["fields"] = map[string]string{"team_id": "A1B2C3D4E5", "key_id": "F6G7H8I9J0", "private_key": key}
		a := h.Ask(http.MethodPost, "/api/v1/apps", app, nil)
		if a.Status != http.StatusBadRequest {
			h.t.Errorf("a bad key: %d %s", a.Status, a.Body)
		}
		h.note("app with a bad key", a)
	}
	app["fields"] = map[string]string{"team_id": "A1B2C3D4E5", "key_id": "F6G7H8I9J0", "private_key": somebodysKey}
	var made struct{ ID string }
	a := h.Ask(http.MethodPost, "/api/v1/apps", app, nil)
	if err := json.Unmarshal(a.Body, &made); err != nil || a.Status != http.StatusCreated {
		h.t.Fatalf("an app with a key: %d %s", a.Status, a.Body)
	}
	h.note("app with a key", a)
	h.note("app with another key", h.Ask(http.MethodPatch, "/api/v1/apps/"+made.ID, map[string]any{"fields": map[string]string{"private_key": canary}}, nil))
	h.note("app with another key", h.Ask(http.MethodPatch, "/api/v1/apps/"+made.ID, map[string]any{"fields": map[string]string{"private_key": somebodysKey}}, nil))
}

// failToRenew has a renewal fail in every way.
func (h *canaryHouse) failToRenew() {
	for _, kind := range canaryFaults {
		connector := "f-" + strings.ReplaceAll(string(kind), "_", "-")
		id := h.ConnectAs(h.t, connector, "renews", Ana)
		h.sim.Fault(h.t, connector, simulator.Fault{On: "refresh", Kind: kind, Delay: 1500 * time.Millisecond})
		h.note("refresh "+connector, h.Ask(http.MethodPost, "/api/v1/connections/"+id+"/refresh", nil, nil))
		h.note("connection "+connector, h.Ask(http.MethodGet, "/api/v1/connections/"+id, nil, nil))
		h.sim.Fault(h.t, connector, simulator.Fault{On: "any", Kind: simulator.FaultStatus})
		h.note("test "+connector, h.Ask(http.MethodPost, "/api/v1/connections/"+id+"/test", nil, nil))
	}
}

// look reads everything the JSON door shows but tokens.
func (h *canaryHouse) look() {
	time.Sleep(1500 * time.Millisecond) // the relay and the counts of reads
	for _, path := range []string{"/connections?limit=200", "/events?limit=200", "/apps", "/api-keys", "/tenant", "/connectors"} {
		h.note(path, h.Ask(http.MethodGet, "/api/v1"+path, nil, nil))
	}
	for _, id := range []string{"readyz", "healthz", "metrics"} {
		h.note(id, h.Ask(http.MethodGet, "/"+id, nil, nil))
	}
	h.secrets["the API key"] = h.APIKey
}

var consoleLink = regexp.MustCompile(`(?:href|src)="(/(?:console|static)[^"#]*)"`)

// crawl opens every page of the console that a link leads to.
func (h *canaryHouse) crawl() {
	b := NewBrowser(h.t)
	link, err := url.Parse(h.ConsoleURL)
	if err != nil {
		h.t.Fatal(err)
	}
	if p := b.Post(h.URL+"/console/login", b.Open(h.ConsoleURL).Hidden(), nil); p.Status != http.StatusSeeOther && p.Status != http.StatusFound {
		h.t.Fatalf("open the console: %d\n%s", p.Status, p.Body)
	}
	h.secrets["a console link"] = link.Query().Get("link")
	for _, c := range b.client.Jar.Cookies(link) {
		h.secrets["the cookie "+c.Name] = c.Value
	}
	todo, done := []string{"/console"}, map[string]bool{}
	for len(todo) > 0 && len(done) < 150 {
		path := strings.ReplaceAll(todo[0], "&amp;", "&")
		if todo = todo[1:]; done[path] {
			continue
		}
		done[path] = true
		p := b.Follow(h.URL + path)
		h.page(path, p)
		for _, m := range consoleLink.FindAllStringSubmatch(p.Body, -1) {
			todo = append(todo, m[1])
		}
	}
	h.t.Logf("%d pages of the console", len(done))
	if len(done) < 20 {
		h.t.Errorf("only %d pages of the console were found: %v", len(done), done)
	}
}

// nothingIn looks for secrets in files.
func (h *canaryHouse) nothingIn(what string, files ...string) {
	h.t.Helper()
	h.secrets["what was issued or typed"], h.secrets["a client secret"] = canary, "simulated-secret-of"
	size, readable := 0, false
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // the log of a database that was closed is gone
		}
		size += len(b)
		readable = readable || bytes.Contains(b, []byte("somebody-strict"))
		for name, secret := range h.secrets {
			if secret == "" {
				h.t.Errorf("%s is not known", name)
			} else if at := bytes.Index(b, []byte(secret)); at >= 0 {
				h.t.Errorf("%s holds %s in the open: %q", what, name, b[max(0, at-200):min(len(b), at+80)])
			}
		}
	}
	h.t.Logf("looked for %d secrets in %d KiB of %s", len(h.secrets), size>>10, what)
	if !readable {
		h.t.Errorf("%s (%d KiB) does not even hold what is no secret", what, size>>10)
	}
}
