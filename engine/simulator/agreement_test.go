package simulator_test

import (
	"crypto/tls"
	"errors"
	"html"
	"maps"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/rehearsal"
	"dowel/engine/secret"
	"dowel/engine/simulator"
)

// TestAuthAndSimulatorReadEveryDefinitionAlike has the two independent readings of the RFCs and of
// the definitions meet: every method of every connector is connected, tested, renewed and given back.
func TestAuthAndSimulatorReadEveryDefinitionAlike(t *testing.T) {
	catalog := shipped(t)
	config, authority, err := simulator.ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	outgoing, err := egress.NewClient(egress.Policy{AllowHTTP: []string{"127.0.0.1"}, AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, ExtraCA: authority})
	if err != nil {
		t.Fatal(err)
	}
	defer outgoing.Close()
	methods := auth.NewRegistry(auth.AuthorizationCode(), auth.ClientCredentials(), auth.JWTBearer(), auth.Password(), auth.OAuth1(), auth.Basic(), auth.APIKey(), auth.Bearer(), auth.Custom())
	for _, k := range catalog.Shared() {
		for _, a := range k.Auth {
			if a.Kind == definition.DeviceCode {
				continue // somebody has to enter a code meanwhile, as in the rehearsal
			}
			t.Run(k.ID+"/"+a.ID, func(t *testing.T) {
				c := newClient(t, k.ID, tokenOptions)
				m, err := methods.Method(a.Kind)
				if err != nil {
					t.Fatal(err)
				}
				issued, err := simulator.Issue(a)
				if err != nil {
					t.Fatal(err)
				}
				c.know(issued)
				inputs, fields := samples(t, k.Inputs), samples(t, a.Fields)
				if err := rehearsal.EnterKeys(fields, k, a, issued); err != nil {
					t.Fatal(err)
				}
				r := auth.Request{
					Connector: k, Auth: a, Inputs: inputs, Fields: auth.Values(fields), Captured: map[string]string{}, RedirectURI: redirectURI,
					Outlet: &auth.Outlet{Client: outgoing, Simulate: func(id string) func(*url.URL) *url.URL { return simulator.Reroute(c.base, id) }},
				}
				if a.TLS != nil {
					secured := c.secured(config)
					r.Outlet.SimulateTLS = func(id string) func(*url.URL) *url.URL { return simulator.Reroute(secured, id) }
				}
				maps.Copy(fields, inputs)
				c.sim.Know(k.ID, fields)
				if a.NeedsApp() {
					own, err := rehearsal.AppAnswers(k, a.ID, func(*definition.Auth) (string, error) { return issued, nil })
					if err != nil {
						t.Fatal(err)
					}
					told := samples(t, a.AppFields)
					for name, v := range own {
						told[name] = *v
					}
					r.App = auth.App{ClientID: appID, ClientSecret: secret.New(appSecret), Fields: auth.Values(told)}
					c.sim.RegisterFields(k.ID, appID, told)
				}
				agree(t, c, m, begun(t, r))
			})
		}
	}
}

// know makes a key and a certificate known at the provider.
func (c *client) know(issued string) {
	c.t.Helper()
	if issued == "" {
		return
	}
	key, certificate := simulator.SplitIssued(issued)
	if err := c.sim.RegisterKey(c.id, "", key); err != nil {
		c.t.Fatal(err)
	}
	if certificate != "" {
		if err := c.sim.RegisterCertificate(c.id, "", certificate); err != nil {
			c.t.Fatal(err)
		}
	}
}

// secured serves the same provider over TLS.
func (c *client) secured(config *tls.Config) *url.URL {
	server := httptest.NewUnstartedServer(c.sim)
	server.TLS = config.Clone()
	server.StartTLS()
	c.t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		c.t.Fatal(err)
	}
	return base
}

// postedBack finds the fields of a form that the browser posts back.
var postedBack = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// samples answers every question as a person would.
func samples(t *testing.T, fs definition.Fields) map[string]string {
	t.Helper()
	out, err := rehearsal.Answers(fs)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if f.Default != "" {
			out[f.Name] = f.Default
		}
	}
	return out
}

func agree(t *testing.T, c *client, m auth.Method, r auth.Request) {
	ctx := t.Context()
	step, pending, err := m.Begin(ctx, r)
	if err != nil {
		t.Fatal("begin:", err)
	}
	if to, ok := step.(auth.Redirect); ok {
		step, err = m.Complete(ctx, r, pending, c.consent(to.URL))
		if err != nil {
			t.Fatal("complete:", err)
		}
	}
	done, ok := step.(auth.Done)
	if !ok {
		t.Fatalf("step = %T", step)
	}
	maps.Copy(r.Captured, done.Captured)
	credential := done.Credential
	for _, want := range r.RequiredScopes() {
		found := false
		for _, s := range credential.Scopes {
			found = found || s == want
		}
		if !found {
			t.Errorf("scope %s was not granted: %v", want, credential.Scopes)
		}
	}
	who := checkAccess(t, m, r, credential)
	checkIdentity(t, r, who)
	if refresher, ok := m.(auth.Refresher); ok && credential.Renewable(r.Auth) {
		next, err := refresher.Refresh(ctx, r, credential)
		if err != nil {
			t.Fatal("refresh:", err)
		}
		if next.AccessToken.Reveal() == credential.AccessToken.Reveal() && len(next.Values) == 0 && r.Auth.Kind != definition.Custom {
			t.Error("the refresh brought nothing new")
		}
		credential = next
		again := checkAccess(t, m, r, credential)
		if told := toldOnce(r.Connector.IdentityFor(r.Auth)); again != who && !told || told && again.Subject != "" {
			t.Errorf("after the refresh: %+v, before: %+v", again, who)
		}
	}
	if r.Auth.Revoke == nil || len(r.Auth.Login) == 0 && r.Auth.Token == nil {
		return
	}
	if err := m.(auth.Revoker).Revoke(ctx, r, credential); err != nil {
		t.Fatal("revoke:", err)
	}
	if _, err := auth.Test(ctx, m, r, credential); err == nil {
		t.Error("the credential works after it was revoked")
	}
}

// toldOnce reports whether the ID token, which comes with the code alone, says who the account is.
func toldOnce(id *definition.Identity) bool {
	return id != nil && (id.From == "id_token" || strings.Contains(id.Subject.Source, "id_token."))
}

// checkAccess runs the test, reads the identity, and asks every question.
func checkAccess(t *testing.T, m auth.Method, r auth.Request, c auth.Credential) auth.Identity {
	t.Helper()
	tested, err := auth.Test(t.Context(), m, r, c)
	if err != nil && !errors.Is(err, auth.ErrNoTest) {
		t.Fatal("test:", err)
	}
	maps.Copy(r.Captured, tested.Captured)
	who, err := auth.Identify(t.Context(), m, r, c, &tested)
	if err != nil {
		t.Fatal("identity:", err)
	}
	for _, ch := range r.Connector.ChoicesFor(r.Auth) {
		options, err := auth.Options(t.Context(), m, r, ch, c)
		if err != nil || len(options) != 2 || options[0].Value == options[1].Value {
			t.Errorf("options = %v, %v", options, err)
		}
	}
	return who
}

func checkIdentity(t *testing.T, r auth.Request, who auth.Identity) {
	t.Helper()
	id := r.Connector.IdentityFor(r.Auth)
	// Where ids begin anew in every tenant, the tenant stands before the id. Some providers tell it on the way
	// back and never again.
	subject := "1001"
	if id != nil {
		if told, ok := strings.CutPrefix(id.Subject.Source, "captured."); ok {
			subject = r.Captured[told]
		}
	}
	if id != nil && (subject == "" || !strings.HasSuffix(who.Subject, subject) || id.Email != nil && who.Email != "ana@example.com" || id.Name != nil && who.Name != "Ana Example") {
		t.Errorf("identity = %+v", who)
	}
}

// consent allows as the first account whatever the browser was sent to.
func (c *client) consent(to *url.URL) auth.Answer {
	c.t.Helper()
	to = simulator.Program(to)
	page := c.send(request{url: to.String()})
	m := ticket.FindStringSubmatch(page.text)
	if m == nil {
		c.t.Fatalf("no consent page at %s: %d %s %s", to, page.status, page.header.Get("Location"), page.text)
	}
	back := c.send(request{method: "POST", url: to.String(), form: url.Values{"request": {m[1]}, "account": {"1001"}, "decision": {"allow"}}})
	u, err := url.Parse(back.header.Get("Location"))
	if err != nil {
		c.t.Fatal(err)
	}
	out := auth.Answer{Query: u.Query()}
	told, err := url.ParseQuery(u.EscapedFragment())
	if err != nil {
		c.t.Fatal(err)
	}
	maps.Copy(out.Query, told)
	for _, field := range postedBack.FindAllStringSubmatch(back.text, -1) {
		out.Query.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2])) // by a form that posts itself
	}
	if c.posted == nil {
		return out
	}
	if out.Posted, err = auth.ReadPost("application/json", c.posted); err != nil {
		c.t.Fatal(err)
	}
	return out
}

// begun finds the provider's addresses and registers the app, where a definition wants that.
func begun(t *testing.T, r auth.Request) auth.Request {
	t.Helper()
	var err error
	if r.Discovered, err = auth.Discover(t.Context(), r); err != nil {
		t.Fatal("discover:", err)
	}
	if r.Auth.Registration == nil {
		return r
	}
	app, err := auth.Register(t.Context(), r, "Dowel")
	if err != nil {
		t.Fatal("register:", err)
	}
	r.App = auth.App{ClientID: app.ClientID, ClientSecret: app.ClientSecret, Fields: auth.Values(map[string]string{auth.MethodField: app.Method})}
	return r
}
