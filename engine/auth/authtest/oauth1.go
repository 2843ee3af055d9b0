package authtest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

const (
	theTemporary       = "temporary+/%=&"
	theTemporarySecret = "CANARY-temporary+/%=&"
	theVerifier        = "CANARY-verifier+/%=&"
)

// temporaryAnswers answers requests for temporary credentials (RFC 5849 §2.1), apart from all others,
// with changes laid over the answer; a change to nil takes the member away.
func (b *bench) temporaryAnswers(changes map[string]any) func(*sent) (reply, bool) {
	form := url.Values{"oauth_token": {theTemporary}, "oauth_token_secret": {theTemporarySecret}, "oauth_callback_confirmed": {"true"}}
	for k, v := range changes {
		if form.Del(k); v != nil {
			form.Set(k, definition.Text(v))
		}
	}
	return func(s *sent) (reply, bool) {
		return asText(http.StatusOK, "application/x-www-form-urlencoded", form.Encode()), s.url == b.request.Auth.RequestToken.URL.Source
	}
}

// protocol are the protocol parameters of a request, wherever the method sends them (RFC 5849 §3.5).
func (b *bench) protocol(t *testing.T, s *sent) map[string]string {
	t.Helper()
	got := map[string]string{}
	add := func(name, value string) {
		if _, twice := got[name]; twice {
			t.Errorf("%s is sent twice", name)
		}
		got[name] = value
	}
	header, found := strings.CutPrefix(s.Header.Get("Authorization"), "OAuth ")
	for _, part := range strings.Split(header, ",") {
		name, quoted, _ := strings.Cut(strings.TrimSpace(part), "=")
		value, err := url.PathUnescape(strings.Trim(quoted, `"`))
		if err != nil {
			t.Errorf("%s: %v", part, err)
		}
		if found && name != "realm" {
			add(name, value)
		}
	}
	form, err := url.ParseQuery(s.body)
	if err != nil {
		t.Errorf("the body is no form: %v", err)
	}
	for _, values := range []url.Values{s.URL.Query(), form} {
		for name, v := range values {
			if strings.HasPrefix(name, "oauth_") {
				for _, v := range v {
					add(name, v)
				}
			}
		}
	}
	return got
}

// checkProtocol checks what every request for credentials has, and the rest of the protocol parameters.
func (b *bench) checkProtocol(t *testing.T, s *sent, own map[string]string) {
	t.Helper()
	got := b.protocol(t, s)
	id, _ := b.client()
	want := map[string]string{"oauth_consumer_key": id, "oauth_signature_method": b.request.Auth.Credentials().Method}
	for name, v := range own {
		want[name] = v
	}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s = %q, want %q", name, got[name], v)
		}
		delete(got, name)
	}
	for _, name := range []string{"oauth_timestamp", "oauth_nonce", "oauth_signature"} {
		if got[name] == "" {
			t.Errorf("%s is not sent", name)
		}
		delete(got, name)
	}
	delete(got, "oauth_version")
	for name := range got {
		t.Errorf("%s is sent", name)
	}
}

func testTemporary(t *testing.T, b *bench) {
	_, p := b.begin(t)
	if len(b.provider.requests()) != 0 || len(b.provider.gotAside) != 1 {
		t.Fatalf("Begin sent %d requests and %d others", len(b.provider.gotAside), len(b.provider.requests()))
	}
	b.checkProtocol(t, b.provider.gotAside[0], map[string]string{"oauth_callback": redirectURI + "?state=" + p.State})
	if len(p.State) < 22 || len(p.State) > 64 {
		t.Errorf("the state has %d characters", len(p.State))
	}
	_, again := b.begin(t)
	if again.State == p.State {
		t.Error("a state is used twice")
	}
	nonces := map[string]bool{}
	for _, s := range b.provider.gotAside {
		nonces[b.protocol(t, s)["oauth_nonce"]] = true
	}
	if len(nonces) != 2 {
		t.Error("a nonce is used twice")
	}
	if _, err := b.complete(t, p, b.brought()); err != nil {
		t.Fatal(err)
	}
	b.checkProtocol(t, b.provider.only(t), map[string]string{"oauth_token": theTemporary, "oauth_verifier": theVerifier})

	for name, changes := range map[string]map[string]any{
		"no credentials": {"oauth_token": nil}, "no secret": {"oauth_token_secret": nil}, "not confirmed": {"oauth_callback_confirmed": nil},
		"denied": {"oauth_callback_confirmed": "false"}, "a line break": {"oauth_token": "a\r\nb"},
	} {
		t.Run(name, func(t *testing.T) {
			b.provider.answerAside(b.temporaryAnswers(changes))
			_, _, err := b.method.Begin(t.Context(), b.request)
			if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), Canary) {
				t.Errorf("%v, want the answer unreadable", err)
			}
		})
	}
}

// testOtherTemporary: a callback about other temporary credentials than the flow's own, or without a
// verifier, is refused before anything is sent.
func testOtherTemporary(t *testing.T, b *bench) {
	for _, tt := range []struct{ name, value, code string }{
		{"oauth_token", "another", "callback-mismatch"},
		{"oauth_token", theTemporary + "x", "callback-mismatch"},
		{"oauth_token", "", "callback-incomplete"},
		{"oauth_verifier", "", "access_denied"},
	} {
		_, p := b.begin(t)
		_, err := b.spoilt(t, p, tt.name, tt.value, tt.value != "")
		if f := fault.As(err); f == nil || f.Kind != fault.Refused || f.Code != tt.code {
			t.Errorf("%s = %q: %v, want refused, %s", tt.name, tt.value, err, tt.code)
		}
		if n := len(b.provider.requests()); n != 0 {
			t.Errorf("%s = %q: the provider was sent %d requests", tt.name, tt.value, n)
		}
	}
}
