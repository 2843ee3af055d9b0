package auth_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/secret"
)

// provider answers for every host of a definition and keeps what it was asked, one line a request.
type provider struct {
	mu      sync.Mutex
	got     []string
	sent    map[string]http.Header // of the latest request, by "METHOD https://host/path"
	answers map[string]string      // by "METHOD https://host/path", with an optional status before the body
	header  http.Header
}

// connect returns a request for the first method of a definition whose hosts all lead to answers.
func connect(t *testing.T, source string, answers map[string]string) (auth.Request, *provider) {
	t.Helper()
	id := regexp.MustCompile(`(?m)^id: *(\S+)`).FindStringSubmatch(source)[1]
	k, findings := definition.Parse(id+".yaml", []byte(source))
	if k == nil {
		t.Fatal(findings)
	}
	p := &provider{answers: answers, header: http.Header{}, sent: map[string]http.Header{}}
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	client, err := egress.NewClient(egress.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	reroute := func(u *url.URL) *url.URL {
		to, _ := url.Parse(server.URL + "/" + u.Host + u.EscapedPath())
		to.RawQuery = u.RawQuery
		return to
	}
	return auth.Request{
		Connector: k, Auth: k.Auth[0], Inputs: map[string]string{}, Captured: map[string]string{}, RedirectURI: "https://dowel.example/callback",
		App:    auth.App{ClientID: "client", ClientSecret: secret.New("CANARY-secret")},
		Outlet: &auth.Outlet{Client: client, Simulate: func(string) func(*url.URL) *url.URL { return reroute }},
	}, p
}

// shipped is a definition of ours.
func shipped(t *testing.T, id string) string {
	t.Helper()
	b, err := os.ReadFile("../../connectors/" + id + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	key := r.Method + " https:/" + r.URL.Path
	p.mu.Lock()
	defer p.mu.Unlock()
	line := key
	for _, more := range []string{r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("X-Session"), string(body)} {
		if more != "" {
			line += " | " + more
		}
	}
	p.got = append(p.got, line)
	p.sent[key] = r.Header.Clone()
	answer, ok := p.answers[key]
	if !ok {
		answer = "404 nothing at " + key
	}
	for k, v := range p.header {
		w.Header()[k] = v
	}
	status := http.StatusOK
	if n, rest, ok := strings.Cut(answer, " "); ok && len(n) == 3 {
		if _, err := fmt.Sscanf(n, "%d", &status); err == nil {
			answer = rest
		}
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

// requests are the lines since the last time.
func (p *provider) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.got
	p.got = nil
	return got
}

func object(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	b, _ := json.Marshal(m)
	return string(b)
}
