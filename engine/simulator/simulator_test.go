package simulator_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/connectors"
	"dowel/engine/definition"
	"dowel/engine/simulator"
)

const (
	redirectURI = "http://127.0.0.1:8080/callback"
	appID       = "app 1"                                     // a blank, so that forgetting to encode it in Basic shows
	appSecret   = "s3cret:%+mark of thirty-two bytes or more" // and what Basic and forms give a meaning to
	verifier    = "dBjftJeZ4CVP-mBO2kWEtkMOPgQTUIb1sWwjH3kXqYg"
)

// client is a raw HTTP client of a simulated provider.
type client struct {
	t    *testing.T
	sim  *simulator.Simulator
	base *url.URL
	id   string
	http *http.Client
	// posted is what the provider's server has posted last.
	posted []byte
}

// shipped loads the connectors once: every test has a simulator of its own, and they only read them.
func shipped(t *testing.T) *definition.Catalog {
	t.Helper()
	catalog, err := loadShipped()
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

var loadShipped = sync.OnceValues(func() (*definition.Catalog, error) {
	catalog, findings, err := definition.Load(connectors.FS)
	if err == nil && len(findings) > 0 {
		err = fmt.Errorf("%v", findings)
	}
	return catalog, err
})

func newClient(t *testing.T, id string, o simulator.Options) *client {
	t.Helper()
	return newClientOf(t, shipped(t), id, o)
}

// example is the catalog of one definition that shows what the language can say.
func example(t *testing.T, id string) *definition.Catalog {
	t.Helper()
	source, err := os.ReadFile("../../schemas/testdata/" + id + ".good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	k, findings := definition.Parse(id+".yaml", source)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return definition.NewCatalog([]*definition.Connector{k})
}

// newClientOf is newClient for definitions of the test's own.
func newClientOf(t *testing.T, catalog *definition.Catalog, id string, o simulator.Options) *client {
	t.Helper()
	o.Catalog, o.Control = catalog, true
	c := &client{t: t, id: id}
	o.Post = func(_ context.Context, _, _ string, body []byte) (int, error) {
		c.posted = body
		return http.StatusOK, nil
	}
	sim := simulator.New(o)
	server := httptest.NewServer(http.StripPrefix("/sim", sim))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/sim")
	if err != nil {
		t.Fatal(err)
	}
	sim.Register(id, appID, appSecret, redirectURI)
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.sim, c.base, c.http = sim, base, &http.Client{CheckRedirect: noRedirect}
	return c
}

// reply is an answer, read.
type reply struct {
	status int
	header http.Header
	text   string
	body   any
}

// at returns a member of the body by its dotted path; list entries are numbers.
func (r reply) at(path string) any {
	at := r.body
	for _, step := range strings.Split(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			if len(v) == 0 {
				return nil
			}
			at = v[0]
		default:
			return nil
		}
	}
	return at
}

func (r reply) text1(path string) string { s, _ := r.at(path).(string); return s }

// request describes a call in the provider's own terms.
type request struct {
	method, url string
	header      map[string]string
	basic       [2]string // of the API: as it is
	client      bool      // Basic client authentication: form-encoded
	form        url.Values
	json        map[string]any
}

func (c *client) send(q request) reply {
	c.t.Helper()
	r, err := c.try(q)
	if err != nil {
		c.t.Fatalf("%s %s: %v", q.method, q.url, err)
	}
	return r
}

func (c *client) try(q request) (reply, error) {
	c.t.Helper()
	u, err := url.Parse(q.url)
	if err != nil {
		c.t.Fatal(err)
	}
	var payload io.Reader
	kind := ""
	switch {
	case q.form != nil:
		payload, kind = strings.NewReader(q.form.Encode()), "application/x-www-form-urlencoded"
	case q.json != nil:
		b, _ := json.Marshal(q.json)
		payload, kind = bytes.NewReader(b), "application/json"
	}
	to := simulator.Reroute(c.base, c.id)(u)
	if u.Host == c.base.Host {
		to = u // where a browser was sent
	}
	req, err := http.NewRequestWithContext(c.t.Context(), cmp.Or(q.method, "GET"), to.String(), payload)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if q.client {
		req.SetBasicAuth(url.QueryEscape(appID), url.QueryEscape(appSecret))
	}
	if q.basic[0] != "" {
		req.SetBasicAuth(q.basic[0], q.basic[1])
	}
	for k, v := range q.header {
		req.Header.Set(k, v)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	out := reply{status: res.StatusCode, header: res.Header, text: string(b)}
	_ = json.Unmarshal(b, &out.body) // pages are not JSON
	return out, err
}

var ticket = regexp.MustCompile(`name="request" value="([^"]+)"`)

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// allow goes through the consent page as somebody and returns the parameters of the callback.
func (c *client) allow(authorize string, params url.Values, account, decision string) url.Values {
	c.t.Helper()
	at := authorize + "?" + params.Encode() // where the page is, and what its form is sent to
	page := c.send(request{url: at})
	m := ticket.FindStringSubmatch(page.text)
	if page.status != 200 || m == nil {
		c.t.Fatalf("consent page of %s: %d %s %s", c.id, page.status, page.header.Get("Location"), page.text)
	}
	back := c.send(request{method: "POST", url: at, form: url.Values{"request": {m[1]}, "account": {account}, "decision": {decision}}})
	to, err := url.Parse(back.header.Get("Location"))
	if err != nil || back.status != http.StatusSeeOther || !strings.HasPrefix(to.String(), redirectURI+"?") {
		c.t.Fatalf("answer of %s: %d %s %v", c.id, back.status, to, err)
	}
	return to.Query()
}

// tokenOptions make tokens outlive a test.
var tokenOptions = simulator.Options{TokenLifetime: time.Hour}
