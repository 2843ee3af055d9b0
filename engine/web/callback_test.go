package web_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"dowel/engine/identity"
)

// handing is a house with providers that hand something over in other ways than in a query.
func handing(t *testing.T) *house {
	t.Helper()
	return newHouseWith(t, map[string]string{
		"page": `
id: page
name: Page
hosts: [page.example]
auth:
  - id: token
    kind: bearer
    authorize:
      url: https://page.example/1/authorize
      params: {response_type: token}
      names: {client_id: key, redirect_uri: return_url}
      state_in: redirect_uri
    callback: {from: fragment, fields: {token: callback.query.token}}
api: {base_url: "https://page.example"}
test: {get: /me}
identity: {from: test, subject: response.body.id, email: response.body.email}
`,
		"keys": `
id: keys
name: Keys
hosts: [keys.example]
auth:
  - id: keys
    kind: api_key
    fields:
      key: {label: Key, type: password}
    authorize:
      url: https://keys.example/authorize
      params: {callback_url: "${callback.redirect_uri}"}
      names: {client_id: null, redirect_uri: return_url, state: user_id}
    callback:
      from: post
      denied: callback.query.success == "0"
      fields: {key: callback.posted.consumer_key}
    apply: {headers: {X-Key: "${fields.key}"}}
api: {base_url: "https://keys.example"}
test: {get: /me}
identity: {from: test, subject: response.body.id, email: response.body.email}
`,
	})
}

// fragmentForm is what the script of the page posts: what the address holds, and the token of the page.
func fragmentForm(shown page, callback *url.URL) url.Values {
	return url.Values{"csrf": {shown.csrf()}, "query": {callback.RawQuery}, "fragment": {callback.EscapedFragment()}}
}

// handOver goes to the provider with b and returns where it sends the browser.
func (h *house) handOver(b *browser, connector string) (path string, callback *url.URL) {
	h.t.Helper()
	path = h.session(identity.SessionInput{Connectors: []string{connector}})
	callback, err := url.Parse(h.consent(b.start(path, connector, nil).leaves(), "allow", "1001"))
	h.must(err)
	return path, callback
}

func TestATokenInTheFragmentIsPostedByOurPage(t *testing.T) {
	h := handing(t)
	b := h.browser()
	_, callback := h.handOver(b, "page")
	if !strings.Contains(callback.Fragment, "token=") || strings.Contains(callback.RawQuery, "token") {
		t.Fatalf("the provider sends the browser to %s", callback)
	}
	shown := b.get("/callback?" + callback.RawQuery).want(http.StatusOK)
	protected(t, shown)
	if !strings.Contains(shown.body, "/static/fragment.") || strings.Contains(shown.body, callback.Query().Get("state")) {
		t.Errorf("the page that reads the fragment:\n%s", shown.body)
	}
	moved := b.post("/callback/fragment", fragmentForm(shown, callback)).want(http.StatusSeeOther)
	to := moved.header.Get("Location")
	if strings.Contains(to, "token") || strings.Contains(to, callback.Query().Get("state")) {
		t.Errorf("it moves on to %s", to)
	}
	b.follow(moved).want(http.StatusOK, "Connected as ana@example.com")
	if again := b.post("/callback/fragment", fragmentForm(shown, callback)).want(http.StatusSeeOther); again.header.Get("Location") != to {
		t.Errorf("the same once more leads to %s", again.header.Get("Location"))
	}
	if n := len(h.connections()); n != 1 {
		t.Errorf("%d connections", n)
	}
	if logs := h.logs.String(); strings.Contains(logs, canary) || strings.Contains(logs, callback.Query().Get("state")) {
		t.Errorf("a token or a state is in the log:\n%s", logs)
	}
}

// (F03, F22) A stranger's token must not come into somebody's account, and nothing counts that comes in
// another way than the definition says.
func TestAFragmentOfSomebodyElseConnectsNothing(t *testing.T) {
	attack := func(name string, try func(t *testing.T, h *house)) {
		t.Run(name, func(t *testing.T) {
			h := handing(t)
			try(t, h)
			if n := len(h.connections()); n != 0 {
				t.Errorf("%d connections were made", n)
			}
		})
	}
	attack("the attacker's answer in the victim's browser", func(_ *testing.T, h *house) {
		attacker, victim := h.browser(), h.browser()
		_, stolen := h.handOver(attacker, "page")
		h.handOver(victim, "page") // the victim is on the way as well
		shown := victim.get("/callback?" + stolen.RawQuery).want(http.StatusOK)
		victim.post("/callback/fragment", fragmentForm(shown, stolen)).want(http.StatusForbidden)
	})
	attack("another token beside the victim's state", func(_ *testing.T, h *house) {
		_, stolen := h.handOver(h.browser(), "page")
		victim := h.browser()
		shown := victim.get("/callback?" + stolen.RawQuery)
		form := fragmentForm(shown, stolen)
		form.Set("query", "state=guessed")
		victim.post("/callback/fragment", form).want(http.StatusGone)
	})
	attack("a form of another site", func(_ *testing.T, h *house) {
		b := h.browser()
		_, callback := h.handOver(b, "page")
		for _, token := range []string{"", "guessed", csrfOf(h.browser().get("/callback"))} {
			b.post("/callback/fragment", url.Values{"csrf": {token}, "query": {callback.RawQuery}, "fragment": {callback.Fragment}}).want(http.StatusForbidden)
		}
	})
	attack("a token in the query", func(_ *testing.T, h *house) {
		b := h.browser()
		_, callback := h.handOver(b, "page")
		// It is no answer; the page looks into the fragment, where there is none.
		shown := b.get("/callback?" + callback.RawQuery + "&" + callback.Fragment).want(http.StatusOK)
		both := fragmentForm(shown, callback)
		both.Set("query", callback.RawQuery+"&"+callback.Fragment)
		b.follow(b.post("/callback/fragment", both)).want(http.StatusOK, "not")
	})
	attack("a code in the fragment, where a query is expected", func(t *testing.T, h *house) {
		b := h.browser()
		_, callback := h.handOver(b, "google")
		b.follow(b.post("/callback/fragment", url.Values{"csrf": {csrfOf(b.get("/callback"))}, "query": {""}, "fragment": {callback.RawQuery}})).want(http.StatusOK)
		if s := h.sim.Stats("google"); s.Token["authorization_code"] != 0 {
			t.Errorf("the code was sent to the provider: %+v", s.Token)
		}
	})
	attack("no fragment at all", func(_ *testing.T, h *house) {
		b := h.browser()
		_, callback := h.handOver(b, "page")
		form := fragmentForm(b.get("/callback?"+callback.RawQuery), callback)
		form.Set("fragment", "")
		b.follow(b.post("/callback/fragment", form)).want(http.StatusOK, "left something out")
	})
	attack("nothing at all", func(_ *testing.T, h *house) {
		b := h.browser()
		b.post("/callback/fragment", url.Values{"csrf": {csrfOf(b.get("/callback").want(http.StatusOK))}}).want(http.StatusGone)
	})
	attack("something huge", func(_ *testing.T, h *house) {
		b := h.browser()
		b.post("/callback/fragment", url.Values{"fragment": {strings.Repeat("a", 100_000)}}).want(http.StatusRequestEntityTooLarge)
	})
}

func csrfOf(p page) string { return p.csrf() }

// letters are what servers of providers have posted, kept until a test posts it.
type letters struct {
	mu   sync.Mutex
	sent [][]byte
}

// postman keeps what the simulated providers' servers post.
func (h *house) postman() *letters {
	l := &letters{}
	h.post = func(body []byte) int {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent = append(l.sent, bytes.Clone(body))
		return http.StatusOK
	}
	return l
}

func (l *letters) only(t *testing.T) []byte {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.sent) != 1 {
		t.Fatalf("%d posts, want 1", len(l.sent))
	}
	return l.sent[0]
}

// server is a provider's server: it has no cookies.
func (h *house) server(body []byte, contentType string) page {
	h.t.Helper()
	return h.browser().do("POST", "/callback", bytes.NewReader(body), "Content-Type", contentType)
}

const asJSON = "application/json; charset=utf-8"

func TestKeysThatAServerPostsWaitForTheBrowser(t *testing.T) {
	h := handing(t)
	b := h.browser()
	post := h.postman()
	path, callback := h.handOver(b, "keys")
	letter := post.only(t)
	h.server(letter, asJSON).want(http.StatusOK)
	if n := len(h.connections()); n != 0 {
		t.Fatalf("%d connections before the browser is back", n)
	}
	// Whoever posts does not learn or change anything more.
	h.server(letter, asJSON).want(http.StatusOK)
	h.server(changed(t, letter, "consumer_key", "another"), asJSON).want(http.StatusConflict)
	h.browser().get(path+"/status?flow=guessed", script...).want(http.StatusForbidden)
	b.follow(b.get(callback.String())).want(http.StatusOK, "Connected as ana@example.com")
	h.server(letter, asJSON).want(http.StatusGone)
	if n := len(h.connections()); n != 1 {
		t.Errorf("%d connections", n)
	}
	if logs := h.logs.String(); strings.Contains(logs, canary) {
		t.Errorf("a key is in the log:\n%s", logs)
	}
}

func TestABrowserThatIsQuickerThanTheServerWaits(t *testing.T) {
	h := handing(t)
	b := h.browser()
	post := h.postman()
	path, callback := h.handOver(b, "keys")
	moved := b.get(callback.String()).want(http.StatusSeeOther)
	b.follow(moved).want(http.StatusOK)
	where, err := url.Parse(moved.header.Get("Location"))
	h.must(err)
	status := path + "/status?" + where.RawQuery
	if p := b.get(status, script...).want(http.StatusOK).progress(); p.Status != "pending" {
		t.Fatalf("before the post: %+v", p)
	}
	b.follow(b.get(callback.String())).want(http.StatusOK) // once more, impatiently
	h.server(post.only(t), asJSON).want(http.StatusOK)
	if n := len(h.connections()); n != 0 {
		t.Errorf("%d connections by the post alone", n)
	}
	if p := b.get(status, script...).want(http.StatusOK).progress(); p.Status != "done" {
		t.Errorf("after the post: %+v", p)
	}
	if n := len(h.connections()); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestAPostOfSomebodyElseConnectsNothing(t *testing.T) {
	h := handing(t)
	b := h.browser()
	post := h.postman()
	_, callback := h.handOver(b, "keys")
	letter := post.only(t)
	state := callback.Query().Get("user_id")
	for name, try := range map[string]struct {
		body, kind string
		want       int
	}{
		"a guessed state":              {string(changed(t, letter, "user_id", strings.Repeat("A", 43))), asJSON, http.StatusGone},
		"no state":                     {`{"consumer_key":"x"}`, asJSON, http.StatusGone},
		"the state under another name": {`{"consumer_key":"x","state":"` + state + `"}`, asJSON, http.StatusGone},
		"the state in a list":          {`{"consumer_key":"x","user_id":["` + state + `"]}`, asJSON, http.StatusGone},
		"the state twice":              {`{"user_id":"` + state + `","user_id":"` + state + `","consumer_key":"x"}`, asJSON, http.StatusBadRequest},
		"a list":                       {`["` + state + `"]`, asJSON, http.StatusBadRequest},
		"no JSON":                      {`user_id=` + state, asJSON, http.StatusBadRequest},
		"nested deeply":                {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), asJSON, http.StatusBadRequest},
		"a text":                       {state, "text/plain", http.StatusUnsupportedMediaType},
		"something huge":               {`{"user_id":"` + state + `","x":"` + strings.Repeat("a", 100_000) + `"}`, asJSON, http.StatusRequestEntityTooLarge},
	} {
		if p := h.server([]byte(try.body), try.kind); p.status != try.want {
			t.Errorf("%s: status %d, want %d", name, p.status, try.want)
		}
	}
	// A post for a flow that awaits none, with a state that is good.
	other := h.browser()
	_, code := h.handOver(other, "google")
	h.server([]byte(`{"code":"x","state":"`+code.Query().Get("state")+`"}`), asJSON).want(http.StatusBadRequest)
	other.follow(other.get(code.String())).want(http.StatusOK, "Connected as")

	// The right one still counts: nothing of the above has touched the flow.
	h.server(letter, asJSON).want(http.StatusOK)
	b.follow(b.get(callback.String())).want(http.StatusOK, "Connected as ana@example.com")
}

// A person who has allowed it somewhere else than where it was begun connects nothing: the key that was
// posted is thrown away.
func TestAKeyIsThrownAwayWhenAnotherBrowserComesBack(t *testing.T) {
	h := handing(t)
	attacker, victim := h.browser(), h.browser()
	post := h.postman()
	_, callback := h.handOver(attacker, "keys")
	h.server(post.only(t), asJSON).want(http.StatusOK)
	victim.get(h.session(identity.SessionInput{})).want(http.StatusOK)
	victim.get(callback.String()).want(http.StatusForbidden)
	p := attacker.follow(attacker.get(callback.String()))
	if strings.Contains(p.body, "Connected as") {
		t.Errorf("the attacker is connected:\n%s", p.body)
	}
	if n := len(h.connections()); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestADeniedHandoverIsNotWaitedFor(t *testing.T) {
	h := handing(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"keys"}})
	callback := h.consent(b.start(path, "keys", nil).leaves(), "deny", "1001")
	b.follow(b.get(callback)).want(http.StatusOK, "You chose not to allow access")
}

// changed is a JSON object with one member changed.
func changed(t *testing.T, body []byte, name, value string) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	m[name] = value
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
