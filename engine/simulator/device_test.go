package simulator_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"dowel/engine/definition"
	"dowel/engine/simulator"
)

const (
	deviceEndpoint = "https://login.example.com/device/code"
	deviceToken    = "https://login.example.com/token"
	deviceGrant    = "urn:ietf:params:oauth:grant-type:device_code"
)

// deviceOptions are of a provider that need not be waited for long.
var deviceOptions = simulator.Options{DeviceInterval: 40 * time.Millisecond} //nolint:gochecknoglobals // a constant

func newDeviceClient(t *testing.T, o simulator.Options) *client {
	t.Helper()
	return newClientOf(t, example(t, "device"), "device", o)
}

func deviceRequest() request {
	return request{method: "POST", url: deviceEndpoint, form: url.Values{"client_id": {appID}, "scope": {"read offline"}}}
}

func poll(code string) request {
	return request{method: "POST", url: deviceToken, form: url.Values{"grant_type": {deviceGrant}, "device_code": {code}, "client_id": {appID}}}
}

// code asks for a device code.
func (c *client) code() reply {
	c.t.Helper()
	r := c.send(deviceRequest())
	if r.status != 200 || r.text1("device_code") == "" || r.text1("user_code") == "" {
		c.t.Fatalf("device authorization: %d %s", r.status, r.text)
	}
	return r
}

// enter enters a user code as somebody.
func (c *client) enter(page, decision string) reply {
	c.t.Helper()
	shown := c.send(request{url: page})
	m := ticket.FindStringSubmatch(shown.text)
	if m == nil {
		c.t.Fatalf("the page does not take the code: %d %s", shown.status, shown.text)
	}
	where, _, _ := strings.Cut(page, "?")
	return c.send(request{method: "POST", url: where, form: url.Values{"request": {m[1]}, "account": {"1002"}, "decision": {decision}}})
}

func TestADeviceIsGivenATokenOnceItsPersonAllows(t *testing.T) {
	c := newDeviceClient(t, deviceOptions)
	r := c.code()
	if r.at("interval") != 0.04 || r.at("expires_in") != float64(600) {
		t.Errorf("interval %v, expires_in %v", r.at("interval"), r.at("expires_in"))
	}
	code := r.text1("device_code")
	if p := c.send(poll(code)); p.status != 400 || p.at("error") != "authorization_pending" {
		t.Errorf("before anybody decided: %d %s", p.status, p.text)
	}
	if page := c.send(request{url: r.text1("verification_uri")}); !strings.Contains(page.text, `name="user_code"`) {
		t.Errorf("the page does not ask for the code: %s", page.text)
	}
	if page := c.enter(r.text1("verification_uri_complete"), "allow"); !strings.Contains(page.text, "You have allowed access") {
		t.Errorf("after the decision: %s", page.text)
	}
	time.Sleep(50 * time.Millisecond)
	p := c.send(poll(code))
	if p.status != 200 || p.text1("access_token") == "" || p.text1("refresh_token") == "" || p.text1("scope") != "read offline" {
		t.Fatalf("after the decision: %d %s", p.status, p.text)
	}
	who := c.send(request{url: "https://api.example.com/me", header: bearer(p.text1("access_token"))})
	if who.text1("id") != "1002" {
		t.Errorf("the token is %s", who.text)
	}
	if again := c.send(poll(code)); again.status != 400 || again.at("error") != "invalid_grant" {
		t.Errorf("the code counts a second time: %d %s", again.status, again.text)
	}
}

func TestAUserCodeIsTakenAsPeopleTypeIt(t *testing.T) {
	c := newDeviceClient(t, deviceOptions)
	r := c.code()
	typed := strings.ToLower(strings.ReplaceAll(r.text1("user_code"), "-", " "))
	c.enter(r.text1("verification_uri")+"?user_code="+url.QueryEscape(typed), "allow")
	if p := c.send(poll(r.text1("device_code"))); p.status != 200 {
		t.Errorf("%d %s", p.status, p.text)
	}
}

func TestADeviceThatPollsTooFastHasToSlowDown(t *testing.T) {
	c := newDeviceClient(t, simulator.Options{})
	code := c.code().text1("device_code")
	for i, want := range []string{"authorization_pending", "slow_down", "slow_down"} {
		if p := c.send(poll(code)); p.at("error") != want {
			t.Errorf("poll %d: %s, want %s", i+1, p.text, want)
		}
	}
	// However much the person allows: first come the manners.
	r := c.code()
	c.send(poll(r.text1("device_code")))
	c.enter(r.text1("verification_uri_complete"), "allow")
	if p := c.send(poll(r.text1("device_code"))); p.at("error") != "slow_down" {
		t.Errorf("after the decision: %s", p.text)
	}
}

func TestADeviceLearnsOfADenialAndOfTheEnd(t *testing.T) {
	c := newDeviceClient(t, deviceOptions)
	r := c.code()
	c.enter(r.text1("verification_uri_complete"), "deny")
	if p := c.send(poll(r.text1("device_code"))); p.at("error") != "access_denied" {
		t.Errorf("after a denial: %s", p.text)
	}
	if page := c.send(request{url: r.text1("verification_uri_complete")}); !strings.Contains(page.text, "used already") {
		t.Errorf("the code is asked for again: %s", page.text)
	}
	r = c.code()
	c.sim.ExpireDevices("device")
	if p := c.send(poll(r.text1("device_code"))); p.at("error") != "expired_token" {
		t.Errorf("after its end: %s", p.text)
	}
	if page := c.send(request{url: r.text1("verification_uri_complete")}); !strings.Contains(page.text, "too old") {
		t.Errorf("the page takes a code after its end: %s", page.text)
	}
}

func TestDeviceRequestsThatTheRFCsForbidAreRefused(t *testing.T) {
	c := newDeviceClient(t, deviceOptions)
	code := c.code().text1("device_code")
	c.sim.Register("device", "another app", "x", redirectURI)
	for _, tt := range []struct {
		name   string
		ask    request
		change func(*request)
		status int
		code   string
	}{
		{"no client", deviceRequest(), func(q *request) { q.form.Del("client_id") }, 401, "invalid_client"},
		{"an unknown client", deviceRequest(), func(q *request) { q.form.Set("client_id", "nobody") }, 401, "invalid_client"},
		{"a secret of a public client", deviceRequest(), func(q *request) { q.form.Set("client_secret", appSecret) }, 400, "invalid_request"},
		{"a required scope is missing", deviceRequest(), func(q *request) { q.form.Set("scope", "read") }, 400, "invalid_scope"},
		{"a repeated parameter", deviceRequest(), func(q *request) { q.form.Add("scope", "read") }, 400, "invalid_request"},
		{"GET", deviceRequest(), func(q *request) { q.method, q.url, q.form = "GET", q.url+"?"+q.form.Encode(), nil }, 405, "invalid_request"},
		{"JSON", deviceRequest(), func(q *request) { q.form, q.json = nil, map[string]any{"client_id": appID} }, 400, "invalid_request"},

		{"no device code", poll(code), func(q *request) { q.form.Del("device_code") }, 400, "invalid_grant"},
		{"an unknown device code", poll(code), func(q *request) { q.form.Set("device_code", "sim-device-x") }, 400, "invalid_grant"},
		{"a device code of another client", poll(code), func(q *request) { q.form.Set("client_id", "another app") }, 400, "invalid_grant"},
		{"a device code as another grant", poll(code), func(q *request) { q.form.Set("grant_type", "authorization_code") }, 400, "unsupported_grant_type"},
		{"a device code in the address", poll(code), func(q *request) { q.url += "?device_code=x" }, 400, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.change(&tt.ask)
			if r := c.send(tt.ask); r.status != tt.status || r.at("error") != tt.code {
				t.Errorf("answer: %d %s; want %d %s", r.status, r.text, tt.status, tt.code)
			}
		})
	}
}

// A provider whose answers say by their status alone why there is no token yet.
func TestAStatusIsTheWordOfADefinitionThatReadsItSo(t *testing.T) {
	k, findings := definition.Parse("device.yaml", []byte(`id: device
name: Devices
hosts: [login.example.com]
auth:
  - id: code
    kind: oauth2_device_code
    device: {url: https://login.example.com/device/code}
    scopes: {default: [read, offline]}
    token:
      url: https://login.example.com/token
      client_auth: none
      error: 'response.status == 400 ? "authorization_pending" : response.status == 429 ? "slow_down" : response.status == 418 ? "access_denied" : "invalid_grant"'
`))
	if k == nil {
		t.Fatal(findings)
	}
	c := newClientOf(t, definition.NewCatalog([]*definition.Connector{k}), "device", deviceOptions)
	r := c.code()
	code := r.text1("device_code")
	for i, want := range []int{400, 429} {
		if p := c.send(poll(code)); p.status != want {
			t.Errorf("poll %d: %d %s, want %d", i+1, p.status, p.text, want)
		}
	}
	if p := c.send(poll("unknown")); p.status != 401 {
		t.Errorf("an unknown code: %d %s, which none of the words has", p.status, p.text)
	}
	c.enter(r.text1("verification_uri_complete"), "deny")
	if p := c.send(poll(code)); p.status != 418 {
		t.Errorf("after a denial: %d %s", p.status, p.text)
	}
}
