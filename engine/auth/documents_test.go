package auth

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
)

// publisher is a provider that publishes documents, and counts who asks.
type publisher struct {
	body  atomic.Value
	asked atomic.Int64
	slow  time.Duration
}

func publish(t *testing.T, p *publisher, source string) Request {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		time.Sleep(p.slow)
		fmt.Fprint(w, p.body.Load())
	}))
	t.Cleanup(server.Close)
	client, err := egress.NewClient(egress.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	k, findings := definition.Parse("acme.yaml", []byte(source))
	if k == nil {
		t.Fatal(findings)
	}
	to, _ := url.Parse(server.URL)
	return Request{Connector: k, Auth: k.Auth[0], Inputs: map[string]string{}, Outlet: &Outlet{
		Client: client, Documents: &Documents{}, Simulate: func(string) func(*url.URL) *url.URL { return func(*url.URL) *url.URL { return to } },
	}}
}

const plainDefinition = "id: acme\nname: Acme\nhosts: [id.example.com]\nauth: [{id: t, kind: bearer}]\n"

func address(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestADocumentIsFetchedOnceForManyAndKept(t *testing.T) {
	p := &publisher{slow: 50 * time.Millisecond}
	p.body.Store(`{"a":1}`)
	r := publish(t, p, plainDefinition)
	u := address(t, "https://id.example.com/doc")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if b, err := r.published(t.Context(), u, documentAge); err != nil || string(b) != `{"a":1}` {
				t.Errorf("published = %s, %v", b, err)
			}
		})
	}
	all.Wait()
	if n := p.asked.Load(); n != 1 {
		t.Errorf("20 who came together asked %d times", n)
	}
	if _, err := r.published(t.Context(), u, documentAge); err != nil || p.asked.Load() != 1 {
		t.Errorf("another one asked again: %v", err)
	}
}

func TestAChangedDocumentIsNoticedAfterItsTime(t *testing.T) {
	var log bytes.Buffer
	p := &publisher{}
	p.body.Store(`{"a":1}`)
	r := publish(t, p, plainDefinition)
	r.Outlet.Documents.Logger = slog.New(slog.NewTextHandler(&log, nil))
	u := address(t, "https://id.example.com/doc?x=CANARY")
	get := func() string {
		b, err := r.published(t.Context(), u, documentAge)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	get()
	p.body.Store(`{"a":2}`)
	if got := get(); got != `{"a":1}` || log.Len() > 0 {
		t.Errorf("within its time it is %s, log %s", got, &log)
	}
	Age(r.Outlet.Documents, documentAge)
	if got := get(); got != `{"a":2}` {
		t.Errorf("after its time it is %s", got)
	}
	if !strings.Contains(log.String(), "id.example.com") || strings.Contains(log.String(), "CANARY") {
		t.Errorf("log %q", &log)
	}
	Age(r.Outlet.Documents, documentAge)
	log.Reset()
	if get(); log.Len() > 0 {
		t.Errorf("what has not changed is logged: %s", &log)
	}
}

func TestTheNumberOfDocumentsIsBounded(t *testing.T) {
	p := &publisher{}
	p.body.Store("{}")
	r := publish(t, p, plainDefinition)
	for i := range maxDocuments + 20 {
		if _, err := r.published(t.Context(), address(t, fmt.Sprintf("https://id.example.com/%d", i)), documentAge); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.Outlet.Documents.kept); n > maxDocuments {
		t.Errorf("%d documents are kept", n)
	}
	before := p.asked.Load()
	if _, err := r.published(t.Context(), address(t, fmt.Sprintf("https://id.example.com/%d", maxDocuments+19)), documentAge); err != nil || p.asked.Load() != before {
		t.Errorf("the newest one is not kept: %v", err)
	}
}

// What is kept of an address must not answer somebody who may not go there.
func TestWhatIsKeptIsJudgedLikeACall(t *testing.T) {
	p := &publisher{}
	p.body.Store("{}")
	r := publish(t, p, plainDefinition)
	u := address(t, "https://id.example.com/doc")
	if _, err := r.published(t.Context(), u, documentAge); err != nil {
		t.Fatal(err)
	}
	other := publish(t, p, strings.Replace(plainDefinition, "id.example.com", "other.example.com", 1))
	other.Outlet.Documents = r.Outlet.Documents
	for _, s := range []string{u.String(), "http://other.example.com/doc", "https://127.0.0.1/doc", "https://other.example.com@id.example.com/doc"} {
		if _, err := other.published(t.Context(), address(t, s), documentAge); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: %v, want forbidden", s, err)
		}
	}
}
