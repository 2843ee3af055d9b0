package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dowel/engine/simulator"
)

// papers is a provider of OAuth 1.0a whose signatures are the secrets themselves.
const papers = `id: papers
name: Papers
hosts: [papers.example.com]
auth:
  - id: oauth1
    kind: oauth1
    request_token: {url: "https://papers.example.com/request"}
    authorize: {url: "https://papers.example.com/allow"}
    token: {url: "https://papers.example.com/access"}
    signature: {method: PLAINTEXT}
    revoke: {post: "https://papers.example.com/revoke"}
api: {base_url: "https://papers.example.com/api"}
test: {get: /me}
identity: {from: test, subject: response.body.id}
`

func newOAuth1House(t *testing.T) *faultHouse {
	t.Helper()
	t.Parallel()
	return newFaultHouse(t, Definitions(t, map[string]string{"papers": papers}), time.Hour)
}

// nothingTraded checks that no temporary credentials were traded and nothing stored.
func (h *faultHouse) nothingTraded(t *testing.T, what string) {
	t.Helper()
	var s simulator.Stats
	if h.sim.Stats(t, "papers", &s); s.Token["oauth1"] > 0 {
		t.Errorf("%s: the provider was sent a verifier", what)
	}
	if ids := h.ConnectionsOf(t, "papers", "somebody"); len(ids) > 0 {
		t.Errorf("%s: %d connections were made", what, len(ids))
	}
}

// parametersOf are what the provider has the browser bring back.
func parametersOf(t *testing.T, callback string) url.Values {
	t.Helper()
	u, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for _, name := range []string{"state", "oauth_token", "oauth_verifier"} {
		if q.Get(name) == "" {
			t.Fatalf("the provider sends the browser to %s", callback)
		}
	}
	return q
}

// (F03, F04, F12 for a protocol without a state)
func TestOAuth1CountsOnceInItsBrowserAndForItsFlow(t *testing.T) {
	h := newOAuth1House(t)
	// The session fixation of OAuth 1.0: the victim allows what the attacker has begun.
	attacker, victim := h.start(t, "papers"), NewBrowser(t)
	if q := attacker.authorize.Query(); len(q) != 1 || q.Get("oauth_token") == "" {
		t.Errorf("the browser is sent off with %v", q)
	}
	stolen := victim.Consent(attacker.authorize.String(), Ana, "allow")
	if p := victim.Open(stolen); p.Status != http.StatusForbidden && p.Status != http.StatusGone {
		t.Errorf("the victim's browser comes back to the attacker's flow: %d", p.Status)
	}
	h.nothingTraded(t, "the victim allows the attacker's")
	// The attacker does not know the verifier, which went to the victim's browser.
	told := parametersOf(t, stolen)
	guess := url.Values{"state": told["state"], "oauth_token": told["oauth_token"]}
	if p := attacker.browser.Follow(h.callback(guess)); strings.Contains(p.Body, "Connected as") {
		t.Errorf("without the verifier: %d %s", p.Status, p.Body)
	}
	h.nothingTraded(t, "no verifier")

	// Login CSRF: the victim's own flow gets the attacker's temporary credentials and verifier.
	attacker, other := h.start(t, "papers"), h.start(t, "papers")
	theirs := parametersOf(t, attacker.browser.Consent(attacker.authorize.String(), Ana, "allow"))
	mine := parametersOf(t, other.browser.Consent(other.authorize.String(), Ana, "allow"))
	for what, b := range map[string]*Browser{"no flow of its own": NewBrowser(t), "another flow": other.browser} {
		if p := b.Open(h.callback(theirs)); p.Status != http.StatusForbidden && p.Status != http.StatusGone {
			t.Errorf("a browser with %s: %d", what, p.Status)
		}
	}
	theirs["state"] = mine["state"]
	if p := other.browser.Follow(h.callback(theirs)); strings.Contains(p.Body, "Connected as") {
		t.Errorf("the attacker's credentials under the victim's state: %d %s", p.Status, p.Body)
	}
	if p := other.browser.Follow(h.callback(mine)); strings.Contains(p.Body, "Connected as") {
		t.Errorf("a flow goes on after a forged answer: %d", p.Status)
	}
	h.nothingTraded(t, "the attacker's credentials")

	whole := h.start(t, "papers")
	callback := whole.browser.Consent(whole.authorize.String(), Ana, "allow")
	first := whole.browser.Open(callback)
	if first.Status != http.StatusSeeOther || strings.Contains(first.Location, "oauth_") {
		t.Errorf("the callback leads to %d %s", first.Status, first.Location)
	}
	if p := NewBrowser(t).Open(callback); p.Status != http.StatusGone {
		t.Errorf("a used state in another browser: %d", p.Status)
	}
	if again := whole.browser.Open(callback); again.Location != first.Location {
		t.Errorf("the same callback once more leads to %d %s, want %s", again.Status, again.Location, first.Location)
	}
	var s simulator.Stats
	if h.sim.Stats(t, "papers", &s); s.Token["oauth1"] != 1 || len(h.ConnectionsOf(t, "papers", "somebody")) != 1 {
		t.Errorf("%d trades, %d connections; want one", s.Token["oauth1"], len(h.ConnectionsOf(t, "papers", "somebody")))
	}
	q := parametersOf(t, callback)
	for _, secret := range []string{q.Get("state"), q.Get("oauth_token"), q.Get("oauth_verifier"), told.Get("oauth_verifier")} {
		if strings.Contains(h.Log(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestOAuth1IsBroughtAlongAndSignedFor(t *testing.T) {
	h := newOAuth1House(t)
	bring := func(body map[string]any) Answer {
		body["connector"], body["end_user"], body["access_token"] = "papers", "brings", "brought token"
		return h.Ask(http.MethodPost, "/api/v1/connections", body, nil)
	}
	if a := bring(map[string]any{"token_secret": "s"}); a.Status != http.StatusUnprocessableEntity && a.Status != http.StatusBadRequest {
		t.Errorf("a token that the provider does not know: %d %s", a.Status, a.Body)
	}
	var made struct{ ID string }
	if a := bring(map[string]any{"token_secret": "CANARY & secret", "skip_test": true}); a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	} else {
		a.decode(&made)
	}
	s := h.sign(t, made.ID, map[string]any{"url": "https://papers.example.com/api/x"})
	if got := s.Headers["Authorization"]; !strings.Contains(got, `oauth_token="brought%20token"`) || !strings.Contains(got, `%26CANARY%2520%2526%2520secret"`) {
		t.Errorf("signed with %s", got)
	}
	var live struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		Request     struct {
			Headers map[string]string
			Signed  bool
		}
	}
	if h.Get(t, "/api/v1/connections/"+made.ID+"/token", &live); live.AccessToken != "brought token" || live.TokenType != "OAuth" || !live.Request.Signed || len(live.Request.Headers) != 0 {
		t.Errorf("the token answer says %+v", live)
	}
	if a := h.Ask(http.MethodGet, "/api/v1/connections/"+made.ID, nil, nil); strings.Contains(string(a.Body), "CANARY") {
		t.Errorf("the secret is shown: %s", a.Body)
	}
}
