package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dowel/engine/connection"
	"dowel/engine/identity"
)

func TestPressingConnectLeadsThroughTheProviderToAConnection(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}, ReturnURL: hostOrigin + "/done?tab=2"})
	authorize := b.start(path, "google", nil).want(http.StatusOK).leaves()
	callback := b.get(h.consent(authorize, "allow", "1001"))
	clean := callback.want(http.StatusSeeOther).header.Get("Location")
	if !strings.HasPrefix(clean, path+"/result?flow=flow_") || strings.Contains(clean, "state") || strings.Contains(clean, "code") {
		t.Errorf("the callback moves on to %s: not a clean address", clean)
	}
	made := h.connections()
	if len(made) != 1 || made[0].Identity.Email != "ana@example.com" || made[0].EndUser != "user-7" {
		t.Fatalf("connections: %+v", made)
	}
	back := hostOrigin + "/done?connection=" + made[0].ID + "&dowel_status=connected&tab=2"
	b.get(clean).want(http.StatusOK, "Connected as ana@example.com", back)
	b.get(path).want(http.StatusOK, "Connected as ana@example.com", back)
	h.browser().get(path).want(http.StatusGone)
}

func TestAScriptIsToldWhereTheFlowStands(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"github"}})
	started := b.start(path, "github", nil, script...).want(http.StatusOK).progress()
	if started.Status != "pending" || started.URL == "" {
		t.Fatalf("start: %+v", started)
	}
	status := path + "/status?flow=" + started.Flow
	if p := b.get(status, script...).progress(); p.Status != "pending" {
		t.Errorf("status before the consent: %+v", p)
	}
	b.follow(b.get(h.consent(started.URL, "allow", "1001")))
	p := b.get(status, script...).progress()
	if p.Status != "done" || p.Connection != h.connections()[0].ID || p.ConnectedAs == "" {
		t.Errorf("status after the consent: %+v", p)
	}
	if p := h.browser().get(status, script...); p.status != http.StatusGone {
		t.Errorf("another browser is told %d %s", p.status, p.body)
	}
}

func TestDenialIsToldAsTheProvidersWordsAndChangesNothing(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}})
	authorize := b.start(path, "google", nil).leaves()
	b.follow(b.get(h.consent(authorize, "deny", "1001"))).want(http.StatusOK, "You chose not to allow access")
	if n := len(h.connections()); n != 0 {
		t.Errorf("%d connections after a denial", n)
	}
	// The session is not used: the person may think again.
	authorize = b.start(path, "google", nil).leaves()
	b.follow(b.get(h.consent(authorize, "allow", "1001"))).want(http.StatusOK, "Connected as")
}

func TestATypedKeyIsTriedAtOnce(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"stripe"}})
	const wrong = "sk_test_wrong_" + canary
	p := b.start(path, "stripe", map[string]string{"secret_key": wrong, "stripe_account": "acct_123"}).want(http.StatusUnprocessableEntity, "acct_123", `aria-invalid="true"`)
	if strings.Contains(p.body, wrong) {
		t.Error("the page repeats the key that was typed")
	}
	if p := b.start(path, "stripe", map[string]string{"secret_key": wrong}, script...).progress(); p.Status != "invalid" || p.Errors["secret_key"] == "" {
		t.Errorf("a script is told %+v", p)
	}
	if p := b.start(path, "stripe", map[string]string{"secret_key": "nothing like it"}); !strings.Contains(p.body, "does not look right") {
		t.Errorf("a key of the wrong form is answered with\n%s", p.body)
	}
	done := b.start(path, "stripe", map[string]string{"secret_key": "sk_test_" + canary})
	b.follow(done.want(http.StatusSeeOther)).want(http.StatusOK, "Connected as")
	if logs := h.logs.String(); strings.Contains(logs, canary) {
		t.Errorf("a secret is in the log:\n%s", logs)
	}
}

func TestCheckSaysWhichFieldsAreWrong(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"stripe"}})
	token := b.get(path).csrf()
	p := b.post(path+"/check", url.Values{"csrf": {token}, "connector": {"stripe"}, "method": {"secret_key"}, "f.secret_key": {"sk_test_1"}, "f.stripe_account": {"nope"}}, script...)
	if p.want(http.StatusOK); !strings.Contains(p.body, `"stripe_account"`) || strings.Contains(p.body, `"secret_key"`) {
		t.Errorf("check: %s", p.body)
	}
}

func TestADownProviderLetsThePersonKeepTheKeyUnverified(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"stripe"}})
	h.sim.Set("stripe", fault("api", "status"))
	asked := b.follow(b.start(path, "stripe", map[string]string{"secret_key": "sk_test_" + canary}).want(http.StatusSeeOther))
	asked.want(http.StatusOK, path+"/save")
	id := hiddenField(asked, "flow")
	b.follow(b.post(path+"/save", url.Values{"csrf": {asked.csrf()}, "flow": {id}})).want(http.StatusOK)
	if made := h.connections(); len(made) != 1 || !made[0].Unverified || made[0].Status != connection.Active {
		t.Errorf("connections: %+v", made)
	}
}

func TestAChoiceAfterConnectingIsAskedAndKept(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"xero"}})
	authorize := b.start(path, "xero", nil).leaves()
	asked := b.follow(b.get(h.consent(authorize, "allow", "1001"))).want(http.StatusOK, "Organisation")
	value := hiddenField(asked, "choice")
	b.follow(b.post(path+"/choose", url.Values{"csrf": {asked.csrf()}, "flow": {hiddenField(asked, "flow")}, "choice": {value}})).want(http.StatusOK, "Connected as")
	if made := h.connections(); len(made) != 1 || made[0].Captured["tenant_id"] != value {
		t.Errorf("connections: %+v, want the tenant %s", made, value)
	}
}

func TestReconnectingWithAnotherAccountIsNotSilent(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}})
	b.follow(b.get(h.consent(b.start(path, "google", nil).leaves(), "allow", "1001")))
	first := h.connections()[0]

	path = h.session(identity.SessionInput{Connectors: []string{"google"}, Connection: first.ID})
	asked := b.follow(b.get(h.consent(b.start(path, "google", nil).leaves(), "allow", "1002")))
	asked.want(http.StatusOK, "ana@example.com", "ben@example.com")
	if made := h.connections(); len(made) != 1 || made[0].Identity.Email != "ana@example.com" || made[0].Version != first.Version {
		t.Fatalf("before the answer: %+v", made)
	}
	b.follow(b.post(path+"/choose", url.Values{"csrf": {asked.csrf()}, "flow": {hiddenField(asked, "flow")}, "choice": {"keep_both"}})).want(http.StatusOK, "ben@example.com")
	if n := len(h.connections()); n != 2 {
		t.Errorf("%d connections after keeping both", n)
	}
}

func TestThePickerOffersWhatTheSessionAllows(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google", "stripe"}})
	p := b.get(path).want(http.StatusOK, "Google", "Stripe")
	if strings.Contains(p.body, "GitHub") {
		t.Error("the picker offers what the session does not allow")
	}
	if got := b.get(path+"?q=strip").want(http.StatusOK, "1 of 2").listed(); !slices.Equal(got, []string{"stripe"}) {
		t.Errorf("the search shows %v", got)
	}
	b.get(path + "?connector=github").want(http.StatusForbidden)
	token := b.get(path + "?connector=google").csrf()
	b.post(path+"/start", url.Values{"csrf": {token}, "connector": {"github"}, "method": {"oauth"}}).want(http.StatusForbidden)
}
