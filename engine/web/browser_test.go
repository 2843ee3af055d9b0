package web_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/simulator"
	"dowel/ui"
)

// browser keeps cookies, as one person's browser does.
type browser struct {
	h  *house
	mu sync.Mutex
	// cookies by name
	cookies map[string]string
}

func (h *house) browser() *browser { return &browser{h: h, cookies: map[string]string{}} }

// page is an answer.
type page struct {
	t      *testing.T
	path   string
	status int
	header http.Header
	body   string
}

func (b *browser) do(method, path string, body io.Reader, headers ...string) page {
	b.h.t.Helper()
	r := httptest.NewRequest(method, strings.TrimPrefix(path, public), body)
	r.Header.Set("Accept", "text/html")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	b.mu.Lock()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	b.mu.Unlock()
	res, err := b.h.app.Test(r, -1)
	if err != nil {
		b.h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		b.h.t.Fatal(err)
	}
	b.mu.Lock()
	for _, k := range res.Cookies() {
		b.cookies[k.Name] = k.Value
		if k.MaxAge < 0 || !k.Expires.IsZero() && k.Expires.Before(time.Now()) {
			delete(b.cookies, k.Name)
		}
	}
	b.mu.Unlock()
	return page{t: b.h.t, path: path, status: res.StatusCode, header: res.Header, body: string(content)}
}

func (b *browser) get(path string, headers ...string) page { return b.do("GET", path, nil, headers...) }

func (b *browser) post(path string, form url.Values, headers ...string) page {
	return b.do("POST", path, strings.NewReader(form.Encode()), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// follow goes where a redirect within our own pages leads.
func (b *browser) follow(p page) page {
	b.h.t.Helper()
	for p.status == http.StatusSeeOther {
		to := p.header.Get("Location")
		if strings.HasPrefix(to, "http") && !strings.HasPrefix(to, public) {
			b.h.t.Fatalf("%s leads away, to %s", p.path, to)
		}
		p = b.get(to)
	}
	return p
}

var script = []string{"Accept", "application/json"}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// csrf is the token in the page's form.
func (p page) csrf() string {
	p.t.Helper()
	m := csrfField.FindStringSubmatch(p.body)
	if m == nil {
		p.t.Fatalf("%s (%d) has no form:\n%s", p.path, p.status, p.body)
	}
	return m[1]
}

// want checks the status, and that the page shows each text.
func (p page) want(status int, texts ...string) page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s: status %d, want %d\n%s", p.path, p.status, status, p.body)
	}
	for _, s := range texts {
		if !strings.Contains(html.UnescapeString(p.body), s) {
			p.t.Errorf("%s does not show %q:\n%s", p.path, s, p.body)
		}
	}
	return p
}

// progress reads an answer meant for the script.
func (p page) progress() ui.Progress {
	p.t.Helper()
	var out ui.Progress
	if err := json.Unmarshal([]byte(p.body), &out); err != nil {
		p.t.Fatalf("%s (%d): %v\n%s", p.path, p.status, err, p.body)
	}
	return out
}

var (
	leaveLink    = regexp.MustCompile(`content="0;url=([^"]+)"`)
	requestField = regexp.MustCompile(`name="request" value="([^"]+)"`)
)

// leaves is where a page sends the browser on to.
func (p page) leaves() string {
	p.t.Helper()
	m := leaveLink.FindStringSubmatch(p.body)
	if m == nil {
		p.t.Fatalf("%s (%d) does not lead to the provider:\n%s", p.path, p.status, p.body)
	}
	return html.UnescapeString(m[1])
}

// consent answers the provider's page and returns the callback the browser is sent to.
func (h *house) consent(authorize, decision, account string) string {
	h.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	shown := read(h.t, client, http.MethodGet, authorize, nil)
	m := requestField.FindStringSubmatch(shown.body)
	if m == nil {
		h.t.Fatalf("%s (%d) is no consent page:\n%s", authorize, shown.status, shown.body)
	}
	answer := read(h.t, client, http.MethodPost, authorize, url.Values{"request": {m[1]}, "account": {account}, "decision": {decision}})
	to := answer.header.Get("Location")
	if !strings.HasPrefix(to, public+"/callback?") && !strings.HasPrefix(to, public+"/callback#") {
		h.t.Fatalf("the provider sends the browser to %q:\n%s", to, answer.body)
	}
	return to
}

func read(t *testing.T, client *http.Client, method, address string, form url.Values) page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{t: t, path: address, status: res.StatusCode, header: res.Header, body: string(content)}
}

// start opens the page of a session and posts its form.
func (b *browser) start(path, connector string, answers map[string]string, headers ...string) page {
	b.h.t.Helper()
	shown := b.get(path + "?connector=" + connector).want(http.StatusOK)
	k, err := b.h.catalog.Current(b.h.t.Context(), "", connector)
	b.h.must(err)
	form := url.Values{"csrf": {shown.csrf()}, "connector": {connector}, "method": {k.Auth[0].ID}}
	for name, value := range answers {
		if name == "method" {
			form.Set("method", value)
			continue
		}
		form.Set(ui.FieldPrefix+name, value)
	}
	return b.post(path+"/start", form, headers...)
}

func fault(on, kind string) simulator.Fault {
	return simulator.Fault{On: on, Kind: simulator.FaultKind(kind)}
}

// hiddenField is the value of the first field with a name in a page's form.
func hiddenField(p page, name string) string {
	p.t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(p.body)
	if m == nil {
		p.t.Fatalf("%s (%d) has no field %s:\n%s", p.path, p.status, name, p.body)
	}
	return html.UnescapeString(m[1])
}
