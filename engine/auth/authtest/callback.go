package authtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
)

// begin returns the address the browser is sent to and what is pending.
func (b *bench) begin(t *testing.T) (*url.URL, auth.Pending) {
	t.Helper()
	step, p, err := b.method.Begin(t.Context(), b.request)
	if err != nil {
		t.Fatal(err)
	}
	to, ok := step.(auth.Redirect)
	if !ok {
		t.Fatalf("Begin: step %T, want a redirect", step)
	}
	return to.URL, p
}

// named is the name a standard parameter of the authorization request goes by.
func (b *bench) named(standard string) string {
	if name, renamed := b.request.Auth.Authorize.Names[standard]; renamed {
		return name
	}
	return standard
}

// parameters are those of an authorization request: in the query, or in that of the fragment.
func parameters(t *testing.T, u *url.URL) url.Values {
	t.Helper()
	query := u.RawQuery
	if u.Fragment != "" {
		if query != "" {
			t.Errorf("there are parameters before the fragment: %s", u)
		}
		_, query, _ = strings.Cut(u.EscapedFragment(), "?")
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func testAuthorize(t *testing.T, b *bench) {
	u, p := b.begin(t)
	q := b.asked(t, u)
	for name, v := range q {
		if len(v) > 1 || v[0] == "" {
			t.Errorf("%s = %q", name, v)
		}
	}
	if signsOAuth1(b) {
		if len(q) != 1+len(b.request.Auth.Authorize.Params) || q.Get("oauth_token") != theTemporary {
			t.Errorf("the browser brings %v, want the temporary credentials", q)
		}
		return
	}
	id, _ := b.client()
	want := map[string]string{"client_id": id, "redirect_uri": redirectURI, "state": p.State}
	if codes(b) {
		want["response_type"] = "code"
	}
	if b.request.Auth.Authorize.StateIn == definition.InRedirectURI {
		want["redirect_uri"] += "?state=" + p.State
		delete(want, "state")
	}
	for standard, want := range want {
		name := b.named(standard)
		own := slices.ContainsFunc(b.request.Auth.Authorize.Params, func(p definition.Param) bool { return p.Name == name })
		if name != "" && !own && q.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, q.Get(name), want)
		}
		if name == "" && q.Has(standard) {
			t.Errorf("%s is sent though the definition drops it", standard)
		}
	}
	for _, own := range b.request.Auth.Authorize.Params {
		if own.Value.Literal() && !own.Drop && q.Get(own.Name) != own.Value.Source {
			t.Errorf("%s = %q, want %q", own.Name, q.Get(own.Name), own.Value.Source)
		}
	}
	if strings.Contains(u.String(), Canary) {
		t.Error("there is a secret in the address")
	}
	// RFC 6749 §10.10, and providers that cut a longer one.
	if len(p.State) < 22 || len(p.State) > 64 {
		t.Errorf("the state has %d characters", len(p.State))
	}
	if _, again := b.begin(t); again.State == p.State || again.Verifier != "" && again.Verifier == p.Verifier {
		t.Error("state or verifier is used twice")
	}
}

// verifierForm is RFC 7636 §4.1.
var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

func testPKCE(t *testing.T, b *bench) {
	u, p := b.begin(t)
	asked := b.asked(t, u)
	if _, err := b.complete(t, p, b.brought()); err != nil {
		t.Fatal(err)
	}
	w := b.wantToken(p)
	_, params := b.provider.only(t).params(t, w.format)
	challenge, method, verifier := asked.Get("code_challenge"), asked.Get("code_challenge_method"), params["code_verifier"]
	if b.request.Auth.PKCE.Mode == "off" {
		if challenge+method+verifier != "" {
			t.Error("a challenge is sent though the definition switches it off")
		}
		return
	}
	if !verifierForm.MatchString(verifier) {
		t.Errorf("the verifier is not one: %q", verifier)
	}
	sum := sha256.Sum256([]byte(verifier))
	want, wantMethod := base64.RawURLEncoding.EncodeToString(sum[:]), "S256"
	if b.request.Auth.PKCE.Encoding == "hex" {
		want = hex.EncodeToString(sum[:])
	}
	if b.request.Auth.PKCE.Method == "plain" {
		want, wantMethod = verifier, "plain"
	}
	if challenge != want || method != wantMethod {
		t.Errorf("challenge %q (%s), want %q (%s)", challenge, method, want, wantMethod)
	}
}

func testNoApp(t *testing.T, b *bench) {
	if b.request.App.ClientID == "" {
		return // the person brings the client
	}
	b.request.App = auth.App{}
	_, _, err := b.method.Begin(t.Context(), b.request)
	if fault.KindOf(err) != fault.Misconfigured || fault.As(err).Code != "app-missing" {
		t.Errorf("without a client id: %v, want misconfigured, app-missing", err)
	}
}

func testCallbackErrors(t *testing.T, b *bench) {
	code := b.codeParam()
	for _, tt := range []struct {
		name  string
		query url.Values
		kind  fault.Kind
		code  string
	}{
		{"denied", url.Values{"error": {"access_denied"}, "error_description": {"The user said\r\nno\u202e <b>"}}, fault.Refused, "access_denied"},
		{"error beside a code", url.Values{"error": {"access_denied"}, code: {theCode}}, fault.Refused, "access_denied"},
		{"busy", url.Values{"error": {"temporarily_unavailable"}}, fault.Unavailable, "temporarily_unavailable"},
		{"broken", url.Values{"error": {"server_error"}}, fault.Unavailable, "server_error"},
		{"wrong app", url.Values{"error": {"unauthorized_client"}}, fault.Misconfigured, "unauthorized_client"},
		{"code of ours", url.Values{"error": {"state-expired"}}, fault.Refused, "state_expired"},
		{"no code", url.Values{}, fault.Refused, "code-missing"},
		{"empty code", url.Values{code: {""}}, fault.Refused, "code-missing"},
		{"two codes", url.Values{code: {theCode, "other"}}, fault.Invalid, "callback-ambiguous"},
		{"twice the same code", url.Values{code: {theCode, theCode}}, fault.Invalid, "callback-ambiguous"},
		{"something else twice", url.Values{code: {theCode}, "x": {"1", "2"}}, fault.Invalid, "callback-ambiguous"},
	} {
		if strings.HasSuffix(tt.code, "code-missing") && !codes(b) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			_, p := b.begin(t)
			q := b.brought()
			q.Del(code)
			maps.Copy(q, tt.query)
			_, err := b.complete(t, p, q)
			f := fault.As(err)
			if f == nil || f.Kind != tt.kind || f.Code != tt.code {
				t.Fatalf("Complete(%v): %v, want kind %s, code %s", tt.query, err, tt.kind, tt.code)
			}
			if auth.OutcomeUnknown(err) {
				t.Error("the outcome is said to be unknown")
			}
			if n := len(b.provider.requests()); n != 0 {
				t.Errorf("the provider was sent %d requests", n)
			}
			if pe, ok := errors.AsType[*auth.ProviderError](err); ok && strings.ContainsAny(pe.Description, "\r\n\u202e") {
				t.Errorf("the description is not clean: %q", pe.Description)
			}
			if strings.Contains(fault.Public(err), "said") {
				t.Errorf("the provider's words are in our text: %q", fault.Public(err))
			}
		})
	}
}

func testIssuer(t *testing.T, b *bench) {
	address := b.request.Auth.Authorize.URL.Source
	if tokens(b) {
		address = b.request.Auth.Token.URL.Source
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Skip("the provider's address is not a plain one")
	}
	own := at.Scheme + "://" + at.Host
	declared := b.request.Auth.Issuer != nil && b.request.Auth.Issuer.Literal()
	if declared {
		own = b.request.Auth.Issuer.Source
	}
	for _, tt := range []struct {
		name, iss string
		ok        bool
	}{
		{"none", "", true},
		{"its own", own, true},
		{"another", "https://attacker.example", false},
		{"one that begins alike", own + ".attacker.example", false},
		{"no address", "provider", false},
		{"at the same host", own + "/other", !declared},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, p := b.begin(t)
			q := b.brought()
			if tt.iss != "" {
				q.Set("iss", tt.iss)
			}
			_, err := b.complete(t, p, q)
			sent := len(b.provider.requests())
			b.provider.forget()
			if tt.ok && err != nil {
				t.Errorf("iss %q: %v", tt.iss, err)
			}
			if !tt.ok && (fault.KindOf(err) != fault.Refused || fault.As(err).Code != "issuer-mismatch" || sent != 0) {
				t.Errorf("iss %q: %v after %d requests, want issuer-mismatch before any", tt.iss, err, sent)
			}
		})
	}
}
