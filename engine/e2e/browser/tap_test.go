package browser

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tap is the proxy behind a person's browser. It sees every request of every window, whoever made it,
// and is told of every breach of a content security policy, because it adds an address for reports to
// the policies that pass through.
type tap struct {
	server *httptest.Server
	mu     sync.Mutex
	// asked are the origins asked for, breaches the reports, inline the pages with something in them
	// that a strict policy is there to forbid.
	asked, breaches, inline []string
	// allowed are the origins a person may get to; expected lists breaches that a test makes itself.
	allowed []string
	// pages counts the HTML pages that came through.
	pages int
}

// reports is the path, on any origin, that reports of breaches go to.
const reports = "/-/policy-report"

func newTap(t *testing.T) *tap {
	p := &tap{}
	through := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.Out.Header.Del("Accept-Encoding") },
		ModifyResponse: p.look,
		Transport:      &http.Transport{DisableCompression: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect || r.URL.Host == "":
			p.note(&p.asked, "https://"+r.Host)
			http.Error(w, "no way out", http.StatusBadGateway)
		case r.URL.Path == reports:
			b, _ := io.ReadAll(r.Body)
			p.note(&p.breaches, string(b))
			w.WriteHeader(http.StatusNoContent)
		case !p.lets("http://" + r.URL.Host):
			http.Error(w, "no way there", http.StatusBadGateway)
		default:
			through.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		p.server.Close()
		p.check(t)
	})
	return p
}

func (p *tap) note(list *[]string, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(*list, line) {
		*list = append(*list, line)
	}
}

// lets notes that an origin was asked for, and reports whether a person may get there.
func (p *tap) lets(origin string) bool {
	p.note(&p.asked, origin)
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.allowed, origin)
}

// allow adds origins that the person may get to.
func (p *tap) allow(addresses ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range addresses {
		if u, err := url.Parse(a); err == nil {
			p.allowed = append(p.allowed, u.Scheme+"://"+u.Host)
		}
	}
}

var inline = regexp.MustCompile(`(?i)<script(?:\s+(?:type|defer|async|nomodule)(?:="[^"]*")?)*\s*>|<style|<[a-z][^>]*\son[a-z]+=|<[a-z][^>]*\sstyle=|javascript:`)

// look reads a page that passes.
func (p *tap) look(r *http.Response) error {
	policy := r.Header.Get("Content-Security-Policy")
	if policy != "" {
		r.Header.Set("Content-Security-Policy", policy+"; report-uri "+reports)
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || !strings.Contains(policy, "script-src 'self'") {
		return nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(strings.NewReader(string(b)))
	p.mu.Lock()
	p.pages++
	p.mu.Unlock()
	if found := inline.FindString(string(b)); found != "" {
		p.note(&p.inline, fmt.Sprintf("%s: %s", r.Request.URL.Path, found))
	}
	return nil
}

// check fails the test if a window got out, broke a policy, or was sent something inline.
func (p *tap) check(t *testing.T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, origin := range p.asked {
		if !slices.Contains(p.allowed, origin) {
			t.Errorf("a page asked for something at %s; allowed are %v", origin, p.allowed)
		}
	}
	for _, b := range p.breaches {
		t.Errorf("content security policy broken: %s", b)
	}
	for _, page := range p.inline {
		t.Errorf("inline script or style in %s", page)
	}
}
