package auth_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// A signIn is a provider that people sign in with, as its own documents have it: what it is asked, and how
// it answers. Nothing here is derived from the definition, which could only agree with itself.
//
// In answers "@id" stands for the person's id, and @id_token for the ID token.
type signIn struct {
	row, connector, method string
	inputs                 map[string]string
	// server is the one that the app is registered at, where a person types which is meant: the secret goes to
	// no other.
	server string

	authorize string            // where the browser goes, without the query
	query     map[string]string // what it takes along; empty: it must not
	noPKCE    bool
	callback  url.Values // how it comes back, beside code and state

	token     string            // "METHOD address" of the endpoint
	tokenSent []string          // parts of what goes there
	answer    string            // what comes back
	claims    claims            // of the ID token, beside those that every one has
	answers   map[string]string // to all other requests
	headers   map[string]string // what those must carry, by "METHOD address header"

	id      string // the person's
	integer bool   // it is a number in the answers
	want    auth.Identity

	refusal, refused string // an error of the token endpoint, and the code that it is read as
	cases            []signInCase
}

// A signInCase changes answers and says what comes of it.
type signInCase struct {
	name     string
	swap     []string // pairs: what is in an answer, and what is there instead
	claims   claims   // those that differ; nil takes one away
	callback url.Values
	want     func(*auth.Identity)
	code     string // of the fault, if there is to be one
}

func TestWhoEveryProviderSaysSomebodyIs(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range signIns() {
		seen[s.row] = true
		t.Run(s.row+" "+s.connector, func(t *testing.T) {
			t.Parallel()
			s.test(t)
		})
	}
	if len(seen) != 29 {
		t.Errorf("%d providers, want 29", len(seen))
	}
}

func (s *signIn) test(t *testing.T) {
	asText := `"` + s.id + `"`
	same := signInCase{name: "as documented"}
	s.play(t, same, asText)
	if s.integer {
		same.name = "the id as a number"
		s.play(t, same, s.id)
	}
	for _, c := range s.cases {
		s.play(t, c, asText)
	}
	t.Run("refused", func(t *testing.T) {
		r, p := s.begin(t, signInCase{}, asText)
		_, err := s.comeBack(t, r, p, signInCase{}, s.refusal)
		var pe *auth.ProviderError
		if !errors.As(err, &pe) || pe.Code != s.refused {
			t.Errorf("Complete: %v (%+v), want the provider's code %q", err, pe, s.refused)
		}
	})
}

func (s *signIn) play(t *testing.T, c signInCase, id string) {
	t.Run(c.name, func(t *testing.T) {
		r, p := s.begin(t, c, id)
		got, err := s.identify(t, r, p, c, id)
		if code := faultCode(err); code != c.code {
			t.Fatalf("%v (code %q), want code %q", err, code, c.code)
		}
		want := s.want
		switch {
		case c.code != "":
			want = auth.Identity{}
		case c.want != nil:
			c.want(&want)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("identity (-want +got):\n%s", diff)
		}
	})
}

func faultCode(err error) string {
	var pe *auth.ProviderError
	f := fault.As(err)
	switch {
	case err == nil:
		return ""
	case f != nil && f.Code != "":
		return f.Code
	case errors.As(err, &pe) && pe.Code != "":
		return pe.Code
	}
	return "?"
}

// begin makes the request for s, and the provider.
func (s *signIn) begin(t *testing.T, c signInCase, id string) (auth.Request, *provider) {
	t.Helper()
	answers := map[string]string{}
	for at, text := range s.answers {
		answers[at] = strings.ReplaceAll(swapped(text, c.swap), `"@id"`, id)
	}
	for i := 0; i < len(c.swap); i += 2 {
		all := strings.Join(slices.Collect(maps.Values(s.answers)), "\n") + s.answer
		if !strings.Contains(all, c.swap[i]) {
			t.Fatalf("no answer contains %s", c.swap[i])
		}
	}
	r, p := connect(t, shipped(t, s.connector), answers)
	if s.method != "" {
		i := slices.IndexFunc(r.Connector.Auth, func(a *definition.Auth) bool { return a.ID == s.method })
		r.Auth = r.Connector.Auth[i]
	}
	for _, f := range slices.Concat(r.Connector.Inputs, r.Auth.Fields) {
		if f.Default != "" {
			r.Inputs[f.Name] = f.Default
		}
	}
	maps.Copy(r.Inputs, s.inputs)
	r.Fields = auth.Values(r.Inputs)
	der, err := x509.MarshalPKCS8PrivateKey(theirEC())
	if err != nil {
		t.Fatal(err)
	}
	r.App.Fields = map[string]secret.Value{
		"team_id": secret.New("A1B2C3D4E5"), "key_id": secret.New("F6G7H8I9J0"),
		"private_key": secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))),
	}
	if r.Discovered, err = auth.Discover(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.App.ID, r.App.Server = "app_1", s.server
	s.checkServer(t, r)
	return r, p
}

// checkServer has the app used at its own server and at no other, and nobody asked where that is who need not
// say it.
func (s *signIn) checkServer(t *testing.T, r auth.Request) {
	t.Helper()
	if err := r.CheckApp(); err != nil {
		t.Fatalf("an app that is registered at %q: %v", s.server, err)
	}
	for _, other := range []string{"", "https://other.example.com", s.server + ".example.com"} {
		r.App.Server = other
		if err := r.CheckApp(); s.server != "" && (fault.As(err) == nil || fault.As(err).Code != "app-missing") {
			t.Errorf("an app that is registered at %q: %v, want app-missing", other, err)
		}
	}
}

func swapped(text string, pairs []string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// comeBack has the browser go there and come back, and the token endpoint answer.
func (s *signIn) comeBack(t *testing.T, r auth.Request, p *provider, c signInCase, answer string) (auth.Done, error) {
	t.Helper()
	m := methodOf(t, r)
	step, pending, err := m.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	s.checkAuthorize(t, step.(auth.Redirect).URL)
	p.mu.Lock()
	p.answers[s.token] = strings.ReplaceAll(answer, "@id_token", s.idToken(t, c, pending.Nonce))
	p.mu.Unlock()
	back := url.Values{"code": {"the-code"}, "state": {pending.State}}
	maps.Copy(back, s.callback)
	maps.Copy(back, c.callback)
	step, err = m.Complete(t.Context(), r, pending, auth.Answer{Query: back})
	done, _ := step.(auth.Done)
	return done, err
}

func (s *signIn) checkAuthorize(t *testing.T, u *url.URL) {
	t.Helper()
	// The test's provider answers at an address of its own, with the real one behind it.
	if at := "https:/" + u.Path; at != s.authorize {
		t.Errorf("the browser goes to %s, want %s", at, s.authorize)
	}
	got := u.Query()
	want := map[string]string{"response_type": "code", "client_id": "client", "redirect_uri": "https://dowel.example/callback"}
	maps.Copy(want, s.query)
	for name, value := range want {
		if got.Get(name) != value || len(got[name]) > 1 {
			t.Errorf("authorize: %s = %q, want %q", name, got[name], value)
		}
	}
	if pkce := got.Get("code_challenge_method") == "S256" && len(got.Get("code_challenge")) == 43; pkce == s.noPKCE || s.noPKCE && got.Has("code_challenge") {
		t.Errorf("authorize: PKCE %t", pkce)
	}
	if len(got.Get("state")) < 43 || got.Has("nonce") != (s.claims != nil) {
		t.Errorf("authorize: state %q, nonce %q", got["state"], got["nonce"])
	}
}

// idToken is signed by the provider.
func (s *signIn) idToken(t *testing.T, c signInCase, nonce string) string {
	t.Helper()
	if s.claims == nil {
		return ""
	}
	now := time.Now()
	all := claims{"aud": "client", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "nonce": nonce}
	maps.Copy(all, s.claims)
	maps.Copy(all, c.claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	head := claims{"alg": "RS256", "kid": "rsa"}
	if alg, odd := all["(alg)"]; odd {
		head["alg"] = alg
	}
	delete(all, "(alg)")
	if head["alg"] == "none" {
		return segment(head) + "." + segment(all) + "."
	}
	return sign(head, segment(all), theirKey())
}

// identify plays the whole of s, and reads who it is.
func (s *signIn) identify(t *testing.T, r auth.Request, p *provider, c signInCase, id string) (auth.Identity, error) {
	t.Helper()
	done, err := s.comeBack(t, r, p, c, strings.ReplaceAll(swapped(s.answer, c.swap), `"@id"`, id))
	if err != nil {
		return auth.Identity{}, err
	}
	s.checkToken(t, p)
	r.Captured = done.Captured
	m := methodOf(t, r)
	var tested *auth.Reply
	reply, err := auth.Test(t.Context(), m, r, done.Credential)
	switch {
	case err == nil:
		tested = &reply
	case !errors.Is(err, auth.ErrNoTest):
		return auth.Identity{}, err
	}
	got, err := auth.Identify(t.Context(), m, r, done.Credential, tested)
	if err == nil && c.swap == nil {
		s.checkHeaders(t, p)
	}
	return got, err
}

func (s *signIn) checkToken(t *testing.T, p *provider) {
	t.Helper()
	for _, line := range p.requests() {
		if !strings.HasPrefix(line, s.token) {
			continue
		}
		for _, part := range slices.Concat([]string{"the-code"}, s.tokenSent) {
			if !strings.Contains(line, part) {
				t.Errorf("the token endpoint is sent %s, without %s", line, part)
			}
		}
		return
	}
	t.Error("the token endpoint was not asked")
}

func (s *signIn) checkHeaders(t *testing.T, p *provider) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for at, want := range s.headers {
		i := strings.LastIndex(at, " ")
		if got := p.sent[at[:i]].Get(at[i+1:]); got != want {
			t.Errorf("%s = %q, want %q", at, got, want)
		}
	}
	for at, text := range s.answers {
		if strings.HasPrefix(text, "{") && !json.Valid([]byte(text)) {
			t.Errorf("%s answers what is no JSON", at)
		}
	}
}
