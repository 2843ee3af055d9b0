package auth_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
)

const photos = `
id: photos
name: Photos
hosts: [photos.example.net]
auth:
  - id: oauth1
    kind: oauth1
    request_token: {url: https://photos.example.net/initiate, params: {perms: "read write"}}
    authorize: {url: https://photos.example.net/authorize, params: {name: Dowel}}
    callback: {capture: {place: callback.query.place}}
    token: {url: https://photos.example.net/token, answer: {capture: {user: response.body.user_id}}}
    signature: {realm: Photos}
    revoke: {delete: https://photos.example.net/me/token}
test: {get: https://photos.example.net/me}
`

const (
	asked   = "oauth_token=tmp%2F1&oauth_token_secret=CANARY-tmp&oauth_callback_confirmed=true"
	granted = "oauth_token=at%2F1&oauth_token_secret=CANARY%20at&user_id=42"
)

// begun is the address the browser was sent to and what waits for its return.
func begun(t *testing.T, r auth.Request) (*url.URL, auth.Pending) {
	t.Helper()
	step, pending, err := auth.OAuth1().Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	to, ok := step.(auth.Redirect)
	if !ok {
		t.Fatalf("step %T", step)
	}
	return to.URL, pending
}

func TestOAuth1GoesThereAndBack(t *testing.T) {
	r, p := connect(t, photos, map[string]string{"POST https://photos.example.net/initiate": asked, "POST https://photos.example.net/token": granted, "GET https://photos.example.net/me": "{}", "DELETE https://photos.example.net/me/token": "{}"})
	to, pending := begun(t, r)
	if q := to.Query(); q.Get("oauth_token") != "tmp/1" || q.Get("name") != "Dowel" || len(q) != 2 {
		t.Errorf("the browser is sent to %s", to)
	}
	sent := p.requests()
	if len(sent) != 1 || !strings.Contains(sent[0], `OAuth realm="Photos", oauth_consumer_key="client", `) ||
		!strings.Contains(sent[0], `oauth_callback="`+url.QueryEscape("https://dowel.example/callback?state="+pending.State)+`"`) ||
		!strings.HasSuffix(sent[0], "| perms=read+write") || strings.Contains(sent[0], "oauth_token=") {
		t.Errorf("sent %q", sent)
	}
	if len(pending.State) != 43 {
		t.Errorf("state %q", pending.State)
	}
	step, err := auth.OAuth1().Complete(t.Context(), r, pending, auth.Answer{Query: url.Values{"oauth_token": {"tmp/1"}, "oauth_verifier": {"CANARY-v"}, "place": {"here"}}})
	if err != nil {
		t.Fatal(err)
	}
	done := step.(auth.Done)
	c := done.Credential
	if c.AccessToken.Reveal() != "at/1" || c.TokenSecret.Reveal() != "CANARY at" || c.TokenType != "OAuth" || c.Kind != "oauth1" || !c.ExpiresAt.IsZero() || c.Renewable(r.Auth) {
		t.Errorf("credential %q, secret %q: %+v", c.AccessToken.Reveal(), c.TokenSecret.Reveal(), c)
	}
	if diff := cmp.Diff(map[string]string{"place": "here", "user": "42"}, done.Captured); diff != "" {
		t.Errorf("captured (-want +got):\n%s", diff)
	}
	if sent := p.requests(); len(sent) != 1 || !strings.Contains(sent[0], `oauth_token="tmp%2F1"`) || !strings.Contains(sent[0], `oauth_verifier="CANARY-v"`) {
		t.Errorf("sent %q", sent)
	}
	if _, err := auth.Test(t.Context(), auth.OAuth1(), r, c); err != nil {
		t.Fatal(err)
	}
	if err := auth.OAuth1().(auth.Revoker).Revoke(t.Context(), r, c); err != nil {
		t.Fatal(err)
	}
	for _, line := range p.requests() {
		if !strings.Contains(line, `oauth_token="at%2F1"`) || !strings.Contains(line, `oauth_signature="`) {
			t.Errorf("not signed: %s", line)
		}
	}
}

func TestTemporaryCredentialsThatAreNoneStopTheFlow(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		kind   fault.Kind
	}{
		// Before 2009 a provider did not confirm the callback, and a flow could be fixed on a victim.
		"an unconfirmed callback":   {"oauth_token=t&oauth_token_secret=s", fault.Unavailable},
		"a callback denied":         {"oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=false", fault.Unavailable},
		"no token":                  {"oauth_token_secret=s&oauth_callback_confirmed=true", fault.Unavailable},
		"no secret":                 {"oauth_token=t&oauth_callback_confirmed=true", fault.Unavailable},
		"a token twice":             {"oauth_token=t&oauth_token=u&oauth_token_secret=s&oauth_callback_confirmed=true", fault.Unavailable},
		"a page":                    {"<html>", fault.Unavailable},
		"a wrong consumer":          {"401 oauth_problem=consumer_key_unknown", fault.Misconfigured},
		"a wrong secret":            {"401 Invalid signature CANARY-secret", fault.Misconfigured},
		"a wrong secret, politely":  {"400 oauth_problem=signature_invalid", fault.Misconfigured},
		"a provider that is down":   {"503 oops", fault.Unavailable},
		"one that asks to be slow":  {"429 ", fault.RateLimited},
		"something else that fails": {"400 oauth_problem=parameter_absent", fault.Refused},
	} {
		r, p := connect(t, photos, map[string]string{"POST https://photos.example.net/initiate": tt.answer})
		_, _, err := auth.OAuth1().Begin(t.Context(), r)
		if fault.KindOf(err) != tt.kind {
			t.Errorf("%s: %v, want kind %v", name, err, tt.kind)
		}
		if err != nil && strings.Contains(err.Error()+fault.Public(err), "CANARY") {
			t.Errorf("%s: a secret is told: %v", name, err)
		}
		if n := len(p.requests()); n != 1 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
	r, p := connect(t, photos, nil)
	r.App = auth.App{}
	if _, _, err := auth.OAuth1().Begin(t.Context(), r); fault.As(err) == nil || fault.As(err).Code != "app-missing" || len(p.requests()) > 0 {
		t.Errorf("without an app: %v", err)
	}
}

func TestACallbackOfOAuth1IsHeldAgainstItsFlow(t *testing.T) {
	r, p := connect(t, photos, map[string]string{"POST https://photos.example.net/initiate": asked, "POST https://photos.example.net/token": granted})
	_, pending := begun(t, r)
	p.requests()
	for name, tt := range map[string]struct {
		query string
		code  string
	}{
		"another flow's token":   {"oauth_token=other&oauth_verifier=v", "callback-mismatch"},
		"a no of another flow":   {"oauth_token=other", "callback-mismatch"},
		"no token":               {"oauth_verifier=v", "callback-incomplete"},
		"no verifier":            {"oauth_token=tmp%2F1", "access_denied"},
		"a no":                   {"denied=tmp%2F1", "access_denied"},
		"a no with a reason":     {"oauth_token=tmp%2F1&oauth_problem=permission_denied", "access_denied"},
		"two verifiers":          {"oauth_token=tmp%2F1&oauth_verifier=v&oauth_verifier=w", "callback-ambiguous"},
		"an error of OAuth 2.0":  {"error=access_denied", "access_denied"},
		"an issuer of elsewhere": {"oauth_token=tmp%2F1&oauth_verifier=v&iss=https://evil.example", "issuer-mismatch"},
	} {
		query, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = auth.OAuth1().Complete(t.Context(), r, pending, auth.Answer{Query: query})
		if f := fault.As(err); f == nil || f.Code != tt.code {
			t.Errorf("%s: %v, want code %s", name, err, tt.code)
		}
	}
	if sent := p.requests(); len(sent) > 0 {
		t.Errorf("sent %q", sent)
	}
	good := url.Values{"oauth_token": {"tmp/1"}, "oauth_verifier": {"v"}}
	if _, err := auth.OAuth1().Complete(t.Context(), r, auth.Pending{}, auth.Answer{Query: good}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a beginning: %v", err)
	}
	for answer, kind := range map[string]fault.Kind{
		"401 oauth_problem=token_rejected CANARY-tmp": fault.Refused,
		"oauth_token=&oauth_token_secret=x":           fault.Unavailable,
		"500 ":                                        fault.Unavailable,
	} {
		p.answers["POST https://photos.example.net/token"] = answer
		_, err := auth.OAuth1().Complete(t.Context(), r, pending, auth.Answer{Query: good})
		if fault.KindOf(err) != kind || strings.Contains(err.Error()+fault.Public(err), "CANARY") {
			t.Errorf("%s: %v, want kind %v", answer, err, kind)
		}
	}
}
