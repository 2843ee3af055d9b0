package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Every test looks out for breaches; this one shows that they would be seen, in a window that was
// opened as well as in the first.
func TestATapSeesWhatAPageMustNotDo(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; img-src http:")
		_, _ = fmt.Fprint(w, `<title>Bad</title><p style="color:red">Bad</p><script>alert(1)</script><img src="http://elsewhere.example/x.png">`)
	}))
	t.Cleanup(bad.Close)
	p.tap.allow(bad.URL)
	p.first.open(bad.URL)
	seen := func() (asked, breaches, inline int) {
		p.tap.mu.Lock()
		defer p.tap.mu.Unlock()
		return len(p.tap.asked), len(p.tap.breaches), len(p.tap.inline)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if asked, breaches, inline := seen(); asked == 2 && breaches >= 2 && inline == 1 {
			break
		}
	}
	p.tap.mu.Lock()
	defer p.tap.mu.Unlock()
	if got := strings.Join(p.tap.asked, " "); !strings.Contains(got, "http://elsewhere.example") || len(p.tap.breaches) < 2 || len(p.tap.inline) != 1 {
		t.Errorf("asked %s, breaches %v, inline %v", got, p.tap.breaches, p.tap.inline)
	}
	p.tap.allowed, p.tap.breaches, p.tap.inline = p.tap.asked, nil, nil
}

// A page that another origin may frame says so; all others say that nobody may.
func TestOnlyAnAllowedOriginMayFrameTheConnectPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	framing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<title>Frame</title><iframe width="500" height="700"></iframe><script>document.querySelector("iframe").src = location.hash.slice(1)</script>`)
	}))
	t.Cleanup(framing.Close)
	w := h.visitor()
	w.person.tap.allow(framing.URL)
	framed := func(address string) bool {
		w.open("about:blank")
		w.open(framing.URL + "/#" + address)
		w.do("wait", script("0"))
		// The document of a frame of another origin cannot be read; that of a refused one is an error
		// page, and of another origin as well. Only its policy tells: the tap is told of the refusal.
		time.Sleep(500 * time.Millisecond)
		w.person.tap.mu.Lock()
		defer w.person.tap.mu.Unlock()
		refused := len(w.person.tap.breaches) > 0
		w.person.tap.breaches = nil
		return !refused
	}
	if framed(h.link("google")) {
		t.Error("any origin may frame the Connect page")
	}
	h.allow(framing.URL)
	if !framed(h.link("google")) {
		t.Error("an origin on the list may not frame the Connect page")
	}
	if framed(h.URL + "/console") {
		t.Error("the console may be framed")
	}
}
