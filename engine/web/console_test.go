package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"dowel/engine/connection"
	"dowel/engine/identity"
)

// signIn opens the console in a new browser.
func (h *house) signIn() *browser {
	h.t.Helper()
	link, err := h.engine.Identity.ConsoleLink(h.t.Context(), "acme", "olga")
	h.must(err)
	b := h.browser()
	token := strings.TrimPrefix(link, public+"/console/open?link=")
	b.post("/console/login", url.Values{"csrf": {b.get(link).want(http.StatusOK).csrf()}, "token": {token}}).want(http.StatusSeeOther)
	return b
}

// press posts a form of a page in the console.
func (b *browser) press(at, action string, form url.Values) page {
	b.h.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	form.Set("csrf", b.get(at).csrf())
	return b.post(action, form)
}

func (h *house) connected() connection.View {
	h.t.Helper()
	b := h.browser()
	path := h.session(identity.SessionInput{Connectors: []string{"google"}})
	b.follow(b.get(h.consent(b.start(path, "google", nil).leaves(), "allow", "1001"))).want(http.StatusOK)
	return h.connections()[0]
}

func TestALinkOpensTheConsoleOnce(t *testing.T) {
	h := newHouse(t)
	link, err := h.engine.Identity.ConsoleLink(t.Context(), "acme", "olga")
	h.must(err)
	b := h.browser()
	opened := b.get(link).want(http.StatusOK)
	b.get(link).want(http.StatusOK) // looking at it does not spend it
	token := strings.TrimPrefix(link, public+"/console/open?link=")
	b.post("/console/login", url.Values{"token": {token}}).want(http.StatusForbidden)
	b.follow(b.post("/console/login", url.Values{"csrf": {opened.csrf()}, "token": {token}})).want(http.StatusOK, "Acme Workflows", "olga")
	other := h.browser()
	other.post("/console/login", url.Values{"csrf": {other.get(link).csrf()}, "token": {token}}).want(http.StatusGone)
	session := b.cookies["dowel_console"]
	b.follow(b.press("/console", "/console/logout", nil).want(http.StatusSeeOther)).want(http.StatusOK, "You are signed out")
	b.cookies["dowel_console"] = session
	b.get("/console").want(http.StatusUnauthorized)
}

func TestNothingInTheConsoleWorksSignedOutOrForged(t *testing.T) {
	h := newHouse(t)
	c := h.connected()
	at := "/console/connections/" + c.ID
	op := h.signIn()
	posts := []string{
		at + "/refresh", at + "/test", at + "/enable", at + "/disable", at + "/rename", at + "/reconnect", at + "/disconnect",
		"/console/connectors/google/connect", "/console/connectors/google/apps", "/console/apps/x/secret", "/console/apps/x/delete",
		"/console/keys", "/console/keys/x/revoke", "/console/logout",
	}
	for _, path := range posts {
		h.browser().post(path, url.Values{}).want(http.StatusUnauthorized)
		op.post(path, url.Values{"name": {"x"}}).want(http.StatusForbidden)
		op.post(path, url.Values{"csrf": {"guess"}}).want(http.StatusForbidden)
		if p := op.get(path); p.status < 400 && !strings.HasSuffix(path, "/disconnect") && path != "/console/keys" {
			t.Errorf("GET %s: %d", path, p.status)
		}
	}
	if now := h.connections()[0]; now.Status != c.Status || now.Version != c.Version || now.Name != c.Name {
		t.Errorf("the connection changed: %+v", now)
	}
}

func TestAnOperatorKeepsAConnection(t *testing.T) {
	h := newHouse(t)
	c := h.connected()
	op, at := h.signIn(), "/console/connections/"+c.ID
	op.get("/console").want(http.StatusOK)
	op.get("/console/connections").want(http.StatusOK, "ana@example.com")
	op.get("/console/connections?status=disabled&connector=google").want(http.StatusOK)
	op.get(at).want(http.StatusOK, "ana@example.com", "$DOWEL_API_KEY", "/api/v1/connections/"+c.ID+"/token")
	op.follow(op.press(at, at+"/refresh", nil)).want(http.StatusOK, "The token has been refreshed.")
	if v := h.connections()[0].Version; v <= c.Version {
		t.Errorf("version %d after a refresh of %d", v, c.Version)
	}
	op.follow(op.press(at, at+"/test", nil)).want(http.StatusOK, "The test passed")
	op.follow(op.press(at, at+"/rename", url.Values{"name": {`Ana <b>"`}})).want(http.StatusOK, `Ana <b>"`)
	op.press(at, at+"/rename", url.Values{"name": {""}}).want(http.StatusUnprocessableEntity)
	op.follow(op.press(at, at+"/disable", nil)).want(http.StatusOK)
	op.press(at, at+"/refresh", nil).want(http.StatusUnprocessableEntity, "That did not work")
	op.follow(op.press(at, at+"/enable", nil)).want(http.StatusOK)
	op.press(at+"/disconnect", at+"/disconnect", url.Values{"confirm": {"yes"}}).want(http.StatusUnprocessableEntity)
	op.follow(op.press(at+"/disconnect", at+"/disconnect", url.Values{"confirm": {`Ana <b>"`}})).want(http.StatusOK)
	if s := h.connections()[0].Status; s != connection.Revoked {
		t.Errorf("status %s after disconnecting", s)
	}
	op.get("/console/connections/conn_UNKNOWN").want(http.StatusNotFound)
}

func TestAnOperatorConnectsAndReconnects(t *testing.T) {
	h := newHouse(t)
	op := h.signIn()
	page := op.press("/console/connectors/google", "/console/connectors/google/connect", url.Values{"end_user": {"olga"}})
	path := page.want(http.StatusSeeOther).header.Get("Location")
	done := op.follow(op.get(h.consent(op.start(path, "google", nil).leaves(), "allow", "1001"))).want(http.StatusOK)
	back := html.UnescapeString(regexp.MustCompile(`data-return-url="([^"]+)"`).FindStringSubmatch(done.body)[1])
	c := h.connections()[0]
	op.follow(op.get(back)).want(http.StatusOK, c.ID)
	at := "/console/connections/" + c.ID
	path = op.press(at, at+"/reconnect", nil).want(http.StatusSeeOther).header.Get("Location")
	op.follow(op.get(h.consent(op.start(path, "google", nil).leaves(), "allow", "1001"))).want(http.StatusOK)
	if after := h.connections(); len(after) != 1 || after[0].Version <= c.Version {
		t.Errorf("after reconnecting: %+v", after)
	}
	op.press("/console/connectors/google", "/console/connectors/google/connect", nil).want(http.StatusUnprocessableEntity)
}

func TestAnOperatorKeepsAppsAndKeys(t *testing.T) {
	h := newHouse(t)
	op, at := h.signIn(), "/console/connectors/google"
	const key = canary + "-new-secret"
	op.press(at, at+"/apps", url.Values{"name": {"Ours"}, "client_id": {""}, "client_secret": {key}}).want(http.StatusUnprocessableEntity, "Ours", "is required")
	op.follow(op.press(at, at+"/apps", url.Values{"name": {"Ours"}, "client_id": {"id-1"}, "client_secret": {key}})).want(http.StatusOK, "Ours")
	if p := op.get(at); strings.Contains(p.body, key) {
		t.Error("the page shows the app's secret")
	}
	apps, err := h.engine.Connections.Apps(t.Context(), h.operator, "google")
	h.must(err)
	id := apps[1].ID
	op.follow(op.press(at, "/console/apps/"+id+"/secret", url.Values{"client_secret": {key}})).want(http.StatusOK)
	op.follow(op.press(at, "/console/apps/"+id+"/delete", nil)).want(http.StatusOK)
	op.press(at, "/console/apps/"+id+"/delete", nil).want(http.StatusNotFound)

	op.press("/console/keys", "/console/keys", url.Values{"name": {"worker"}}).want(http.StatusUnprocessableEntity, "At least one scope")
	made := op.press("/console/keys", "/console/keys", url.Values{"name": {"worker"}, "scope": {"token:read"}, "expires": {"30"}}).want(http.StatusOK)
	text := regexp.MustCompile(`dowel_[A-Z2-7]{52}`).FindString(made.body)
	if _, err := h.engine.Identity.Workload(t.Context(), text); err != nil {
		t.Errorf("the key that is shown does not work: %v", err)
	}
	listed := op.get("/console/keys").want(http.StatusOK, "worker")
	if text == "" || strings.Contains(listed.body, text) {
		t.Error("the key is shown more than once")
	}
	action := regexp.MustCompile(`/console/keys/key_[A-Z2-7]+/revoke`).FindString(listed.body)
	op.follow(op.press("/console/keys", action, nil)).want(http.StatusOK)
	if _, err := h.engine.Identity.Workload(t.Context(), text); err == nil {
		t.Error("a revoked key works")
	}
}

func TestAnotherTenantsConnectionsDoNotExist(t *testing.T) {
	h := newHouse(t)
	c := h.connected()
	h.must(h.engine.Identity.EnsureTenant(t.Context(), "other", "Other"))
	link, err := h.engine.Identity.ConsoleLink(t.Context(), "other", "oscar")
	h.must(err)
	b := h.browser()
	token := strings.TrimPrefix(link, public+"/console/open?link=")
	b.post("/console/login", url.Values{"csrf": {b.get(link).csrf()}, "token": {token}}).want(http.StatusSeeOther)
	at := "/console/connections/" + c.ID
	b.get(at).want(http.StatusNotFound)
	for _, act := range []string{"refresh", "test", "disable", "enable", "reconnect", "disconnect"} {
		b.press("/console", at+"/"+act, url.Values{"confirm": {c.Name}}).want(http.StatusNotFound)
	}
	if p := b.get("/console/connections").want(http.StatusOK); strings.Contains(p.body, c.ID) {
		t.Error("another tenant's connection is listed")
	}
	if now := h.connections()[0]; now.Status != c.Status || now.Version != c.Version {
		t.Errorf("the connection changed: %+v", now)
	}
}

func TestStaticFilesMayBeKeptForEver(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	name := regexp.MustCompile(`/static/connect\.[0-9a-f]+\.js`).FindString(b.get(h.session(identity.SessionInput{Connectors: []string{"google"}})).body)
	p := b.get(name).want(http.StatusOK)
	if c := p.header.Get("Cache-Control"); !strings.Contains(c, "immutable") || !strings.HasPrefix(p.header.Get("Content-Type"), "text/javascript") {
		t.Errorf("%s: %v", name, p.header)
	}
	for _, bad := range []string{"/static/connect.js", "/static/..%2fui.go", "/static/", "/static/%2e%2e"} {
		if p := b.get(bad); p.status != http.StatusNotFound {
			t.Errorf("%s: %d", bad, p.status)
		}
	}
}
