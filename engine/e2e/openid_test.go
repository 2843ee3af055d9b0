package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// discovering is a definition that is told the issuer and finds out the rest: HOST is filled in.
const discovering = `id: openid
name: Somebody else's provider
hosts: [HOST]
auth:
  - id: person
    kind: oauth2_authorization_code
    discovery: {issuer: https://HOST/}
    authorize: {}
    scopes: {default: [openid, profile, email, offline_access]}
    pkce: required
    token: {client_auth: header}
    id_token: {}
    refresh: {rotation: always}
    introspect: {request: {post: "${discovered.introspection_endpoint}"}}
    revoke: {post: "${discovered.revocation_endpoint}", auth: client, form: {token: "${credential.refresh_token}", token_type_hint: refresh_token}}
    identity:
      request: {get: "${discovered.userinfo_endpoint}"}
      subject: response.body.sub
      email: response.body.email
      email_verified: response.body.email_verified
      name: response.body.name
  - id: device
    kind: oauth2_device_code
    discovery: {issuer: https://HOST/}
    device: {client_auth: header}
    scopes: {default: [openid, email]}
    token: {client_auth: header}
    revoke: none
    test: {get: "${discovered.userinfo_endpoint}"}
    identity: {from: test, subject: response.body.sub, email: response.body.email}
`

// written is a definition with every address written out.
const written = `id: written
name: Somebody else's provider, written out
hosts: [HOST]
auth:
  - id: robot
    kind: oauth2_jwt_bearer
    fields: {key: {label: Key, type: textarea, format: pem}}
    assertion: {alg: RS256, key: "${fields.key}", kid: key1, claims: {iss: service, sub: service, aud: "https://HOST/"}, lifetime: 5m}
    scopes: {default: [openid]}
    token: {url: https://HOST/oauth/token, client_auth: none}
    test: {get: https://HOST/userinfo}
    identity: {from: test, subject: response.body.sub}
  - id: machine
    kind: oauth2_client_credentials
    fields:
      client_id: {label: Client ID}
      client_secret: {label: Client secret, type: password}
    scopes: {default: [openid]}
    token: {url: https://HOST/oauth/token, client_auth: header}
    test: none
    identity: none
  - id: trade
    kind: oauth2_token_exchange
    fields: {token: {label: Token, type: password}}
    exchange:
      subject_token: ${fields.token}
      subject_token_type: urn:ietf:params:oauth:token-type:access_token
      requested_token_type: urn:ietf:params:oauth:token-type:access_token
    scopes: {default: [openid, email]}
    token: {url: https://HOST/oauth/token, client_auth: header}
    revoke: {post: https://HOST/revoke, auth: client, form: {token: "${credential.access_token}"}}
    test: {get: https://HOST/userinfo}
    identity: {from: test, subject: response.body.sub, email: response.body.email}
`

// foreign is an instance and a provider that do not know each other's code.
type foreign struct {
	*Instance
	op *OpenID
	t  *testing.T
}

func newForeign(t *testing.T) *foreign {
	t.Helper()
	t.Parallel()
	address := FreeAddress(t)
	op := StartOpenID(t, "http://"+address+"/callback")
	host := strings.Trim(strings.TrimPrefix(op.Issuer, "https://"), "/")
	dir := Definitions(t, map[string]string{
		"openid": strings.ReplaceAll(discovering, "HOST", host), "written": strings.ReplaceAll(written, "HOST", host),
	})
	f := &foreign{op: op, t: t, Instance: ServeAt(t, address,
		"DOWEL_CONNECTORS_DIR="+dir, "DOWEL_CA_FILE="+op.CAFile, "DOWEL_ALLOW_PRIVATE=127.0.0.0/8",
	)}
	f.app("openid", "person", "web")
	f.app("openid", "device", "device")
	f.app("written", "trade", "web")
	return f
}

// app tells the instance the client that the provider knows.
func (f *foreign) app(connector, method, client string) {
	f.t.Helper()
	a := f.Ask(http.MethodPost, "/api/v1/apps", map[string]any{
		"connector": connector, "method": method, "client_id": client, "client_secret": "CANARY " + client + " secret",
	}, nil)
	if a.Status != http.StatusCreated {
		f.t.Fatalf("app: %d %s", a.Status, a.Body)
	}
}

// signIn goes to the provider as somebody and comes back.
func (f *foreign) signIn(b *Browser, authorize, name string) Page {
	f.t.Helper()
	login := b.Follow(authorize)
	id := login.Hidden().Get("id")
	if login.Status != http.StatusOK || id == "" {
		f.t.Fatalf("the provider's page: %d %s\n%s", login.Status, login.URL, login.Body)
	}
	page := b.Post(f.op.Issuer+"login/username", url.Values{"id": {id}, "username": {name}, "password": {"CANARY password of " + name}}, nil)
	for n := 0; page.Location != "" && n < 10; n++ {
		page = b.Open(page.Location)
	}
	return page
}

// userinfo asks the provider whose token it is, without Dowel.
func (f *foreign) userinfo(token string) int {
	f.t.Helper()
	b := NewBrowser(f.t)
	b.Trust(f.op.Authority)
	return b.do(http.MethodGet, f.op.Issuer+"userinfo", nil, http.Header{"Authorization": {"Bearer " + token}}).Status
}

// connectPerson connects somebody through the pages.
func (f *foreign) connectPerson(name string) string {
	f.t.Helper()
	b := NewBrowser(f.t)
	b.Trust(f.op.Authority)
	p := b.Press(f.Ticket(f.t, "user of "+name, "openid"), "person", nil)
	if p.URL == "" {
		f.t.Fatalf("pressed: %+v", p)
	}
	if u, err := url.Parse(p.URL); err != nil || u.Query().Get("code_challenge_method") != "S256" || u.Query().Get("nonce") == "" {
		f.t.Errorf("the browser is sent to %s", p.URL)
	}
	if page := f.signIn(b, p.URL, name); !strings.Contains(page.Body, "Connected as "+name+"@example.com") {
		f.t.Fatalf("after the sign-in: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	ids := f.ConnectionsOf(f.t, "openid", "user of "+name)
	if len(ids) != 1 {
		f.t.Fatalf("%d connections, want 1", len(ids))
	}
	return ids[0]
}

func (f *foreign) token(id string) string {
	f.t.Helper()
	t, a := f.Token(id, "")
	if t.AccessToken == "" {
		f.t.Fatalf("token: %d %s", a.Status, a.Body)
	}
	return t.AccessToken
}

// answers connects with what a program knows.
func (f *foreign) answers(method string, answers map[string]string) (string, Answer) {
	f.t.Helper()
	a := f.Ask(http.MethodPost, "/api/v1/connections", map[string]any{
		"connector": "written", "method": method, "end_user": "program", "answers": answers,
	}, nil)
	var c Connection
	a.decode(&c)
	return c.ID, a
}

// TestAPersonConnectsToAProviderOfSomebodyElse: discovery, code with PKCE, ID token, userinfo, refresh with
// rotation, introspection and revocation.
func TestAPersonConnectsToAProviderOfSomebodyElse(t *testing.T) {
	f := newForeign(t)
	id := f.connectPerson("ana")
	if c := f.Connection(t, id); c.Status != "active" || c.Identity.Subject != "ana" || c.ExpiresAt == nil || c.RefreshAt == nil {
		t.Errorf("connection: %+v", c)
	}
	first := f.token(id)
	if status := f.userinfo(first); status != http.StatusOK {
		t.Errorf("userinfo with the token: %d", status)
	}
	// There is no test but introspection.
	if a := f.Ask(http.MethodPost, "/api/v1/connections/"+id+"/test", nil, nil); a.Status != http.StatusOK {
		t.Errorf("introspection: %d %s", a.Status, a.Body)
	}
	seen := map[string]bool{first: true}
	for range 2 { // the second one lives on what the first has brought
		if a := f.Ask(http.MethodPost, "/api/v1/connections/"+id+"/refresh", nil, nil); a.Status != http.StatusOK {
			t.Fatalf("refresh: %d %s", a.Status, a.Body)
		}
		token := f.token(id)
		if seen[token] || f.userinfo(token) != http.StatusOK {
			t.Errorf("the refresh brought nothing new, or nothing good")
		}
		seen[token] = true
	}
	if status := f.userinfo(first); status == http.StatusOK {
		t.Error("the provider takes the first token although it was renewed: the test proves nothing")
	}
	last := f.token(id)
	var ended struct {
		Revoked bool `json:"revoked_at_provider"`
	}
	a := f.Ask(http.MethodPost, "/api/v1/connections/"+id+"/disconnect", nil, nil)
	if a.decode(&ended); !ended.Revoked {
		t.Errorf("disconnect: %d %s", a.Status, a.Body)
	}
	if status := f.userinfo(last); status == http.StatusOK {
		t.Error("the token is good after it was given back")
	}
}

func TestAProviderOfSomebodyElseThatIsGoneCostsNothing(t *testing.T) {
	f := newForeign(t)
	id := f.connectPerson("ben")
	f.op.Kill()
	if a := f.Ask(http.MethodPost, "/api/v1/connections/"+id+"/refresh", nil, nil); a.Status != http.StatusServiceUnavailable {
		t.Errorf("refresh while nobody is there: %d %s", a.Status, a.Body)
	}
	if c := f.Connection(t, id); c.Status != "active" {
		t.Errorf("afterwards the connection is %s", c.Status)
	}
	if token, a := f.Token(id, ""); token.AccessToken == "" {
		t.Errorf("the token of before: %d %s", a.Status, a.Body)
	}
}

func TestADeviceConnectsToAProviderOfSomebodyElse(t *testing.T) {
	f := newForeign(t)
	for _, tt := range []struct {
		action, status, code string
	}{{"allowed", "done", ""}, {"denied", "failed", "denied"}} {
		at, _ := f.newSession(t, "openid")
		begun, a := f.begin(t, at, "openid", "device", nil)
		if begun.Flow == nil || begun.Flow.Wait == nil || begun.Flow.Wait.CompleteURL == "" || begun.Flow.Wait.Interval != 5 {
			t.Fatalf("begun: %d %s", a.Status, a.Body)
		}
		b := NewBrowser(t)
		b.Trust(f.op.Authority)
		form := b.Follow(begun.Flow.Wait.CompleteURL).Hidden()
		if form.Get("user_code") != begun.Flow.Wait.Code {
			t.Fatalf("the provider's page has the code %q, want %q", form.Get("user_code"), begun.Flow.Wait.Code)
		}
		form.Set("username", "ana")
		form.Set("password", "CANARY password of ana")
		b.Post(f.op.Issuer+"device/login", form, nil)
		if p := b.Open(f.op.Issuer + "device/confirm?action=" + tt.action); p.Status != http.StatusOK || !strings.Contains(p.Body, tt.action) {
			t.Fatalf("decide: %d %s", p.Status, p.Body)
		}
		var now session
		Eventually(t, 30*time.Second, "the flow to be "+tt.status, func() bool {
			now = session{}
			f.Get(t, at, &now)
			return now.Flow.Status == tt.status
		})
		if tt.code != "" {
			if now.Flow.Failure == nil || now.Flow.Failure.Code != tt.code {
				t.Errorf("%s: %+v", tt.action, now.Flow)
			}
			continue
		}
		if c := f.Connection(t, now.Connection); c.Identity.Subject != "ana" {
			t.Errorf("%s: connection %+v", tt.action, c)
		}
	}
}

func TestProgramsConnectToAProviderOfSomebodyElse(t *testing.T) {
	f := newForeign(t)
	t.Run("client credentials", func(t *testing.T) {
		id, a := f.answers("machine", map[string]string{"client_id": "sid1", "client_secret": "verysecret"})
		if id == "" {
			t.Fatalf("connect: %d %s", a.Status, a.Body)
		}
		before := f.token(id)
		if a := f.Ask(http.MethodPost, "/api/v1/connections/"+id+"/refresh", nil, nil); a.Status != http.StatusOK {
			t.Errorf("another token: %d %s", a.Status, a.Body)
		}
		if f.token(id) == before {
			t.Error("the refresh brought nothing new")
		}
		if id, a := f.answers("machine", map[string]string{"client_id": "sid1", "client_secret": "CANARY"}); id != "" || a.Status == http.StatusCreated {
			t.Errorf("with a wrong secret: %d %s", a.Status, a.Body)
		}
	})
	t.Run("JWT bearer", func(t *testing.T) {
		id, a := f.answers("robot", map[string]string{"key": f.op.ServiceKey})
		if id == "" {
			t.Fatalf("connect: %d %s", a.Status, a.Body)
		}
		if c := f.Connection(t, id); c.Identity.Subject != "service" {
			t.Errorf("connection: %+v", c)
		}
		if a := f.Ask(http.MethodPost, "/api/v1/connections/"+id+"/refresh", nil, nil); a.Status != http.StatusOK || f.userinfo(f.token(id)) != http.StatusOK {
			t.Errorf("another token: %d %s", a.Status, a.Body)
		}
		if id, a := f.answers("robot", map[string]string{"key": writeKey(t, t.TempDir()+"/other.pem")}); id != "" || a.Status == http.StatusCreated {
			t.Errorf("with another key: %d %s", a.Status, a.Body)
		}
	})
	t.Run("token exchange", func(t *testing.T) {
		subject := f.token(f.connectPerson("ana"))
		id, a := f.answers("trade", map[string]string{"token": subject})
		if id == "" {
			t.Fatalf("connect: %d %s", a.Status, a.Body)
		}
		token := f.token(id)
		if c := f.Connection(t, id); c.Identity.Subject != "ana" || token == subject || f.userinfo(token) != http.StatusOK {
			t.Errorf("connection: %+v", c)
		}
		a = f.Ask(http.MethodPost, "/api/v1/connections/"+id+"/disconnect", nil, nil)
		if f.userinfo(token) == http.StatusOK || f.userinfo(subject) != http.StatusOK {
			t.Errorf("the traded token is good after it was given back, or what it was traded for is not: %d %s", a.Status, a.Body)
		}
		if id, a := f.answers("trade", map[string]string{"token": "CANARY nonsense"}); id != "" || a.Status == http.StatusCreated {
			t.Errorf("with nonsense: %d %s", a.Status, a.Body)
		}
	})
}
