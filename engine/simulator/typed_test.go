package simulator_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

const accountSID = "AC0123456789abcdef0123456789abcdef"

func TestTypedCredentialsAreJudgedWhereTheyBelong(t *testing.T) {
	twilio := "https://api.twilio.com/2010-04-01/Accounts/" + accountSID
	datadog := "https://api.us3.datadoghq.com/api/v1/validate"
	keys := func(api, app string) map[string]string {
		return map[string]string{"DD-API-KEY": api, "DD-APPLICATION-KEY": app}
	}
	tests := []struct {
		name, id string
		call     request
		want     int
		path     string
		value    any
	}{
		{"stripe, a key", "stripe", request{url: "https://api.stripe.com/v1/account", header: bearer("sk_test_1")}, 200, "id", "1001"},
		{"stripe, a key for another account", "stripe", request{url: "https://api.stripe.com/v1/account", header: map[string]string{"Authorization": "Bearer sk_test_1", "Stripe-Account": "acct_1"}}, 200, "email", "ana@example.com"},
		{"stripe, a wrong key", "stripe", request{url: "https://api.stripe.com/v1/account", header: bearer("sk_test_wrong")}, 401, "error.code", "invalid_token"},
		{"stripe, none", "stripe", request{url: "https://api.stripe.com/v1/account"}, 401, "error.code", "unauthorized"},
		{"stripe, as Basic", "stripe", request{url: "https://api.stripe.com/v1/account", basic: [2]string{"sk_test_1", ""}}, 401, "error.code", "unauthorized"},
		{"twilio, the token", "twilio", request{url: twilio + ".json", basic: [2]string{accountSID, "ben's token"}}, 200, "friendly_name", "Ben Example"},
		{"twilio, any other call", "twilio", request{url: twilio + "/Messages.json", basic: [2]string{accountSID, "token"}}, 200, "simulated", true},
		{"twilio, a wrong token", "twilio", request{url: twilio + ".json", basic: [2]string{accountSID, "wrong"}}, 401, "code", "invalid_token"},
		{"twilio, the API key", "twilio", request{url: twilio + ".json", basic: [2]string{"SK0123456789abcdef0123456789abcdef", "secret"}}, 200, "status", "active"},
		{"datadog, both keys", "datadog", request{url: datadog, header: keys("a", "b")}, 200, "valid", true},
		{"datadog, one key", "datadog", request{url: datadog, header: map[string]string{"DD-API-KEY": "a"}}, 200, "valid", false},
		{"datadog, a bad key", "datadog", request{url: datadog, header: keys("a", "bad")}, 200, "valid", false},
		{"datadog, a site that is none", "datadog", request{url: "https://api.evil.example/api/v1/validate", header: keys("a", "b")}, 404, "", nil},
		{"zendesk, an API token", "zendesk", request{url: "https://acme.zendesk.com/api/v2/users/me.json", basic: [2]string{"ana@example.com/token", "key"}}, 200, "user.email", "ana@example.com"},
		{"zendesk, a password without the mark", "zendesk", request{url: "https://acme.zendesk.com/api/v2/users/me.json", basic: [2]string{"ana@example.com", "key"}}, 200, "user.id", nil},
		{"zendesk, two labels", "zendesk", request{url: "https://a.b.zendesk.com/api/v2/users/me.json", basic: [2]string{"ana@example.com/token", "key"}}, 404, "", nil},
		{"slack, a bad token", "slack", request{method: "POST", url: "https://slack.com/api/auth.test", header: bearer("xoxb-bad")}, 200, "ok", false},
		{"notion, without its version", "notion", request{url: "https://api.notion.com/v1/users/me", header: bearer("ntn_1")}, 400, "error", "invalid_request"},
		{"a token in two places", "facebook", request{url: "https://graph.facebook.com/v25.0/me?access_token=a", header: bearer("a")}, 400, "error.code", "invalid_request"},
		{"an old OAuth token as a personal one", "airtable", request{url: "https://api.airtable.com/v0/meta/whoami", header: bearer("sim-at-gone")}, 401, "error", "invalid_token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newClient(t, tt.id, tokenOptions).send(tt.call)
			if r.status != tt.want || tt.path != "" && r.at(tt.path) != tt.value {
				t.Errorf("answer: %d %s; want %d, %s = %v", r.status, r.text, tt.want, tt.path, tt.value)
			}
		})
	}
}

func TestASessionLoginGivesASessionThatEnds(t *testing.T) {
	o := tokenOptions
	o.TokenLifetime = 300 * time.Millisecond
	c := newClient(t, "acme-login", o)
	body := map[string]any{"user": "ben@example.com", "pass": "pw", "workspace": "main", "region": "eu", "client": "dowel"}
	login := request{method: "POST", url: "https://api.acme.example/session", json: body}
	r := c.send(login)
	session := r.text1("token")
	until, err := time.Parse(time.RFC3339, r.text1("valid_until"))
	if r.status != 200 || session == "" || err != nil || time.Until(until) > o.TokenLifetime {
		t.Fatalf("login: %d %s", r.status, r.text)
	}
	me := request{url: "https://api.acme.example/v1/me", header: map[string]string{"X-Session": session}}
	if r := c.send(me); r.status != 200 || r.at("user.mail") != "ben@example.com" {
		t.Errorf("me: %d %s", r.status, r.text)
	}
	time.Sleep(o.TokenLifetime)
	if r := c.send(me); r.status != 401 || r.at("reason") != "invalid_token" {
		t.Errorf("me after the end: %d %s", r.status, r.text)
	}
	session = c.send(login).text1("token")
	me.header["X-Session"] = session
	if r := c.send(request{method: "DELETE", url: "https://api.acme.example/session", header: me.header}); r.status != 200 {
		t.Errorf("log out: %d %s", r.status, r.text)
	}
	if r := c.send(me); r.status != 401 {
		t.Errorf("me after logging out: %d %s", r.status, r.text)
	}
	for _, change := range []map[string]any{{"pass": "wrong"}, {"pass": ""}, {"user": nil}, {"region": nil}} {
		bad := map[string]any{}
		for k, v := range body {
			bad[k] = v
		}
		for k, v := range change {
			bad[k] = v
		}
		if r := c.send(request{method: "POST", url: login.url, json: bad}); r.status < 400 || r.at("reason") == nil || r.at("token") != nil {
			t.Errorf("login with %v: %d %s", change, r.status, r.text)
		}
	}
	if s := c.sim.Stats("acme-login"); s.Token["login"] != 6 || s.Refused["invalid_grant"] != 1 {
		t.Errorf("stats = %+v", s)
	}
}

func TestClientCredentialsNeedNobody(t *testing.T) {
	c := newClient(t, "microsoft", tokenOptions)
	ask := func(secret string) reply {
		return c.send(request{method: "POST", url: "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token", form: url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"their-own"}, "client_secret": {secret}, "scope": {"https://graph.microsoft.com/.default"},
		}})
	}
	r := ask("secret")
	if r.status != 200 || r.at("refresh_token") != nil || r.at("expires_in") != float64(3600) {
		t.Fatalf("token: %d %s", r.status, r.text)
	}
	org := c.send(request{url: "https://graph.microsoft.com/v1.0/organization", header: bearer(r.text1("access_token"))})
	if org.status != 200 || org.at("value.0.id") != "1001" {
		t.Errorf("organization: %d %s", org.status, org.text)
	}
	if r := ask("wrong"); r.status != http.StatusUnauthorized || r.at("error") != "invalid_client" {
		t.Errorf("a wrong secret: %d %s", r.status, r.text)
	}
}

// TestWhatOnlyOneProviderDoes has the answers that a single definition reads.
func TestWhatOnlyOneProviderDoes(t *testing.T) {
	start := func(id string) (*client, grantCase, reply) {
		for _, g := range grantCases() {
			if g.id == id {
				c := newClient(t, id, tokenOptions)
				return c, g, c.send(g.exchange(c.allow(g.authorize, g.authorizeParams(), "1001", "allow").Get("code")))
			}
		}
		t.Fatal(id)
		return nil, grantCase{}, reply{}
	}
	t.Run("slack gives two tokens with their own scopes", func(t *testing.T) {
		_, _, r := start("slack")
		if r.at("ok") != true || r.at("scope") != "users:read" || r.at("authed_user.scope") != "search:read" {
			t.Errorf("answer: %s", r.text)
		}
		if user := r.text1("authed_user.access_token"); user == "" || user == r.at("access_token") {
			t.Errorf("answer: %s", r.text)
		}
	})
	t.Run("salesforce says where its API is and not when the token ends", func(t *testing.T) {
		c, _, r := start("salesforce")
		instance := r.text1("instance_url")
		if instance != "https://simulated.my.salesforce.com" || r.at("expires_in") != nil {
			t.Fatalf("answer: %s", r.text)
		}
		if r := c.send(request{url: instance + "/services/data/v62.0/sobjects", header: bearer(r.text1("access_token"))}); r.status != 200 {
			t.Errorf("call: %d %s", r.status, r.text)
		}
	})
	t.Run("xero lists organisations and keeps the old refresh token good for a while", func(t *testing.T) {
		c, g, r := start("xero")
		list := c.send(request{url: "https://api.xero.com/connections", header: bearer(r.text1("access_token"))})
		entries, _ := list.body.([]any)
		if len(entries) != 2 || list.at("0.tenantId") != "1001-org-1" || list.at("0.tenantName") == nil {
			t.Errorf("connections: %s", list.text)
		}
		for range 2 {
			if r := c.send(g.renew("", r.text1("refresh_token"))); r.status != 200 || r.text1("refresh_token") == "" {
				t.Errorf("refresh: %d %s", r.status, r.text)
			}
		}
	})
	t.Run("github joins scopes with commas and has e-mails elsewhere", func(t *testing.T) {
		c, g, r := start("github")
		if r.at("scope") != "read:user,user:email" {
			t.Errorf("scope: %s", r.text)
		}
		q := g.apiCall(r.text1("access_token"))
		q.url = "https://api.github.com/user/emails"
		if r := c.send(q); r.at("0.email") != "ana@example.com" || r.at("0.primary") != true || r.at("0.verified") != true {
			t.Errorf("emails: %s", r.text)
		}
	})
	t.Run("google names itself in the callback", func(t *testing.T) {
		c, g, _ := start("google")
		if q := c.allow(g.authorize, g.authorizeParams(), "1001", "deny"); q.Get("iss") != "https://accounts.google.com" || q.Get("error") != "access_denied" || q.Get("code") != "" {
			t.Errorf("callback: %v", q)
		}
	})
}
