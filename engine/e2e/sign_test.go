package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vaulted signs with a message of the URL and the digest of the body, wants its key in the body besides, and
// has a header and a parameter that every call needs.
const vaulted = `id: vaulted
name: Vaulted
hosts: [api.vaulted.example]
auth:
  - id: key
    kind: api_key
    fields: {id: {label: ID}, key: {label: Key, type: password}}
    apply:
      sign:
        hmac:
          alg: sha256
          key: ${fields.key}
          message: ${request.method} ${request.url} ${request.body_sha256} ${request.timestamp}
          headers: {X-Time: "${request.timestamp}", Authorization: "V ${fields.id}:${signature}"}
  - id: body
    kind: api_key
    fields: {id: {label: ID}, key: {label: Key, type: password}}
    apply:
      body: {id: "${fields.id}"}
      sign: {hash: {alg: sha256, message: "${fields.key}${request.body}", encoding: base64, query: {sig: "${signature}"}}}
api:
  base_url: https://api.vaulted.example/v1
  headers: {X-Version: "3"}
  query: {format: json}
`

const signingKey = "CANARY-signing-key"

// signed is what the sign route answers.
type signed struct {
	URL            string
	Headers, Query map[string]string
	Body           *string
}

func (d Door) bringWith(t *testing.T, connector, method string, answers map[string]string) string {
	t.Helper()
	a := d.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
		"connector": connector, "method": method, "end_user": "somebody", "answers": answers, "skip_test": true,
	}, nil)
	var made struct{ ID string }
	if a.decode(&made); a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return made.ID
}

func (d Door) sign(t *testing.T, id string, request map[string]any) signed {
	t.Helper()
	a := d.Ask(http.MethodPost, "/api/v1/connections/"+id+"/sign", request, nil)
	var s signed
	if a.decode(&s); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.Header)
	}
	return s
}

func TestAProgramHasItsOwnRequestsSigned(t *testing.T) {
	t.Parallel()
	i := Serve(t, "DOWEL_CONNECTORS_DIR="+Definitions(t, map[string]string{"vaulted": vaulted}))
	id := i.bringWith(t, "vaulted", "key", map[string]string{"id": "me", "key": signingKey})
	text := `{"a":1}`
	sum := sha256.Sum256([]byte(text))
	for name, request := range map[string]map[string]any{
		"with the body":     {"body": text},
		"with its digest":   {"body_sha256": hex.EncodeToString(sum[:])},
		"in capital digits": {"body_sha256": strings.ToUpper(hex.EncodeToString(sum[:]))},
	} {
		request["method"], request["url"] = "POST", "https://api.vaulted.example/v1/things?b=2&a=%2F"
		request["headers"] = map[string]string{"Content-Type": "application/json", "x-version": "4"}
		s := i.sign(t, id, request)
		const address = "https://api.vaulted.example/v1/things?b=2&a=%2F&format=json"
		m := hmac.New(sha256.New, []byte(signingKey))
		m.Write([]byte("POST " + address + " " + hex.EncodeToString(sum[:]) + " " + s.Headers["X-Time"]))
		want := "V me:" + hex.EncodeToString(m.Sum(nil))
		if s.URL != address || s.Headers["Authorization"] != want || s.Query["format"] != "json" || len(s.Query) != 1 || s.Body != nil {
			t.Errorf("%s: %+v, want Authorization %s", name, s, want)
		}
		if _, again := s.Headers["X-Version"]; again || len(s.Headers) != 2 {
			t.Errorf("%s: headers %v; want what the program does not have itself", name, s.Headers)
		}
		if at, err := strconv.ParseInt(s.Headers["X-Time"], 10, 64); err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
			t.Errorf("%s: signed at %s", name, s.Headers["X-Time"])
		}
	}
	inBody := i.bringWith(t, "vaulted", "body", map[string]string{"id": "me", "key": signingKey})
	s := i.sign(t, inBody, map[string]any{"method": "POST", "url": "https://api.vaulted.example/v1/x", "headers": map[string]string{"Content-Type": "application/json"}, "body": text})
	digest := sha256.Sum256([]byte(signingKey + `{"a":1,"id":"me"}`))
	if want := base64.StdEncoding.EncodeToString(digest[:]); s.Body == nil || *s.Body != `{"a":1,"id":"me"}` || s.Query["sig"] != want {
		t.Errorf("a credential in the body: %+v, want sig %s", s, want)
	}
	var live struct {
		Request struct {
			Headers, Query, Body map[string]string
			Signed               bool
		}
	}
	i.Get(t, "/api/v1/connections/"+inBody+"/token", &live)
	if r := live.Request; !r.Signed || r.Body["id"] != "me" || len(r.Body) != 1 || r.Headers["X-Version"] != "3" || r.Query["sig"] != "" {
		t.Errorf("the token answer says %+v", r)
	}
	// One that signs nothing is answered alike.
	key := i.importStripe(t, "sk_test_"+signingKey)
	if s := i.sign(t, key, map[string]any{"url": "https://api.stripe.com/v1/account"}); s.Headers["Authorization"] != "Bearer sk_test_"+signingKey || s.URL != "https://api.stripe.com/v1/account" {
		t.Errorf("a plain key: %+v", s)
	}
}

func TestWhatIsSignedIsForTheProviderAndForNobodyElse(t *testing.T) {
	t.Parallel()
	i := Serve(t, "DOWEL_CONNECTORS_DIR="+Definitions(t, map[string]string{"vaulted": vaulted}))
	answers := map[string]string{"id": "me", "key": signingKey}
	id, inBody := i.bringWith(t, "vaulted", "key", answers), i.bringWith(t, "vaulted", "body", answers)
	good := "https://api.vaulted.example/v1/x"
	for name, tt := range map[string]struct {
		request map[string]any
		field   string
	}{
		"another host":             {map[string]any{"url": "https://evil.example/v1/x"}, "url"},
		"a host in front":          {map[string]any{"url": "https://api.vaulted.example@evil.example/"}, "url"},
		"a host behind":            {map[string]any{"url": "https://api.vaulted.example.evil.example/"}, "url"},
		"a backslash":              {map[string]any{"url": `https://api.vaulted.example\@evil.example/`}, "url"},
		"another port":             {map[string]any{"url": "https://api.vaulted.example:8443/"}, "url"},
		"an address inside":        {map[string]any{"url": "https://127.0.0.1/"}, "url"},
		"metadata":                 {map[string]any{"url": "https://169.254.169.254/latest/meta-data/"}, "url"},
		"http":                     {map[string]any{"url": "http://api.vaulted.example/"}, "url"},
		"a path":                   {map[string]any{"url": "/v1/x"}, "url"},
		"nothing":                  {map[string]any{}, "url"},
		"a dot segment":            {map[string]any{"url": "https://api.vaulted.example/v1/../../x"}, "url"},
		"a fragment":               {map[string]any{"url": good + "#x"}, "url"},
		"no method":                {map[string]any{"url": good, "method": "GET /evil HTTP/1.1\r\nX: "}, "method"},
		"another Host":             {map[string]any{"url": good, "headers": map[string]string{"host": "evil.example"}}, "headers"},
		"a header that breaks out": {map[string]any{"url": good, "headers": map[string]string{"X-A": "b\r\nHost: evil.example"}}, "headers"},
		"a name that breaks out":   {map[string]any{"url": good, "headers": map[string]string{"X-A: b\r\nHost": "evil.example"}}, "headers"},
		"two bodies":               {map[string]any{"url": good, "body": "x", "body_sha256": strings.Repeat("a", 64)}, "body_sha256"},
		"a digest that is none":    {map[string]any{"url": good, "body_sha256": "abc"}, "body_sha256"},
		"a field that is none":     {map[string]any{"url": good, "secret": true}, "secret"},
	} {
		a := i.Ask(http.MethodPost, "/api/v1/connections/"+id+"/sign", tt.request, nil)
		if a.Status != http.StatusBadRequest && a.Status != http.StatusUnprocessableEntity || !strings.Contains(string(a.Body), `"`+tt.field+`"`) || strings.Contains(string(a.Body), "V me:") {
			t.Errorf("%s: %d %s, want a complaint about %s", name, a.Status, a.Body, tt.field)
		}
	}
	if a := i.Ask(http.MethodPost, "/api/v1/connections/"+inBody+"/sign", map[string]any{"method": "POST", "url": good, "body_sha256": strings.Repeat("a", 64)}, nil); a.Status < 400 || !strings.Contains(string(a.Body), `"body_sha256"`) {
		t.Errorf("a credential that goes into a body that is not there: %d %s", a.Status, a.Body)
	}
	i.Ask(http.MethodPatch, "/api/v1/connections/"+id, map[string]any{"disabled": true}, nil)
	if a := i.Ask(http.MethodPost, "/api/v1/connections/"+id+"/sign", map[string]any{"url": good}, nil); a.Kind() != "disabled" {
		t.Errorf("a connection that is switched off signs: %d %s", a.Status, a.Body)
	}
}

// Whoever has a request signed has had the credential: it is counted like a token read.
func TestSigningIsCountedAsAReadOfTheToken(t *testing.T) {
	t.Parallel()
	i := Serve(t, "DOWEL_CONNECTORS_DIR="+Definitions(t, map[string]string{"vaulted": vaulted}))
	id := i.bringWith(t, "vaulted", "key", map[string]string{"id": "me", "key": signingKey})
	i.sign(t, id, map[string]any{"url": "https://api.vaulted.example/v1/x"})
	read := regexp.MustCompile(`"token\.read"`)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		a := i.Ask(http.MethodGet, "/api/v1/connections/"+id+"/events", nil, nil)
		if read.Match(a.Body) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nobody knows that a request was signed: %s", a.Body)
		}
	}
}
