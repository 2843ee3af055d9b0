package e2e

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/simulator"
	"dowel/engine/storage"
	"dowel/engine/storage/sqlite"
)

// started is a flow that has come to the provider's page.
type started struct {
	browser   *Browser
	flow      string
	authorize *url.URL
}

// start presses Connect in a new browser.
func (h *faultHouse) start(t *testing.T, connector string) started {
	t.Helper()
	b := NewBrowser(t)
	p := b.Press(h.Ticket(t, "somebody", connector), "", nil)
	u, err := url.Parse(p.URL)
	if err != nil || p.URL == "" {
		t.Fatalf("press Connect: %+v", p)
	}
	return started{b, p.Flow, u}
}

func (s started) state() string { return s.authorize.Query().Get("state") }

func (h *faultHouse) callback(values url.Values) string {
	return h.URL + "/callback?" + values.Encode()
}

// store opens the embedded store beside the running process.
func (i *Instance) store(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(i.dir, "dowel.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newCallbackHouse(t *testing.T) *faultHouse {
	t.Helper()
	t.Parallel()
	return newFaultHouse(t, Definitions(t, map[string]string{"strict": Plain("strict", rotating)}), time.Hour)
}

// untouched checks that no code was traded and nothing stored.
func (h *faultHouse) untouched(t *testing.T, connector string) {
	t.Helper()
	var s simulator.Stats
	h.sim.Stats(t, connector, &s)
	if n := s.Token["authorization_code"]; n > 0 {
		t.Errorf("the provider was sent %d codes", n)
	}
	if ids := h.ConnectionsOf(t, connector, "somebody"); len(ids) > 0 {
		t.Errorf("%d connections were made", len(ids))
	}
}

// (F03, F04, F15)
func TestAStateCountsOnceInItsBrowserAndInTime(t *testing.T) {
	h := newCallbackHouse(t)
	gone := h.start(t, "strict").browser.Open(h.callback(url.Values{"state": {"guessed"}, "code": {"abc"}}))
	if gone.Status != http.StatusGone {
		t.Errorf("a guessed state: %d", gone.Status)
	}
	alike := func(what string, p Page) {
		if p.Status != gone.Status || p.Body != gone.Body {
			t.Errorf("%s is answered %d, differently from a guessed state", what, p.Status)
		}
	}
	old := h.start(t, "strict")
	_, err := h.store(t).UpdateFlow(t.Context(), storage.Ref{Tenant: "default", ID: old.flow}, func(f *storage.Flow) error {
		f.ExpiresAt = time.Now().Add(-time.Second).UTC().Truncate(time.Millisecond)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Its own browser is led to what came of the flow; to any other a state that is over is no state.
	alike("an expired state", NewBrowser(t).Open(old.browser.Consent(old.authorize.String(), Ana, "allow")))
	attacker := h.start(t, "strict") // the victim is sent to the attacker's answer (login CSRF)
	stolen := attacker.browser.Consent(attacker.authorize.String(), Ana, "allow")
	for _, victim := range []*Browser{NewBrowser(t), h.start(t, "strict").browser} {
		if p := victim.Open(stolen); p.Status != http.StatusForbidden && p.Status != http.StatusGone {
			t.Errorf("another browser's answer: %d", p.Status)
		}
	}
	h.untouched(t, "strict")
	// The attacker could as well be the victim: the answer still counts in the browser that began.
	if p := attacker.browser.Open(stolen); p.Status != http.StatusSeeOther {
		t.Errorf("the browser that began, after others had tried: %d", p.Status)
	}
	mine := h.start(t, "strict")
	callback := mine.browser.Consent(mine.authorize.String(), Ana, "allow")
	first := mine.browser.Open(callback)
	if first.Status != http.StatusSeeOther || strings.Contains(first.Location, "code=") || strings.Contains(first.Location, mine.state()) || first.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the callback leads to %d %s", first.Status, first.Location)
	}
	alike("a used state", NewBrowser(t).Open(callback))
	if again := mine.browser.Open(callback); again.Location != first.Location {
		t.Errorf("the same callback once more leads to %d %s, want %s", again.Status, again.Location, first.Location)
	}
	for _, secret := range []string{mine.state(), old.state(), "sim-code"} {
		if strings.Contains(h.Log(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// (F05, F07, F09, F10)
func TestAForgedAnswerSendsNoCodeAnywhere(t *testing.T) {
	h := newCallbackHouse(t)
	tests := map[string]func(started) url.Values{
		"another issuer": func(s started) url.Values {
			return url.Values{"state": {s.state()}, "code": {"abc"}, "iss": {"https://evil.example"}}
		},
		"two codes":  func(s started) url.Values { return url.Values{"state": {s.state()}, "code": {"a", "b"}} },
		"two states": func(s started) url.Values { return url.Values{"state": {s.state(), "other"}, "code": {"a"}} },
		"a code and an error": func(s started) url.Values {
			return url.Values{"state": {s.state()}, "code": {"a"}, "error": {"access_denied"}}
		},
		"two issuers": func(s started) url.Values {
			return url.Values{"state": {s.state()}, "code": {"a"}, "iss": {"https://accounts.google.com", "https://evil.example"}}
		},
		"neither code, nor error": func(s started) url.Values { return url.Values{"state": {s.state()}} },
	}
	for name, forge := range tests {
		s := h.start(t, "google")
		q := s.authorize.Query()
		if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 43 {
			t.Errorf("the browser is sent off with %v", q)
		}
		p := s.browser.Follow(h.callback(forge(s)))
		if p.Status == http.StatusOK && strings.Contains(p.Body, "Connected as") {
			t.Errorf("%s: %d\n%s", name, p.Status, p.Body)
		}
	}
	h.untouched(t, "google")
	b := NewBrowser(t)
	ticket := h.Ticket(t, "somebody", "google")
	form := b.Open(ticket).Hidden()
	form.Set("state", "mine")
	form.Set("redirect_uri", "https://evil.example")
	if p := b.Post(ticket+"/start?state=mine&redirect_uri=https://evil.example", form, http.Header{"Accept": {"application/json"}}); strings.Contains(p.Body, "state=mine") || strings.Contains(p.Body, "evil.example") {
		t.Errorf("the page's own state is used: %s", p.Body)
	}
}

// (F16)
func TestHeadersDoNotChangeWhereTheProviderAnswers(t *testing.T) {
	h := newCallbackHouse(t)
	forged := http.Header{
		"Host": {"evil.example"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}, "X-Original-Host": {"evil.example"},
		"Forwarded": {"host=evil.example"}, "X-Forwarded-Prefix": {"/evil"}, "X-Forwarded-For": {"10.0.0.1"},
	}
	a := h.Ask(http.MethodPost, "/api/v1/connect-sessions", map[string]any{"end_user": "somebody", "connectors": []string{"strict"}}, forged)
	var ticket struct{ URL string }
	if a.decode(&ticket); !strings.HasPrefix(ticket.URL, h.URL+"/connect/") {
		t.Fatalf("the ticket's address: %d %s", a.Status, a.Body)
	}
	b := NewBrowser(t)
	form := b.Open(ticket.URL).Hidden()
	forged.Set("Accept", "application/json")
	p := b.Post(ticket.URL+"/start", form, forged)
	if strings.Contains(p.Body, "evil") || !strings.Contains(p.Body, url.QueryEscape(h.URL+"/callback")) && p.Status == http.StatusOK {
		t.Errorf("the browser is sent to %d %s", p.Status, p.Body)
	}
}

// (F11, F12, F18, T03)
func TestASessionIsForTheTenantsOwnPages(t *testing.T) {
	h := newCallbackHouse(t)
	if status, b := h.Do(http.MethodPatch, "/api/v1/tenant", map[string]any{"return_origins": []string{"https://app.example.com"}}); status != http.StatusOK {
		t.Fatalf("allow an origin: %d %s", status, b)
	}
	for _, bad := range []map[string]any{
		{"return_url": "https://evil.example/"},
		{"return_url": "https://app.example.com.evil.example/"},
		{"return_url": "//evil.example"},
		{"return_url": "https://app.example.com@evil.example/"},
		{"return_url": "javascript:alert(1)"},
		{"return_url": `https://app.example.com\@evil.example`},
		{"return_url": "http://app.example.com/"},
		{"opener_origin": "*"},
		{"opener_origin": "null"},
		{"opener_origin": "https://evil.example"},
		{"opener_origin": "https://app.example.com/"},
		{"opener_origin": "https://*.example.com"},
	} {
		bad["end_user"], bad["connectors"] = "somebody", []string{"strict"}
		if a := h.Ask(http.MethodPost, "/api/v1/connect-sessions", bad, nil); a.Status != http.StatusBadRequest || strings.Contains(string(a.Body), "/connect/") {
			t.Errorf("%v: %d %s", bad, a.Status, a.Body)
		}
	}
	id := h.ConnectAs(t, "strict", "somebody", Ana)
	for who, body := range map[string]map[string]any{
		"another end user":           {"end_user": "somebody else", "connection": id},
		"a connection nobody has":    {"end_user": "somebody", "connection": "conn_AAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"a connection with no owner": {"end_user": "", "connection": id},
	} {
		if a := h.Ask(http.MethodPost, "/api/v1/connect-sessions", body, nil); a.Status != http.StatusBadRequest && a.Status != http.StatusNotFound {
			t.Errorf("%s: %d %s", who, a.Status, a.Body)
		}
	}
}

// (U01, U02, F20)
func TestClickingAndAnsweringTwiceMakesOneConnection(t *testing.T) {
	h := newCallbackHouse(t)
	b := NewBrowser(t)
	ticket := h.Ticket(t, "somebody", "strict")
	presses := make([]string, 3)
	for k := range presses { // three clicks are three flows, each of its own
		presses[k] = b.Press(ticket, "", nil).URL
	}
	var group sync.WaitGroup
	for _, press := range presses {
		callback := b.Consent(press, Ana, "allow")
		for range 3 { // each answer is delivered three times at once
			group.Go(func() { b.Open(callback) })
		}
	}
	group.Wait()
	if ids := h.ConnectionsOf(t, "strict", "somebody"); len(ids) != 1 {
		t.Errorf("%d connections", len(ids))
	}
	if s := h.stats(t); s.Token["authorization_code"] > len(presses) || s.Refused["invalid_grant"] > 0 {
		t.Errorf("the provider was sent %v and refused %v", s.Token, s.Refused)
	}
	id := h.ConnectionsOf(t, "strict", "somebody")[0]
	if token, a := h.Door.Token(id, ""); a.Status != http.StatusOK || !h.sim.Accepts(token) {
		t.Errorf("the connection's token: %d %s", a.Status, a.Body)
	}
	if p := b.Open(ticket); p.Status != http.StatusOK && p.Status != http.StatusGone || strings.Contains(p.Body, `type="submit"`) && strings.Contains(p.Body, "/start") {
		t.Errorf("the used ticket opens again: %d\n%s", p.Status, p.Body)
	}
	if p := NewBrowser(t).Open(ticket); p.Status != http.StatusGone && p.Status != http.StatusForbidden {
		t.Errorf("the used ticket opens in another browser: %d", p.Status)
	}
}

// (U04)
func TestADenialTouchesNothing(t *testing.T) {
	h := newCallbackHouse(t)
	id := h.ConnectAs(t, "strict", "somebody", Ana)
	before := h.Connection(t, id)
	a := h.Ask(http.MethodPost, "/api/v1/connect-sessions", map[string]any{"end_user": "somebody", "connection": id}, nil)
	var ticket struct{ URL string }
	a.decode(&ticket)
	b := NewBrowser(t)
	p := b.Follow(b.Consent(b.Press(ticket.URL, "", nil).URL, Ana, "deny"))
	if p.Status != http.StatusOK || strings.Contains(p.Body, "Connected as") {
		t.Errorf("the page after a denial: %d\n%s", p.Status, p.Body)
	}
	after := h.Connection(t, id)
	if token, a := h.Door.Token(id, ""); after.Status != "active" || after.Version != before.Version || a.Status != http.StatusOK || !h.sim.Accepts(token) {
		t.Errorf("after a denial the connection is %+v and its token answered %d", after, a.Status)
	}
}
