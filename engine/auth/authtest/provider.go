package authtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// provider is a server that answers as a case wants it to and keeps what it was sent.
type provider struct {
	t      *testing.T
	server *httptest.Server
	base   *url.URL

	mu     sync.Mutex
	got    []*sent
	answer func(*sent) reply
	// aside answers what has to come before a token request, such as a device authorization request;
	// what it answers is kept apart.
	aside    func(*sent) (reply, bool)
	gotAside []*sent
}

// sent is one request as the provider saw it.
type sent struct {
	*http.Request
	url  string // the address the definition names, without its query
	body string
}

// reply is what the provider answers; with hangUp it breaks the connection instead.
type reply struct {
	status int
	header http.Header
	body   string
	hangUp bool
}

func newProvider(t *testing.T) *provider {
	p := &provider{t: t}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.server.Close)
	base, err := url.Parse(p.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.base = base
	return p
}

// reroute leads https://host/path to the server's /host/path.
func (p *provider) reroute(u *url.URL) *url.URL {
	out := *p.base
	out.Path, out.RawPath, out.RawQuery = "/"+u.Host+u.Path, "/"+u.Host+u.EscapedPath(), u.RawQuery
	out.Fragment, out.RawFragment = u.Fragment, u.RawFragment
	return &out
}

// path is where an address leads on the server.
func (p *provider) path(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.reroute(u).Path
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s := &sent{Request: r, url: "https:/" + r.URL.EscapedPath(), body: string(body)}
	a := p.reply(s)
	if a.hangUp {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			p.t.Error(err)
			return
		}
		if a.body != "" {
			_, _ = io.WriteString(conn, a.body)
		}
		_ = conn.Close()
		return
	}
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// reply keeps a request and says what it is answered.
func (p *provider) reply(s *sent) reply {
	p.mu.Lock()
	answer, aside := p.answer, p.aside
	p.mu.Unlock()
	if aside != nil {
		if a, ok := aside(s); ok {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.gotAside = append(p.gotAside, s)
			return a
		}
	}
	p.mu.Lock()
	p.got = append(p.got, s)
	p.mu.Unlock()
	return answer(s)
}

func (p *provider) requests() []*sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got
}

func (p *provider) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got, p.gotAside = nil, nil
}

// only returns the one request that came since the last time, and fails if there were others.
func (p *provider) only(t *testing.T) *sent {
	t.Helper()
	got := p.requests()
	if len(got) != 1 {
		t.Fatalf("the provider was sent %d requests, want 1", len(got))
	}
	p.forget()
	return got[0]
}

func asJSON(status int, v any) reply {
	b, _ := json.Marshal(v) // of maps and texts
	return reply{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: string(b)}
}

// asText answers with a body as it stands.
func asText(status int, contentType, body string) reply {
	return reply{status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
}

// answerWith says what is answered from now on; answerAside, what is answered to what comes before.
func (p *provider) answerWith(f func(*sent) reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

func (p *provider) answerAside(f func(*sent) (reply, bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.aside = f
}

// always answers the same.
func (b *bench) always(a reply) { b.provider.answerWith(func(*sent) reply { return a }) }

// params are the parameters of a token request, in their order, from the one place they are in.
func (s *sent) params(t *testing.T, format string) (names []string, values map[string]string) {
	t.Helper()
	values = map[string]string{}
	raw := s.body
	switch format {
	case "json":
		return s.members(t)
	case "query":
		raw = s.URL.RawQuery
	}
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, nerr := url.QueryUnescape(name)
		value, verr := url.QueryUnescape(value)
		if nerr != nil || verr != nil {
			t.Errorf("the parameter %q cannot be read", part)
		}
		if _, twice := values[name]; twice {
			t.Errorf("the parameter %s was sent twice", name)
		}
		if part != "" {
			names, values[name] = append(names, name), value
		}
	}
	return names, values
}

func (s *sent) members(t *testing.T) (names []string, values map[string]string) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.body), &values); err != nil {
		t.Fatalf("the body is not an object of texts: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(s.body))
	for tok, err := d.Token(); err == nil; tok, err = d.Token() {
		if name, ok := tok.(string); ok {
			names = append(names, name)
			_, _ = d.Token()
		}
	}
	return names, values
}
