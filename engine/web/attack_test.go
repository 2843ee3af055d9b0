package web_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"dowel/engine/identity"
)

func TestAFormFromElsewhereDoesNothing(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"stripe"}})
	other := h.session(identity.SessionInput{Connectors: []string{"stripe"}})
	b.get(path).want(http.StatusOK)
	form := func(csrf ...string) url.Values {
		return url.Values{"csrf": csrf, "connector": {"stripe"}, "method": {"secret_key"}, "f.secret_key": {"sk_test_1"}}
	}
	b.post(path+"/start", form()).want(http.StatusForbidden)
	b.post(path+"/start", form("guess")).want(http.StatusForbidden)
	b.post(path+"/start", form(b.get(other).csrf())).want(http.StatusForbidden)
	own := b.get(path).csrf()
	b.post(path+"/start", form(own, own)).want(http.StatusBadRequest)
	b.do("POST", path+"/start", strings.NewReader(form(own).Encode()), "Content-Type", "text/plain").want(http.StatusUnsupportedMediaType)
	if n := len(h.connections()); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestATicketBelongsToTheBrowserThatOpenedItFirst(t *testing.T) {
	h := newHouse(t)
	b, thief := h.browser(), h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"stripe"}})
	own := b.get(path).want(http.StatusOK).csrf()
	thief.get(path).want(http.StatusForbidden)
	thief.post(path+"/start", url.Values{"csrf": {own}, "connector": {"stripe"}, "method": {"secret_key"}, "f.secret_key": {"sk_test_1"}}).want(http.StatusForbidden)
	h.browser().post(path+"/start", url.Values{"csrf": {own}}).want(http.StatusForbidden)
	if n := len(h.connections()); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	b.do("HEAD", h.session(identity.SessionInput{}), nil).want(http.StatusMethodNotAllowed)
}

func TestUnknownUsedAndExpiredStatesAreAnsweredAlike(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}})
	callback := h.consent(b.start(path, "google", nil).leaves(), "allow", "1001")
	b.do("HEAD", callback, nil).want(http.StatusMethodNotAllowed)
	first := b.get(callback).want(http.StatusSeeOther)
	// The browser that began is led to what came of it, however often it comes; others learn nothing.
	if again := b.get(callback).want(http.StatusSeeOther); again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("the second callback leads to %s, the first to %s", again.header.Get("Location"), first.header.Get("Location"))
	}
	used := h.browser().get(callback).want(http.StatusGone)
	for _, other := range []string{
		"/callback?state=unknown&code=abc", "/callback?code=abc", "/callback?state=a&state=b&code=c", "/callback?state=%zz",
		"/callback?state=" + strings.Repeat("a", 4000),
	} {
		if p := b.get(other).want(http.StatusGone); p.body != used.body {
			t.Errorf("%s is answered differently from a used state", other)
		}
	}
	if n := len(h.connections()); n != 1 {
		t.Errorf("%d connections", n)
	}
	if logs := h.logs.String(); strings.Contains(logs, strings.TrimPrefix(path, "/connect/")) || strings.Contains(logs, "code=") {
		t.Errorf("a ticket or a code is in the log:\n%s", logs)
	}
}

func TestACallbackInAnotherBrowserStoresNothingAndTellsNothing(t *testing.T) {
	h := newHouse(t)
	attacker, victim := h.browser(), h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}, ReturnURL: hostOrigin + "/mine", OpenerOrigin: hostOrigin})
	callback := h.consent(attacker.start(path, "google", nil).leaves(), "allow", "1001")
	victim.get(h.session(identity.SessionInput{})).want(http.StatusOK)
	p := victim.get(callback).want(http.StatusForbidden)
	if strings.Contains(p.body, hostOrigin) || strings.Contains(p.body, strings.TrimPrefix(path, "/connect/")) {
		t.Errorf("the other browser learns about the session:\n%s", p.body)
	}
	if n := len(h.connections()); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	if s := h.sim.Stats("google"); s.Token["code"] != 0 {
		t.Errorf("the code was sent to the provider: %+v", s.Token)
	}
	// Nor does it take anything from whoever began.
	attacker.follow(attacker.get(callback)).want(http.StatusOK, "Connected as ana@example.com")
	victim.get(callback).want(http.StatusGone)
	if n := len(h.connections()); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestAScriptIsToldThatItStartsTooMuch(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"stripe"}})
	b.get(path).want(http.StatusOK)
	for range 400 {
		p := b.post(path+"/start", url.Values{}, script...)
		if p.status == http.StatusTooManyRequests {
			if told := p.progress(); told.Status != "failed" || told.Code != "rate-limited" || p.header.Get("Retry-After") == "" {
				t.Errorf("told %+v, Retry-After %q", told, p.header.Get("Retry-After"))
			}
			return
		}
	}
	t.Error("400 starts at once are not too many")
}

func TestTheProvidersWordsAreTextAndNothingElse(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}})
	const attack = `<script>alert(1)</script>"><img src=x onerror=alert(2)>`
	state := stateOf(t, b.start(path, "google", nil).leaves())
	p := b.follow(b.get("/callback?" + url.Values{"state": {state}, "error": {"server_problem" + attack}, "error_description": {attack}}.Encode()))
	p.want(http.StatusOK)
	if strings.Contains(p.body, "<script>alert") || strings.Contains(p.body, "<img src=x") {
		t.Errorf("the provider's words are markup:\n%s", p.body)
	}
	if !strings.Contains(p.body, html.EscapeString("<script>alert(1)</script>")) {
		t.Errorf("the provider's words are not quoted:\n%s", p.body)
	}
	protected(t, p)
}

func TestDuplicatedParametersAreRefusedBeforeTheCodeIsSent(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}})
	state := stateOf(t, b.start(path, "google", nil).leaves())
	b.follow(b.get("/callback?state=" + state + "&code=a&code=b")).want(http.StatusOK)
	if s := h.sim.Stats("google"); s.Token["code"] != 0 || len(h.connections()) != 0 {
		t.Errorf("the code was sent to the provider: %+v", s.Token)
	}
	b.get(path + "?connector=google&connector=stripe").want(http.StatusBadRequest)
}

func TestAPostedAnswerIsForConnectorsThatAskForIt(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}})
	callback, err := url.Parse(h.consent(b.start(path, "google", nil).leaves(), "allow", "1001"))
	h.must(err)
	b.follow(b.post("/callback", callback.Query())).want(http.StatusOK)
	if s := h.sim.Stats("google"); s.Token["code"] != 0 || len(h.connections()) != 0 {
		t.Errorf("an answer that was not asked for by POST counts: %+v", s.Token)
	}
}

func TestTheReturnAddressIsOneOfTheTenants(t *testing.T) {
	h := newHouse(t)
	for _, bad := range []string{
		"https://evil.example/", "https://app.example.com.evil.example/", "https://app.example.com@evil.example/",
		"//evil.example/", "javascript:alert(1)", "https://app.example.com\\@evil.example", "http://app.example.com/",
	} {
		_, err := h.engine.Identity.CreateConnectSession(t.Context(), h.operator, identity.SessionInput{EndUser: "u", ReturnURL: bad})
		if err == nil {
			t.Errorf("a session returns to %s", bad)
		}
	}
	path := h.session(identity.SessionInput{Connectors: []string{"stripe"}, ReturnURL: hostOrigin + "/a?dowel_status=forged&x=1"})
	p := h.browser().get(path + "?return_url=https://evil.example/").want(http.StatusOK)
	if strings.Contains(p.body, "evil.example") || strings.Contains(p.body, "forged") {
		t.Errorf("the page leads where the address says:\n%s", p.body)
	}
}

func TestADoubleClickMakesOneConnection(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"datadog"}}) // it names no account to know twins by
	form := url.Values{
		"csrf": {b.get(path).csrf()}, "connector": {"datadog"}, "method": {"keys"},
		"f.site": {"datadoghq.com"}, "f.api_key": {"0123456789abcdef0123456789abcdef"}, "f.application_key": {"0123456789abcdef0123456789abcdef01234567"},
	}
	k, err := h.catalog.Current(t.Context(), "", "datadog")
	h.must(err)
	form.Set("method", k.Auth[0].ID)
	for _, f := range k.Auth[0].Fields {
		if !form.Has("f." + f.Name) {
			t.Fatalf("the form lacks %s", f.Name)
		}
	}
	var clicks sync.WaitGroup
	for range 4 {
		clicks.Go(func() { b.post(path+"/start", form) })
	}
	clicks.Wait()
	if made := h.connections(); len(made) != 1 {
		t.Errorf("%d connections were made", len(made))
	}
	b.post(path+"/start", form).want(http.StatusOK, "Datadog is connected") // the back button, and once more
	if made := h.connections(); len(made) != 1 {
		t.Errorf("%d connections after the back button", len(made))
	}
}

func TestAFlowOfAnotherSessionDoesNotExist(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	one, two := h.session(identity.SessionInput{Connectors: []string{"google"}}), h.session(identity.SessionInput{Connectors: []string{"google"}})
	p := b.start(one, "google", nil, script...).progress()
	b.get(two).want(http.StatusOK)
	b.get(two + "/status?flow=" + p.Flow).want(http.StatusNotFound)
	b.get(two + "/result?flow=" + p.Flow).want(http.StatusNotFound)
	b.get(one + "/status?flow=" + p.Flow).want(http.StatusOK)
}

func TestTwoTabsBothSucceed(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	one, two := h.session(identity.SessionInput{Connectors: []string{"google"}}), h.session(identity.SessionInput{Connectors: []string{"github"}})
	first, second := b.start(one, "google", nil).leaves(), b.start(two, "github", nil).leaves()
	b.follow(b.get(h.consent(second, "allow", "1001"))).want(http.StatusOK, "Connected as")
	b.follow(b.get(h.consent(first, "allow", "1001"))).want(http.StatusOK, "Connected as")
	if n := len(h.connections()); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestGuessingTicketsIsSlowedDown(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	limited := false
	for range 100 {
		limited = limited || b.get("/connect/guess").status == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("a hundred guesses in a row are all answered")
	}
}

// stateOf is the state parameter of the address the browser is sent to.
func stateOf(t *testing.T, authorize string) string {
	t.Helper()
	u, err := url.Parse(authorize)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("state")
}
