package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"dowel/engine/storage/mongo/mongotestproc"
)

// twoTenants is one instance with two tenants, each with a connection and an app, whose secrets hold a
// word that nothing but a token answer may show.
type twoTenants struct {
	*Instance
	mine, theirs          Door
	id, app, key, session string // theirs
	own                   string // mine
}

const hidden = "CANARY-hunter2"

func newTwoTenants(t *testing.T) *twoTenants {
	t.Helper()
	t.Parallel()
	i := Serve(t)
	h := &twoTenants{Instance: i, mine: i.Door, theirs: i.As(i.Key(t, "other", AllScopes))}
	h.own = h.mine.importStripe(t, "sk_test_"+hidden+"-mine")
	h.id = h.theirs.importStripe(t, "sk_test_"+hidden+"-theirs")
	a := h.theirs.Ask(http.MethodPost, "/api/v1/apps", map[string]any{"connector": "google", "name": "theirs", "client_id": "me", "client_secret": hidden}, nil)
	var app App
	a.decode(&app)
	var keys struct {
		Keys []struct {
			ID string `json:"id"`
		} `json:"api_keys"`
	}
	h.theirs.Get(t, "/api/v1/api-keys", &keys)
	if app.ID == "" || len(keys.Keys) == 0 {
		t.Fatalf("the other tenant: app %s, keys %+v", a.Body, keys)
	}
	var session struct{ ID string }
	h.theirs.Ask(http.MethodPost, "/api/v1/connect-sessions", map[string]any{"end_user": "somebody"}, nil).decode(&session)
	if session.ID == "" {
		t.Fatal("the other tenant has no connect session")
	}
	h.app, h.key, h.session = app.ID, keys.Keys[0].ID, session.ID
	return h
}

// (T01)
func TestNobodyIsAnsweredWithoutAGoodKey(t *testing.T) {
	h := newTwoTenants(t)
	path := "/api/v1/connections/" + h.own + "/token"
	nobody := h.As("")
	first := nobody.Ask(http.MethodGet, path, nil, nil)
	requests := map[string]http.Header{
		"an empty key": {"Authorization": {"Bearer "}}, "another scheme": {"Authorization": {"Basic " + h.APIKey}}, "no scheme": {"Authorization": {h.APIKey}},
		"a wrong key": {"Authorization": {"Bearer dowel_" + strings.Repeat("A", 52)}}, "half a key": {"Authorization": {"Bearer " + h.APIKey[:30]}},
		"another header": {"X-Api-Key": {h.APIKey}}, "a cookie": {"Cookie": {"dowel_console=" + h.APIKey}}, "two keys": {"Authorization": {"Bearer " + h.APIKey + ", Bearer x"}},
	}
	for name, header := range requests {
		a := nobody.Ask(http.MethodGet, path, nil, header)
		if a.Status != http.StatusUnauthorized || !bytes.Equal(a.Body, first.Body) || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	for _, query := range []string{"?api_key=", "?access_token=", "?force=true&api_key="} {
		if a := h.mine.Ask(http.MethodGet, path+query+h.APIKey, nil, nil); a.Status != http.StatusUnauthorized || !bytes.Equal(a.Body, first.Body) {
			t.Errorf("a key in the address, although it is right: %d %s", a.Status, a.Body)
		}
	}
	for _, open := range []string{"/metrics", "/debug/pprof/", "/debug/vars", "/api/v1/debug", "/openapi.json", "/.env", "/api/v1/tenants"} { // T24
		if a := nobody.Ask(http.MethodGet, open, nil, nil); a.Status == http.StatusOK {
			t.Errorf("%s is open: %.200s", open, a.Body)
		}
	}
}

var idInBody = regexp.MustCompile(`(conn|app|key|cs)_[A-Z2-7]+`)

// What is another tenant's does not exist, whatever is done to it, and looks like what never was. (T02–T04)
func TestAnotherTenantsRecordsDoNotExist(t *testing.T) {
	h := newTwoTenants(t)
	tests := []struct {
		method, path string
		body         any
	}{
		{"GET", "/connections/ID", nil},
		{"GET", "/connections/ID/token", nil},
		{"GET", "/connections/ID/token?force=true", nil},
		{"GET", "/connections/ID/events", nil},
		{"PATCH", "/connections/ID", map[string]any{"disabled": true}},
		{"POST", "/connections/ID/refresh", nil},
		{"POST", "/connections/ID/test", nil},
		{"POST", "/connections/ID/sign", map[string]any{"url": "https://api.stripe.com/v1/account"}},
		{"POST", "/connections/ID/disconnect", nil},
		{"DELETE", "/connections/ID", nil},
		{"POST", "/connect-sessions", map[string]any{"end_user": "somebody", "connection": "ID"}},
		{"GET", "/connect-sessions/SESSION", nil},
		{"POST", "/connect-sessions/SESSION/start", map[string]any{"connector": "stripe", "method": "secret_key"}},
		{"POST", "/connect-sessions/SESSION/answer", map[string]any{"value": "x"}},
		{"PATCH", "/apps/APP", map[string]any{"client_secret": "mine"}},
		{"DELETE", "/apps/APP", nil},
		{"DELETE", "/api-keys/KEY", nil},
	}
	fill := func(s string, ids ...string) string {
		return strings.NewReplacer("ID", ids[0], "APP", ids[1], "KEY", ids[2], "SESSION", ids[3]).Replace(s)
	}
	for _, tt := range tests {
		ask := func(ids ...string) Answer {
			var body any
			if tt.body != nil {
				b, _ := json.Marshal(tt.body)
				body = []byte(fill(string(b), ids...))
			}
			return h.mine.Ask(tt.method, "/api/v1"+fill(tt.path, ids...), body, nil)
		}
		a := ask(h.id, h.app, h.key, h.session)
		none := ask("conn_AAAAAAAAAAAAAAAAAAAAAAAAAA", "app_AAAAAAAAAAAAAAAAAAAAAAAAAA", "key_AAAAAAAAAAAAAAAAAAAAAAAAAA", "cs_AAAAAAAAAAAAAAAAAAAAAAAAAA")
		if a.Status != http.StatusNotFound || !bytes.Equal(idInBody.ReplaceAll(a.Body, nil), idInBody.ReplaceAll(none.Body, nil)) || none.Status != a.Status {
			t.Errorf("%s %s: %d %s; for one that never was: %d %s", tt.method, tt.path, a.Status, a.Body, none.Status, none.Body)
		}
	}
	forged := http.Header{"X-Tenant": {"other"}, "X-Tenant-Id": {"other"}, "Dowel-Tenant": {"other"}, "X-Forwarded-User": {"other"}}
	for _, query := range []string{"", "?tenant=other", "?tenant_id=other"} {
		if a := h.mine.Ask(http.MethodGet, "/api/v1/connections/"+h.id+query, nil, forged); a.Status != http.StatusNotFound {
			t.Errorf("the tenant is taken from the request %s: %d", query, a.Status)
		}
		var list struct{ Connections []Connection }
		h.mine.Ask(http.MethodGet, "/api/v1/connections"+query, nil, forged).decode(&list)
		if len(list.Connections) != 1 || list.Connections[0].ID != h.own {
			t.Errorf("the list %s is %+v", query, list)
		}
	}
	if token, a := h.theirs.Token(h.id, ""); a.Status != http.StatusOK || !strings.Contains(token.AccessToken, "theirs") {
		t.Errorf("the other tenant's connection was changed: %d %s", a.Status, a.Body)
	}
	if v := h.theirs.Connection(t, h.id); v.Status != "active" {
		t.Errorf("the other tenant's connection is %s", v.Status)
	}
}

// Secrets are in token answers and nowhere else. (T05, T06, T07, T14, T23)
func TestOnlyTheTokenRouteShowsSecrets(t *testing.T) {
	h := newTwoTenants(t)
	reader := h.As(h.Key(t, "other", "connectors:read,connections:read,apps:read,events:read,api_keys:read"))
	paths := []string{
		"/connections", "/connections/" + h.id, "/connections/" + h.id + "/events", "/apps", "/api-keys", "/events", "/tenant", "/connectors", "/connectors/stripe",
		"/connections?limit=200&connector=stripe", "/connections/" + h.id + "?expand=credential&include=secrets&fields=*", "/connections/export", "/export",
	}
	for _, path := range paths {
		a := h.theirs.Ask(http.MethodGet, "/api/v1"+path, nil, nil)
		if strings.Contains(string(a.Body), "CANARY") || strings.Contains(string(a.Body), h.theirs.APIKey) {
			t.Errorf("%s shows a secret: %s", path, a.Body)
		}
		if a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Etag") != "" {
			t.Errorf("%s: headers %v", path, a.Header)
		}
	}
	for _, path := range []string{"/connections/" + h.id + "/token", "/connections/" + h.id + "/token?force=true"} {
		if a := reader.Ask(http.MethodGet, "/api/v1"+path, nil, nil); a.Status != http.StatusForbidden || strings.Contains(string(a.Body), "CANARY") {
			t.Errorf("a key without token:read reads a token: %d %s", a.Status, a.Body)
		}
	}
	if a := reader.Ask(http.MethodPost, "/api/v1/connections/"+h.id+"/sign", map[string]any{"url": "https://api.stripe.com/v1/account"}, nil); a.Status != http.StatusForbidden || strings.Contains(string(a.Body), "CANARY") {
		t.Errorf("a key without token:read has a request signed: %d %s", a.Status, a.Body)
	}
	for method, path := range map[string]string{"DELETE": "/connections/" + h.id, "POST": "/connections/" + h.id + "/disconnect", "PATCH": "/connections/" + h.id} {
		if a := reader.Ask(method, "/api/v1"+path, map[string]any{"disabled": true}, nil); a.Status != http.StatusForbidden {
			t.Errorf("a key that may read does %s %s: %d %s", method, path, a.Status, a.Body)
		}
	}
	more := map[string]any{"name": "more", "scopes": []string{"token:read"}}
	climber := h.As(h.Key(t, "other", "api_keys:write"))
	if a := climber.Ask(http.MethodPost, "/api/v1/api-keys", more, nil); a.Status != http.StatusForbidden {
		t.Errorf("a key gives more than it has: %d %s", a.Status, a.Body)
	}
	a := h.theirs.Ask(http.MethodGet, "/api/v1/connections/"+h.id+"/token", nil, http.Header{"Accept-Encoding": {"gzip"}, "Origin": {"https://evil.example"}})
	if a.Status != http.StatusOK || !strings.Contains(string(a.Body), "CANARY") || a.Header.Get("Cache-Control") != "no-store" ||
		a.Header.Get("Etag") != "" || a.Header.Get("Content-Encoding") != "" || a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the token route: %d %v", a.Status, a.Header)
	}
}

// (T08, T09, T15–T17)
func TestOddRequestsAreRefusedAndChangeNothing(t *testing.T) {
	h := newTwoTenants(t)
	good := `{"connector":"stripe","end_user":"odd","skip_test":true,"answers":{"secret_key":"sk_test_1"}`
	tests := []struct {
		name, method, path, body, contentType string
		want                                  int
	}{
		{"an operator for a value", "POST", "/connections", `{"connector":{"$ne":""},"end_user":"odd","skip_test":true}`, "application/json", 400},
		{"an operator for a person", "POST", "/connections", `{"connector":"stripe","end_user":{"$gt":""},"answers":{}}`, "application/json", 400},
		{"an operator for an answer", "POST", "/connections", `{"connector":"stripe","end_user":"odd","skip_test":true,"answers":{"secret_key":{"$ne":1}}}`, "application/json", 400},
		{"a list for a value", "POST", "/connect-sessions", `{"end_user":["odd"],"connectors":["stripe"]}`, "application/json", 400},
		{"an operator in the path", "GET", `/connections/%7B%22$gt%22%3A%22%22%7D/token`, "", "", 404},
		{"a tenant of one's choice", "POST", "/connections", good + `,"tenant":"other"}`, "application/json", 400},
		{"a status of one's choice", "PATCH", "/connections/OWN", `{"status":"active","credential":"x"}`, "application/json", 400},
		{"a version of one's choice", "PATCH", "/connections/OWN", `{"name":"x","version":99}`, "application/json", 400},
		{"two objects", "POST", "/connections", good + `}{}`, "application/json", 400},
		{"a form", "POST", "/connections", `connector=stripe&end_user=odd`, "application/x-www-form-urlencoded", 415},
		{"plain text", "POST", "/connections", good + `}`, "text/plain", 415},
		{"no type", "POST", "/connections", good + `}`, "", 415},
		{"another method in a header", "GET", "/connections/OWN", "", "override", 200},
		{"another method in the address", "GET", "/connections/OWN?_method=DELETE", "", "", 200},
		{"HEAD of a token", "HEAD", "/connections/OWN/token", "", "", 404},
		{"POST of a token", "POST", "/connections/OWN/token", "", "", 404},
		{"TRACE", "TRACE", "/connections/OWN", "", "", 404},
		{"a large body", "POST", "/connections", `{"connector":"` + strings.Repeat("x", 2<<20) + `"}`, "application/json", 413},
	}
	for _, tt := range tests {
		header := http.Header{"Content-Type": {tt.contentType}}
		if tt.contentType == "override" {
			header = http.Header{"X-Http-Method-Override": {"DELETE"}, "X-Method-Override": {"DELETE"}}
		}
		var body any
		if tt.body != "" {
			body = []byte(tt.body)
		}
		a := h.mine.Ask(tt.method, "/api/v1"+strings.ReplaceAll(tt.path, "OWN", h.own), body, header)
		hungUp := tt.want == http.StatusRequestEntityTooLarge && a.Status == 0 // before it was all sent
		if a.Status != tt.want && !hungUp && !(tt.want == 404 && a.Status == http.StatusMethodNotAllowed) || strings.Contains(string(a.Body), "CANARY") {
			t.Errorf("%s: %d %s, want %d", tt.name, a.Status, a.Body, tt.want)
		}
	}
	nobody := h.As("")
	for _, path := range []string{ // T16
		"//api/v1/connections", "/api/v1//connections", "/api/v1/../v1/connections", "/api/v1/./connections", "/API/V1/connections", "/api/v1/connections/",
		"/healthz/../api/v1/connections", "/healthz%2f..%2fapi%2fv1%2fconnections", "/api/v1/connections;x=1", "/api/v1/connections/" + h.own + "/token/",
		"/API/V1/CONNECTIONS/" + h.own + "/TOKEN", "/api/v1/connections/" + h.own + "%2ftoken", "/static/../api/v1/connections", "/callback/../api/v1/connections",
	} {
		if a := nobody.Ask(http.MethodGet, path, nil, nil); a.Status == http.StatusOK {
			t.Errorf("%s without a key: %.200s", path, a.Body)
		}
		if a := h.mine.Ask(http.MethodGet, strings.ReplaceAll(path, h.own, h.id), nil, nil); strings.Contains(string(a.Body), h.id) || strings.Contains(string(a.Body), "theirs") {
			t.Errorf("%s shows another tenant's: %.200s", path, a.Body)
		}
	}
	var list struct{ Connections []Connection }
	if h.mine.Get(t, "/api/v1/connections", &list); len(list.Connections) != 1 || list.Connections[0].Version != 1 {
		t.Errorf("the odd requests left %+v", list)
	}
}

// (T12)
func TestGuessingKeysIsSlowedDownAndLocksNobodyOut(t *testing.T) {
	h := newTwoTenants(t)
	limited := 0
	for range 200 {
		a := h.As("dowel_"+strings.Repeat("B", 52)).Ask(http.MethodGet, "/api/v1/connections", nil, nil)
		if a.Status == http.StatusTooManyRequests && a.Header.Get("Retry-After") != "" {
			limited++
		}
		if _, good := h.mine.Token(h.own, ""); good.Status != http.StatusOK {
			t.Fatalf("a good key beside the guesses: %d %s", good.Status, good.Body)
		}
	}
	t.Logf("%d of 200 guesses were turned away, and no read with a good key", limited)
	if limited == 0 {
		t.Error("two hundred guesses in a row are all answered")
	}
}

// (T13)
func TestARevokedKeyIsSoonGoodNowhere(t *testing.T) {
	t.Parallel()
	c := StartCluster(t, 2, mongotestproc.Start(t).URI(), nil)
	id := c.Doors[0].importStripe(t, "sk_test_1")
	a := c.Doors[0].Ask(http.MethodPost, "/api/v1/api-keys", map[string]any{"name": "short-lived", "scopes": []string{"token:read"}}, nil)
	var made struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	if a.decode(&made); made.Key == "" {
		t.Fatalf("make a key: %d %s", a.Status, a.Body)
	}
	for _, d := range c.Doors {
		if _, a := d.As(made.Key).Token(id, ""); a.Status != http.StatusOK {
			t.Fatalf("the new key: %d %s", a.Status, a.Body)
		}
	}
	if status, b := c.Doors[0].Do(http.MethodDelete, "/api/v1/api-keys/"+made.ID, nil); status != http.StatusNoContent {
		t.Fatalf("revoke: %d %s", status, b)
	}
	start := time.Now()
	if _, a := c.Doors[0].As(made.Key).Token(id, ""); a.Status != http.StatusUnauthorized {
		t.Errorf("at once, on the instance that revoked it: %d", a.Status)
	}
	Eventually(t, 3*time.Second, "the other instance refuses the key", func() bool {
		_, a := c.Doors[1].As(made.Key).Token(id, "")
		return a.Status == http.StatusUnauthorized
	})
	t.Logf("refused by the other instance after %v", time.Since(start).Round(time.Millisecond))
}
