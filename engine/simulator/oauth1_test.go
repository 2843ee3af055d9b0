package simulator_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dowel/engine/definition"
)

const flickr = "https://www.flickr.com/services/oauth/"

// escaped is RFC 5849 §3.6.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// oauth1Call signs a POST request as §3.4 says, with HMAC-SHA1 and the parameters in the header.
func oauth1Call(address, tokenSecret string, own map[string]string) request {
	params := map[string]string{
		"oauth_consumer_key": appID, "oauth_signature_method": "HMAC-SHA1",
		"oauth_timestamp": strconv.FormatInt(time.Now().Unix(), 10), "oauth_nonce": rand.Text(),
	}
	maps.Copy(params, own)
	bare, query, _ := strings.Cut(address, "?")
	all := maps.Clone(params)
	values, _ := url.ParseQuery(query)
	for name := range values {
		all[name] = values.Get(name)
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, escaped(name)+"="+escaped(all[name]))
	}
	m := hmac.New(sha1.New, []byte(escaped(appSecret)+"&"+escaped(tokenSecret)))
	m.Write([]byte("POST&" + escaped(bare) + "&" + escaped(strings.Join(pairs, "&"))))
	var header []string
	for name, v := range params {
		header = append(header, name+`="`+escaped(v)+`"`)
	}
	header = append(header, `oauth_signature="`+escaped(base64.StdEncoding.EncodeToString(m.Sum(nil)))+`"`)
	return request{method: http.MethodPost, url: address, header: map[string]string{"Authorization": "OAuth " + strings.Join(header, ", ")}}
}

// form reads the answer of a request for credentials.
func (r reply) form() url.Values {
	v, _ := url.ParseQuery(r.text)
	return v
}

// temporary asks for temporary credentials with a state in the callback address.
func (c *client) temporary() url.Values {
	c.t.Helper()
	r := c.send(oauth1Call(flickr+"request_token", "", map[string]string{"oauth_callback": redirectURI + "?state=s"}))
	if got := r.form(); r.status == http.StatusOK && got.Get("oauth_callback_confirmed") == "true" && got.Get("oauth_token") != "" && got.Get("oauth_token_secret") != "" {
		return got
	}
	c.t.Fatalf("temporary credentials: %d %s", r.status, r.text)
	return nil
}

func TestOAuth1RunsFromTemporaryCredentialsToACall(t *testing.T) {
	c := newClient(t, "flickr", tokenOptions)
	tmp := c.temporary()
	back := c.allow(flickr+"authorize", url.Values{"oauth_token": {tmp.Get("oauth_token")}, "perms": {"read"}}, "ben@example.com", "allow")
	if back.Get("state") != "s" || back.Get("oauth_token") != tmp.Get("oauth_token") || back.Get("oauth_verifier") == "" {
		t.Fatalf("the browser brings back %v", back)
	}
	trade := func(secret, verifier string) reply {
		return c.send(oauth1Call(flickr+"access_token", secret, map[string]string{"oauth_token": tmp.Get("oauth_token"), "oauth_verifier": verifier}))
	}
	for _, tt := range []struct{ name, secret, verifier, problem string }{
		{"another verifier", tmp.Get("oauth_token_secret"), "other", "verifier_invalid"},
		{"no verifier", tmp.Get("oauth_token_secret"), "", "verifier_invalid"},
		{"another secret", "other", back.Get("oauth_verifier"), "signature_invalid"},
	} {
		if r := trade(tt.secret, tt.verifier); r.status != http.StatusUnauthorized || r.form().Get("oauth_problem") != tt.problem {
			t.Errorf("%s: %d %s, want %s", tt.name, r.status, r.text, tt.problem)
		}
	}
	r := trade(tmp.Get("oauth_token_secret"), back.Get("oauth_verifier"))
	got := r.form()
	if r.status != http.StatusOK || got.Get("oauth_token") == "" || got.Get("oauth_token_secret") == "" || got.Get("username") == "" {
		t.Fatalf("the credential: %d %s", r.status, r.text)
	}
	if r := trade(tmp.Get("oauth_token_secret"), back.Get("oauth_verifier")); r.status != http.StatusUnauthorized {
		t.Errorf("the same once more: %d %s", r.status, r.text)
	}
	const api = "https://api.flickr.com/services/rest/?format=json&method=flickr.test.login&nojsoncallback=1"
	own := map[string]string{"oauth_token": got.Get("oauth_token")}
	if r := c.send(oauth1Call(api, got.Get("oauth_token_secret"), own)); r.at("simulated") != true {
		t.Errorf("a call: %d %s", r.status, r.text)
	}
	for name, call := range map[string]request{
		"with another secret":             oauth1Call(api, "other", own),
		"with the temporary credentials":  oauth1Call(api, tmp.Get("oauth_token_secret"), map[string]string{"oauth_token": tmp.Get("oauth_token")}),
		"with nobody's":                   oauth1Call(api, "", nil),
		"that is not signed, as a bearer": {url: api, header: bearer(got.Get("oauth_token"))},
	} {
		if r := c.send(call); r.at("simulated") == true {
			t.Errorf("a call %s: %d %s", name, r.status, r.text)
		}
	}
}

// A provider with one address for everything, which says in the query what is meant.
func TestWhatIsMeantAtOneAddressIsToldByItsQuery(t *testing.T) {
	k, findings := definition.Parse("wiki.yaml", []byte(`id: wiki
name: Wiki
hosts: [wiki.example.com]
auth:
  - id: account
    kind: oauth1
    request_token: {url: "https://wiki.example.com/index.php?title=initiate"}
    authorize: {url: "https://wiki.example.com/index.php?title=authorize"}
    token: {url: "https://wiki.example.com/index.php?title=token"}
api: {base_url: https://wiki.example.com}
test: {get: "/index.php?title=me"}
`))
	if k == nil {
		t.Fatal(findings)
	}
	c := newClientOf(t, definition.NewCatalog([]*definition.Connector{k}), "wiki", tokenOptions)
	const at = "https://wiki.example.com/index.php?title="
	tmp := c.send(oauth1Call(at+"initiate", "", map[string]string{"oauth_callback": redirectURI})).form()
	back := c.allow("https://wiki.example.com/index.php", url.Values{"title": {"authorize"}, "oauth_token": {tmp.Get("oauth_token")}}, "ben@example.com", "allow")
	own := map[string]string{"oauth_token": tmp.Get("oauth_token"), "oauth_verifier": back.Get("oauth_verifier")}
	r := c.send(oauth1Call(at+"token", tmp.Get("oauth_token_secret"), own))
	if got := r.form(); r.status != http.StatusOK || got.Get("oauth_token") == "" || got.Get("oauth_token") == tmp.Get("oauth_token") {
		t.Errorf("the credential: %d %s", r.status, r.text)
	}
}

func TestRequestsForTemporaryCredentialsAreJudged(t *testing.T) {
	c := newClient(t, "flickr", tokenOptions)
	at := flickr + "request_token"
	callback := map[string]string{"oauth_callback": redirectURI}
	with := func(name, value string) map[string]string {
		m := maps.Clone(callback)
		m[name] = value
		return m
	}
	again := oauth1Call(at, "", callback)
	c.send(again)
	for _, tt := range []struct {
		name    string
		call    request
		problem string
	}{
		{"not signed", request{method: http.MethodPost, url: at}, "signature_invalid"},
		{"another secret", oauth1Call(at, "x", callback), "signature_invalid"},
		{"the same again", again, "signature_invalid"},
		{"an app nobody registered", oauth1Call(at, "", with("oauth_consumer_key", "other")), "consumer_key_unknown"},
		{"no callback", oauth1Call(at, "", nil), "callback_rejected"},
		{"a callback elsewhere", oauth1Call(at, "", with("oauth_callback", "https://evil.example/callback")), "callback_rejected"},
		{"a callback that begins alike", oauth1Call(at, "", with("oauth_callback", redirectURI+".evil.example/?state=s")), "callback_rejected"},
		{"out of band", oauth1Call(at, "", with("oauth_callback", "oob")), "callback_rejected"},
		{"a token before there is one", oauth1Call(at, "", with("oauth_token", "x")), "signature_invalid"},
		{"an old request", oauth1Call(at, "", with("oauth_timestamp", "1000000000")), "signature_invalid"},
	} {
		r := c.send(tt.call)
		if got := r.form().Get("oauth_problem"); r.status < 400 || got != tt.problem {
			t.Errorf("%s: %d %s, want %s", tt.name, r.status, r.text, tt.problem)
		}
	}
}

func TestTemporaryCredentialsAreAllowedOnce(t *testing.T) {
	c := newClient(t, "flickr", tokenOptions)
	ask := func(token, perms string) reply {
		return c.send(request{url: flickr + "authorize?" + url.Values{"oauth_token": {token}, "perms": {perms}}.Encode()})
	}
	tmp := c.temporary().Get("oauth_token")
	if r := ask("unknown", "read"); ticket.MatchString(r.text) {
		t.Errorf("unknown credentials: %d", r.status)
	}
	if r := ask(tmp, "delete"); ticket.MatchString(r.text) {
		t.Errorf("more than the definition asks for: %d", r.status)
	}
	c.allow(flickr+"authorize", url.Values{"oauth_token": {tmp}, "perms": {"read"}}, "", "allow")
	if r := ask(tmp, "read"); ticket.MatchString(r.text) {
		t.Errorf("credentials that are allowed already: %d", r.status)
	}
	denied := c.allow(flickr+"authorize", url.Values{"oauth_token": {c.temporary().Get("oauth_token")}, "perms": {"read"}}, "", "deny")
	if denied.Get("oauth_verifier") != "" || denied.Get("state") != "s" {
		t.Errorf("a person who says no: %v", denied)
	}
}
