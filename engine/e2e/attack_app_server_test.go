package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// software is what many people run for themselves: whoever connects types where.
const software = `id: software
name: Software
inputs: {base_url: {label: Address, type: url, private: true}}
hosts: ["${inputs.base_url}"]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "${inputs.base_url}/authorize"}
    scopes: {default: [read]}
    pkce: required
    token: {url: "${inputs.base_url}/token", client_auth: body}
    refresh: {grant: refresh_token, rotation: never}
    revoke: {post: "${inputs.base_url}/revoke", auth: client, form: {token: "${credential.refresh_token}"}}
api: {base_url: "${inputs.base_url}/api"}
test: {get: /me}
`

const softwareSecret = "CANARY secret of our app"

// Somebody who types a server of their own learns nothing of an app that is registered at another: neither
// when they connect, nor when they bring a token or reconnect, nor when the app is moved. (V05)
func TestASecretGoesToTheServerOfItsAppAlone(t *testing.T) {
	t.Parallel()
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"at","refresh_token":"rt","token_type":"Bearer","expires_in":3600,"scope":"read"}`)
	}
	ours, evil := newProvider(t, answer), newProvider(t, answer)
	i := Serve(t, append(ours.Settings(t), "DOWEL_CONNECTORS_DIR="+Definitions(t, map[string]string{"software": software}))...)

	app := map[string]any{"connector": "software", "client_id": "dowel", "client_secret": softwareSecret}
	if a := i.Ask(http.MethodPost, "/api/v1/apps", app, nil); a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), `"issuer"`) {
		t.Fatalf("an app that nobody says the server of: %d %s", a.Status, a.Body)
	}
	app["issuer"] = ours.URL
	var made struct{ ID string }
	a := i.Ask(http.MethodPost, "/api/v1/apps", app, nil)
	if a.decode(&made); a.Status != http.StatusCreated {
		t.Fatalf("app: %d %s", a.Status, a.Body)
	}
	sentence := "There is no app for " + evil.Host + ": an operator has to add it."

	b := NewBrowser(t)
	ticket := i.Ticket(t, "mallory", "software")
	if p := b.Press(ticket, "", map[string]string{"base_url": evil.URL}); p.Status != "failed" || p.Code != "server-unknown" || p.Message != sentence || p.URL != "" {
		t.Errorf("a server of their own: %+v", p)
	}
	form := b.Open(ticket).Hidden()
	form.Set("f.base_url", evil.URL)
	if page := b.Post(ticket+"/start", form, nil); page.Status != http.StatusUnprocessableEntity || !strings.Contains(page.Body, sentence) {
		t.Errorf("the page without script: %d\n%s", page.Status, page.Body)
	}
	brought := map[string]any{"connector": "software", "end_user": "mallory", "answers": map[string]string{"base_url": evil.URL}, "access_token": "theirs", "refresh_token": "theirs"}
	if a := i.Ask(http.MethodPost, "/api/v1/connections", brought, nil); a.Problem().Code != "app-missing" || !strings.Contains(a.Problem().Detail, evil.Host) {
		t.Errorf("a token of their own: %d %s", a.Status, a.Body)
	}

	id := i.connectSoftware(t, "ana", ours)
	if secrets(ours) != 1 {
		t.Fatalf("our server is not shown the secret, so that this test sees nothing: %v", ours.Requests())
	}
	status, body := i.Do(http.MethodPost, "/api/v1/connect-sessions", map[string]any{"end_user": "ana", "connection": id})
	var again struct{ URL string }
	if (Answer{Body: body}).decode(&again); status != http.StatusCreated {
		t.Fatalf("session: %d %s", status, body)
	}
	if p := NewBrowser(t).Press(again.URL, "", map[string]string{"base_url": evil.URL}); p.Code != "server-unknown" || p.Message != sentence {
		t.Errorf("a reconnect with another server: %+v", p)
	}

	move := func(server string) {
		if a := i.Ask(http.MethodPatch, "/api/v1/apps/"+made.ID, map[string]any{"issuer": server}, nil); a.Status != http.StatusOK || !strings.Contains(string(a.Body), `"issuer":"`+server+`"`) {
			t.Errorf("move the app to %s: %d %s", server, a.Status, a.Body)
		}
	}
	move(evil.URL)
	before := secrets(ours)
	if a := i.Ask(http.MethodPost, "/api/v1/connections/"+id+"/refresh", nil, nil); a.Problem().Code != "app-missing" || secrets(ours) != before {
		t.Errorf("a renewal where the app is not registered: %d %s", a.Status, a.Body)
	}
	move(ours.URL)
	if a := i.Ask(http.MethodPost, "/api/v1/connections/"+id+"/refresh", nil, nil); a.Status != http.StatusOK || secrets(ours) != before+1 {
		t.Errorf("a renewal where it is: %d %s", a.Status, a.Body)
	}
	if got := evil.Requests(); len(got) != 0 {
		t.Errorf("the other server was asked: %v", got)
	}
	if strings.Contains(i.Log(), softwareSecret) {
		t.Error("the log holds the secret")
	}

	// An operator may say that it goes to any.
	move("*")
	i.connectSoftware(t, "mallory", evil)
	if secrets(evil) != 1 {
		t.Errorf("an app for any server: %v", evil.Requests())
	}
}

// secrets counts the requests that show a provider the app's secret.
func secrets(p *provider) int {
	return len(slices.DeleteFunc(p.Requests(), func(r string) bool { return !strings.Contains(r, url.QueryEscape(softwareSecret)) }))
}

// connectSoftware has somebody connect at a server, which allows everything, and returns the connection.
func (i *Instance) connectSoftware(t *testing.T, endUser string, at *provider) string {
	t.Helper()
	b := NewBrowser(t)
	p := b.Press(i.Ticket(t, endUser, "software"), "", map[string]string{"base_url": at.URL})
	u, err := url.Parse(p.URL)
	if err != nil || "https://"+u.Host != at.URL {
		t.Fatalf("connect: %+v", p)
	}
	b.Follow(i.URL + "/callback?" + url.Values{"code": {"code"}, "state": {u.Query().Get("state")}}.Encode())
	ids := i.ConnectionsOf(t, "software", endUser)
	if len(ids) != 1 {
		t.Fatalf("%s has %d connections", endUser, len(ids))
	}
	return ids[0]
}
