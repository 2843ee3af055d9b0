package simulator_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dowel/engine/simulator"
)

func caseOf(t *testing.T, id string) grantCase {
	t.Helper()
	for _, g := range grantCases() {
		if g.id == id {
			return g
		}
	}
	t.Fatal(id)
	return grantCase{}
}

func TestTokenRequestsThatTheRFCsForbidAreRefused(t *testing.T) {
	tests := []struct {
		name, id string
		change   func(*request)
		status   int
		code     string
	}{
		{"wrong secret in the body", "google", func(q *request) { q.form.Set("client_secret", "other") }, 401, "invalid_client"},
		{"wrong secret in the header", "airtable", func(q *request) { q.client, q.basic = false, [2]string{url.QueryEscape(appID), "other"} }, 401, "invalid_client"},
		{"a header that is not form-encoded", "airtable", func(q *request) { q.client, q.basic = false, [2]string{appID, appSecret} }, 401, "invalid_client"},
		{"no client at all", "airtable", func(q *request) { q.client = false }, 401, "invalid_client"},
		{"header and body", "airtable", func(q *request) { q.form.Set("client_secret", appSecret) }, 400, "invalid_request"},
		{"body and header", "google", func(q *request) { q.client = true }, 400, "invalid_request"},
		{"another redirect URI", "google", func(q *request) { q.form.Set("redirect_uri", redirectURI+"/") }, 400, "invalid_grant"},
		{"no redirect URI", "google", func(q *request) { q.form.Del("redirect_uri") }, 400, "invalid_grant"},
		{"no verifier", "airtable", func(q *request) { q.form.Del("code_verifier") }, 400, "invalid_grant"},
		{"another verifier", "airtable", func(q *request) { q.form.Set("code_verifier", verifier[1:]+"x") }, 400, "invalid_grant"},
		{"an unknown code", "google", func(q *request) { q.form.Set("code", "sim-code-x") }, 400, "invalid_grant"},
		{"a repeated parameter", "google", func(q *request) { q.form.Add("code", "other") }, 400, "invalid_request"},
		{"no grant type", "google", func(q *request) { q.form.Del("grant_type") }, 400, "unsupported_grant_type"},
		{"the secret in the address", "google", func(q *request) { q.url += "?client_secret=" + url.QueryEscape(appSecret) }, 400, "invalid_request"},
		{"JSON where a form is wanted", "google", func(q *request) { q.form, q.json = nil, map[string]any{"grant_type": "authorization_code"} }, 400, "invalid_request"},
		{"a form where JSON is wanted", "notion", func(q *request) { q.form, q.json = url.Values{"grant_type": {"authorization_code"}}, nil }, 400, "invalid_request"},
		{"GET", "google", func(q *request) { q.method = "GET" }, 405, "invalid_request"},
		{"a parameter the provider wants", "shopify", func(q *request) { q.form.Del("expiring") }, 400, "invalid_request"},
		{"a header the provider wants", "notion", func(q *request) { q.header = nil }, 400, "invalid_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := caseOf(t, tt.id)
			c := newClient(t, tt.id, tokenOptions)
			code := c.allow(g.authorize, g.authorizeParams(), "1001", "allow").Get("code")
			q := g.exchange(code)
			tt.change(&q)
			if r := c.send(q); r.status != tt.status || r.at("error") != tt.code || r.at("access_token") != nil {
				t.Errorf("answer: %d %s; want %d %s", r.status, r.text, tt.status, tt.code)
			}
			if r := c.send(g.exchange(code)); r.status != 200 {
				t.Errorf("the code was used up by a refused request: %d %s", r.status, r.text)
			}
		})
	}
}

func TestACodeIsGoodOnceAndNotForLong(t *testing.T) {
	o := tokenOptions
	o.CodeLifetime = 150 * time.Millisecond
	g := caseOf(t, "google")
	c := newClient(t, g.id, o)
	code := c.allow(g.authorize, g.authorizeParams(), "1001", "allow").Get("code")
	first := c.send(g.exchange(code))
	if r := c.send(g.exchange(code)); r.at("error") != "invalid_grant" {
		t.Errorf("second use: %d %s", r.status, r.text)
	}
	if r := c.send(g.apiCall(first.text1("access_token"))); r.status != http.StatusUnauthorized {
		t.Errorf("what the code was traded for lives on: %d %s", r.status, r.text)
	}
	code = c.allow(g.authorize, g.authorizeParams(), "1001", "allow").Get("code")
	time.Sleep(2 * o.CodeLifetime)
	if r := c.send(g.exchange(code)); r.at("error") != "invalid_grant" {
		t.Errorf("after its end: %d %s", r.status, r.text)
	}
	c.sim.Register(g.id, "another", appSecret, redirectURI)
	code = c.allow(g.authorize, g.authorizeParams(), "1001", "allow").Get("code")
	q := g.exchange(code)
	q.form.Set("client_id", "another")
	if r := c.send(q); r.at("error") != "invalid_grant" {
		t.Errorf("another client's code: %d %s", r.status, r.text)
	}
}

func TestAuthorizationRequestsThatAreUnsound(t *testing.T) {
	tests := []struct {
		name   string
		change func(url.Values)
		// want is the error in the redirect; empty: a page, and the browser goes nowhere.
		want string
	}{
		{"an unknown client", func(v url.Values) { v.Set("client_id", "nobody") }, ""},
		{"a redirect URI that is longer", func(v url.Values) { v.Set("redirect_uri", redirectURI+"/x") }, ""},
		{"no redirect URI", func(v url.Values) { v.Del("redirect_uri") }, ""},
		{"a repeated parameter", func(v url.Values) { v.Add("redirect_uri", "https://evil.example/") }, ""},
		{"no state", func(v url.Values) { v.Del("state") }, ""},
		{"another response type", func(v url.Values) { v.Set("response_type", "token") }, "unsupported_response_type"},
		{"no challenge", func(v url.Values) { v.Del("code_challenge"); v.Del("code_challenge_method") }, "invalid_request"},
		{"the verifier as the challenge", func(v url.Values) { v.Set("code_challenge", verifier); v.Set("code_challenge_method", "plain") }, "invalid_request"},
		{"a padded challenge", func(v url.Values) { v.Set("code_challenge", challenge(verifier)+"=") }, "invalid_request"},
		{"a method without a challenge", func(v url.Values) { v.Del("code_challenge") }, "invalid_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := caseOf(t, "airtable")
			c := newClient(t, g.id, tokenOptions)
			params := g.authorizeParams()
			tt.change(params)
			r := c.send(request{url: g.authorize + "?" + params.Encode()})
			to, _ := url.Parse(r.header.Get("Location"))
			if tt.want == "" && (r.status != 400 || to.String() != "" || !strings.Contains(r.text, `role="alert"`)) {
				t.Errorf("answer: %d, to %q; want a page", r.status, to)
			}
			if tt.want != "" && (r.status != 303 || to.Query().Get("error") != tt.want || to.Query().Get("state") != "state-1") {
				t.Errorf("answer: %d, to %q; want error %s", r.status, to, tt.want)
			}
			if s := c.sim.Stats(g.id); s.Authorize != 0 {
				t.Errorf("the consent page was shown")
			}
		})
	}
}

func TestPKCEIsRefusedWhereTheDefinitionSaysItIsOff(t *testing.T) {
	g := caseOf(t, "shopify")
	c := newClient(t, g.id, tokenOptions)
	params := g.authorizeParams()
	params.Set("code_challenge", challenge(verifier))
	params.Set("code_challenge_method", "S256")
	r := c.send(request{url: g.authorize + "?" + params.Encode()})
	if !strings.Contains(r.header.Get("Location"), "error=invalid_request") {
		t.Errorf("answer: %d, to %q", r.status, r.header.Get("Location"))
	}
}

func TestTheConsentPageIsHonestAndStrict(t *testing.T) {
	g := caseOf(t, "google")
	c := newClient(t, g.id, tokenOptions)
	params := g.authorizeParams()
	params.Set("scope", "openid <script>alert(1)</script>")
	page := c.send(request{url: g.authorize + "?" + params.Encode()})
	for _, want := range []string{"Simulated Google", "no real account is involved", "ana@example.com", "ben@example.com", appID, "openid", "Allow", "Deny", `lang="en"`} {
		if !strings.Contains(page.text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page.text, "<script") {
		t.Error("the page has a script")
	}
	csp := page.header.Get("Content-Security-Policy")
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page.text)
	sum := sha256.Sum256([]byte(style[1]))
	for _, want := range []string{"default-src 'none'", "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'", "frame-ancestors 'none'", "form-action 'self' http://127.0.0.1:8080;"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy %q lacks %q", csp, want)
		}
	}
	form := url.Values{"request": {ticket.FindStringSubmatch(page.text)[1]}, "account": {"1001"}, "decision": {"allow"}}
	first := c.send(request{method: "POST", url: g.authorize, form: form})
	form.Set("decision", "deny") // too late
	again := c.send(request{method: "POST", url: g.authorize, form: form})
	if first.status != 303 || again.status != 303 || first.header.Get("Location") != again.header.Get("Location") {
		t.Errorf("a question answered twice leads to %s and to %s", first.header.Get("Location"), again.header.Get("Location"))
	}
	form.Set("request", "ask-unknown")
	if r := c.send(request{method: "POST", url: g.authorize, form: form}); r.status != 400 {
		t.Errorf("a question nobody put: %d", r.status)
	}
}

func TestOptionsReplaceWhatDefinitionsSayAboutRotation(t *testing.T) {
	refresh := func(o simulator.Options, times int) (reply, simulator.Stats) {
		g := caseOf(t, "airtable")
		c := newClient(t, g.id, o)
		r := c.send(g.exchange(c.allow(g.authorize, g.authorizeParams(), "1001", "allow").Get("code")))
		token := r.text1("refresh_token")
		for range times {
			r = c.send(g.renew("", token))
		}
		return r, c.sim.Stats(g.id)
	}
	never, grace := tokenOptions, tokenOptions
	never.Rotate, grace.ReuseGrace = "never", time.Minute
	if r, _ := refresh(never, 3); r.status != 200 || r.at("refresh_token") != nil {
		t.Errorf("never: %d %s", r.status, r.text)
	}
	if r, s := refresh(grace, 3); r.status != 200 || r.at("refresh_token") == nil || s.ReuseDetected != 0 {
		t.Errorf("grace: %d %s", r.status, r.text)
	}
	if r, s := refresh(tokenOptions, 2); r.status != 400 || s.ReuseDetected != 1 {
		t.Errorf("as defined: %d %s", r.status, r.text)
	}
	marked := tokenOptions
	marked.Mark = "CANARY"
	if r, _ := refresh(marked, 1); !strings.Contains(r.text1("access_token"), "CANARY") || !strings.Contains(r.text1("refresh_token"), "CANARY") {
		t.Errorf("marked: %s", r.text)
	}
}
