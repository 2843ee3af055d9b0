package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

// Door is the JSON door of an instance, with a key. It stays good when the instance is started again
// at the same address, and may be used from many goroutines.
type Door struct {
	URL, APIKey string
	client      *http.Client
}

// newClient returns a client that follows no redirect and keeps connections for many callers.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       60 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// As is the door with another key; empty: none.
func (d Door) As(key string) Door {
	d.APIKey = key
	return d
}

// Answer is a whole answer; Status is 0 if there is none.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration
	asked  time.Time
}

// Within reports whether the answer took no longer than d, had the machine had nothing else to do.
func (a Answer) Within(d time.Duration) bool {
	return a.Took-machine.Between(a.asked, a.asked.Add(a.Took)) <= d
}

// Problem is the part of a problem document that tests look at.
type Problem struct {
	Type, Title, Detail, Code string
	Status                    int
	RetryAfter                int `json:"retry_after"`
}

// Problem reads the answer as a problem; the zero one if it is none.
func (a Answer) Problem() Problem {
	var p Problem
	a.decode(&p)
	return p
}

// decode reads the answer as JSON; v stays as it is if it is none.
func (a Answer) decode(v any) { _ = json.Unmarshal(a.Body, v) }

// Kind is the kind of the problem an answer is: what its type ends with.
func (a Answer) Kind() string {
	t := a.Problem().Type
	const prefix = "urn:dowel:problem:"
	if len(t) > len(prefix) {
		return t[len(prefix):]
	}
	return t
}

// Ask makes a request and returns the answer. body is nil, or a []byte to send as it is, or what is
// sent as JSON. header may be nil.
func (d Door) Ask(method, path string, body any, header http.Header) Answer {
	start := time.Now()
	fail := func(err error) Answer {
		return Answer{Body: []byte(err.Error()), Took: time.Since(start), asked: start}
	}
	var r io.Reader = http.NoBody
	switch body := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(body)
	default:
		b, err := json.Marshal(body)
		if err != nil {
			return fail(err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, d.URL+path, r)
	if err != nil {
		return fail(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if d.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+d.APIKey)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fail(err)
	}
	return Answer{resp.StatusCode, resp.Header, b, time.Since(start), start}
}

// Do is Ask for those who look at status and body only.
func (d Door) Do(method, path string, body any) (int, []byte) {
	a := d.Ask(method, path, body, nil)
	return a.Status, a.Body
}

// Get reads a JSON answer, and fails the test if the status is another than 200.
func (d Door) Get(tb testing.TB, path string, v any) {
	tb.Helper()
	status, b := d.Do(http.MethodGet, path, nil)
	if status != http.StatusOK {
		tb.Fatalf("GET %s: %d %s", path, status, b)
	}
	if err := json.Unmarshal(b, v); err != nil {
		tb.Fatalf("GET %s: %v in %s", path, err, b)
	}
}

// Token is the part of a token answer that tests look at.
type Token struct {
	Connection  string     `json:"connection"`
	Connector   string     `json:"connector"`
	Version     int64      `json:"version"`
	AccessToken string     `json:"access_token"`
	ExpiresAt   *time.Time `json:"expires_at"`
	Warning     string     `json:"warning"`
}

// Connection is the part of a connection's view that tests look at.
type Connection struct {
	ID           string     `json:"id"`
	Status       string     `json:"status"`
	StatusReason string     `json:"status_reason"`
	Version      int64      `json:"version"`
	ExpiresAt    *time.Time `json:"expires_at"`
	RefreshAt    *time.Time `json:"refresh_at"`
	Identity     struct {
		Subject string `json:"subject"`
	} `json:"identity"`
	Health struct {
		LastRefreshError string `json:"last_refresh_error"`
		Failures         int    `json:"failures"`
	} `json:"health"`
}

// Connection reads a connection.
func (d Door) Connection(tb testing.TB, id string) Connection {
	tb.Helper()
	var c Connection
	d.Get(tb, "/api/v1/connections/"+id, &c)
	return c
}

// Token asks for a token; query may be empty or "?force=true".
func (d Door) Token(id, query string) (Token, Answer) {
	a := d.Ask(http.MethodGet, "/api/v1/connections/"+id+"/token"+query, nil, nil)
	var t Token
	if a.Status == http.StatusOK && json.Unmarshal(a.Body, &t) != nil {
		a.Status = 0
	}
	return t, a
}

// Event is the part of an event that tests look at.
type Event struct {
	Kind string            `json:"kind"`
	Data map[string]string `json:"data"`
}

// Events reads a connection's events, newest first.
func (d Door) Events(tb testing.TB, id string) []Event {
	tb.Helper()
	var list struct {
		Events []Event `json:"events"`
	}
	d.Get(tb, "/api/v1/connections/"+id+"/events?limit=200", &list)
	return list.Events
}

// App is the part of an app's view that tests look at.
type App struct {
	ID           string     `json:"id"`
	RefusedSince *time.Time `json:"refused_since"`
}

// appOf returns the app of a connector.
func (d Door) appOf(tb testing.TB, connector string) App {
	tb.Helper()
	var list struct {
		Apps []App `json:"apps"`
	}
	d.Get(tb, "/api/v1/apps?connector="+connector, &list)
	if len(list.Apps) != 1 {
		tb.Fatalf("%d apps of %s", len(list.Apps), connector)
	}
	return list.Apps[0]
}
