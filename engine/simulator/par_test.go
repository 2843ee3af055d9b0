package simulator_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"dowel/engine/simulator"
)

const (
	parEndpoint  = "https://login.example.com/par"
	parAuthorize = "https://login.example.com/authorize"
)

func newPushClient(t *testing.T, o simulator.Options) *client {
	t.Helper()
	return newClientOf(t, example(t, "pushed"), "pushed", o)
}

func pushRequest() request {
	return request{method: "POST", url: parEndpoint, client: true, form: url.Values{
		"response_type": {"code"}, "client_id": {appID}, "redirect_uri": {redirectURI}, "state": {"state-1"}, "scope": {"read"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}}
}

// push hands an authorization request over.
func (c *client) push() string {
	c.t.Helper()
	r := c.send(pushRequest())
	uri := r.text1("request_uri")
	if r.status != 201 || uri == "" || r.at("expires_in") == nil {
		c.t.Fatalf("push: %d %s", r.status, r.text)
	}
	return uri
}

func page(uri string) url.Values { return url.Values{"client_id": {appID}, "request_uri": {uri}} }

func TestAPushedRequestIsAskedInTheBrowser(t *testing.T) {
	c := newPushClient(t, tokenOptions)
	answer := c.allow(parAuthorize, page(c.push()), "1002", "allow")
	if answer.Get("state") != "state-1" || answer.Get("code") == "" {
		t.Fatalf("callback = %v", answer)
	}
	r := c.send(request{method: "POST", url: "https://login.example.com/token", client: true, form: url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	}})
	if r.status != 200 || r.text1("scope") != "read" {
		t.Errorf("exchange: %d %s", r.status, r.text)
	}
}

func TestARequestURIThatTheRFCForbidsIsRefused(t *testing.T) {
	c := newPushClient(t, tokenOptions)
	c.sim.Register("pushed", "another app", "x", redirectURI)
	used := c.push()
	c.send(request{url: parAuthorize + "?" + page(used).Encode()})
	notPushed := pushRequest().form
	more := page(c.push())
	more.Set("scope", "read write")
	another := page(c.push())
	another.Set("client_id", "another app")
	for name, asked := range map[string]url.Values{
		"not pushed": notPushed, "used": page(used), "unknown": page("urn:ietf:params:oauth:request_uri:x"),
		"with a parameter beside it": more, "of another client": another, "without its client": {"request_uri": {c.push()}},
	} {
		p := c.send(request{url: parAuthorize + "?" + asked.Encode()})
		if p.status != 400 || !strings.Contains(p.text, "invalid_request_uri") || ticket.MatchString(p.text) {
			t.Errorf("%s: %d %s", name, p.status, p.text)
		}
	}
}

func TestARequestURIDoesNotLiveForLong(t *testing.T) {
	c := newPushClient(t, simulator.Options{PushLifetime: 30 * time.Millisecond})
	uri := c.push()
	time.Sleep(50 * time.Millisecond)
	if p := c.send(request{url: parAuthorize + "?" + page(uri).Encode()}); p.status != 400 || !strings.Contains(p.text, "invalid_request_uri") {
		t.Errorf("after its end: %d %s", p.status, p.text)
	}
}

func TestPushesThatTheRFCsForbidAreRefused(t *testing.T) {
	c := newPushClient(t, tokenOptions)
	for _, tt := range []struct {
		name   string
		change func(*request)
		status int
		code   string
	}{
		{"no client", func(q *request) { q.client = false }, 401, "invalid_client"},
		{"a wrong secret", func(q *request) { q.client, q.basic = false, [2]string{url.QueryEscape(appID), "other"} }, 401, "invalid_client"},
		{"header and body", func(q *request) { q.form.Set("client_secret", appSecret) }, 400, "invalid_request"},
		{"no client id among the parameters", func(q *request) { q.form.Del("client_id") }, 400, "invalid_request"},
		{"a request URI", func(q *request) { q.form.Set("request_uri", "urn:x") }, 400, "invalid_request"},
		{"another redirect URI", func(q *request) { q.form.Set("redirect_uri", redirectURI+"/x") }, 400, "invalid_request"},
		{"no challenge", func(q *request) { q.form.Del("code_challenge"); q.form.Del("code_challenge_method") }, 400, "invalid_request"},
		{"another response type", func(q *request) { q.form.Set("response_type", "token") }, 400, "unsupported_response_type"},
		{"in the address", func(q *request) { q.url, q.form = q.url+"?"+q.form.Encode(), url.Values{} }, 400, "invalid_request"},
		{"a repeated parameter", func(q *request) { q.form.Add("scope", "write") }, 400, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := pushRequest()
			tt.change(&q)
			if r := c.send(q); r.status != tt.status || r.at("error") != tt.code || r.at("request_uri") != nil {
				t.Errorf("answer: %d %s; want %d %s", r.status, r.text, tt.status, tt.code)
			}
		})
	}
}
