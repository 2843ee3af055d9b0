package authtest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

const theRequestURI = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"

func pushes(b *bench) bool {
	return b.request.Auth.Authorize != nil && b.request.Auth.Authorize.PAR != nil
}

// pushAnswers answers pushed authorization requests, apart from all others.
func (b *bench) pushAnswers(s *sent) (reply, bool) {
	answer := asJSON(http.StatusCreated, map[string]any{"request_uri": theRequestURI, "expires_in": 60})
	return answer, s.url == b.request.Auth.Authorize.PAR.URL.Source
}

// asked are the parameters of the authorization request, wherever they were sent.
func (b *bench) asked(t *testing.T, u *url.URL) url.Values {
	t.Helper()
	q := parameters(t, u)
	if !pushes(b) {
		return q
	}
	id, _ := b.client()
	if len(q) != 2 || q.Get(b.named("client_id")) != id || q.Get("request_uri") != theRequestURI {
		t.Errorf("the browser brings %v, want the client id and the request URI and nothing else (RFC 9126 §4)", q)
	}
	out := url.Values{}
	_, pushed := b.provider.gotAside[len(b.provider.gotAside)-1].params(t, "form")
	for name, v := range pushed {
		out.Set(name, v)
	}
	return out
}

func testPush(t *testing.T, b *bench) {
	b.begin(t)
	if len(b.provider.requests()) != 0 || len(b.provider.gotAside) != 1 {
		t.Fatalf("Begin sent %d requests and %d others, want one that pushes", len(b.provider.gotAside), len(b.provider.requests()))
	}
	s, a := b.provider.gotAside[0], b.request.Auth
	how := a.Authorize.PAR.ClientAuth
	if how == "" {
		how = a.Token.ClientAuth
	}
	b.checkTokenRequest(t, s, wanted{
		method: http.MethodPost, format: "form", clientAuth: how, names: a.Authorize.Names, headers: a.Authorize.PAR.Headers,
		params: append(append(definition.Params{}, a.Authorize.Params...), a.Authorize.PAR.Params...), url: a.Authorize.PAR.URL,
	})
	_, got := s.params(t, "form")
	if id, _ := b.client(); got[b.named("client_id")] != id {
		t.Errorf("client_id = %q; it is part of the request whatever the authentication (RFC 9126 §2.1)", got[b.named("client_id")])
	}
}

func testPushRefused(t *testing.T, b *bench) {
	with := func(uri any) reply {
		return asJSON(http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": 60})
	}
	for _, tt := range []struct {
		name   string
		answer reply
		kind   fault.Kind
		code   string
	}{
		{"app is refused", refusal(401, "invalid_client"), fault.Misconfigured, "invalid_client"},
		{"request is wrong", refusal(400, "invalid_request"), fault.Refused, "invalid_request"},
		{"scope is wrong", refusal(400, "invalid_scope"), fault.Refused, "invalid_scope"},
		{"too many", after(asText(429, "", ""), "7"), fault.RateLimited, ""},
		{"500", refusal(500, "oops"), fault.Unavailable, "oops"},
		{"hung up", reply{hangUp: true}, fault.Unavailable, ""},
		{"no request URI", with(nil), fault.Unavailable, "answer-unreadable"},
		{"request URI as a number", with(7), fault.Unavailable, "answer-unreadable"},
		{"request URI with a break", with("urn:x\r\n"), fault.Unavailable, "answer-unreadable"},
		{"request URI without end", with(strings.Repeat("u", 5000)), fault.Unavailable, "answer-unreadable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.provider.answerAside(func(*sent) (reply, bool) { return tt.answer, true })
			_, _, err := b.method.Begin(t.Context(), b.request)
			if f := fault.As(err); f == nil || f.Kind != tt.kind || f.Code != tt.code {
				t.Errorf("%v, want kind %s, code %q", err, tt.kind, tt.code)
			}
		})
	}
	t.Run("with all it was sent", func(t *testing.T) {
		b.provider.answerAside(func(s *sent) (reply, bool) { return quoting(s, 400, "error"), true })
		_, _, err := b.method.Begin(t.Context(), b.request)
		if text := err.Error() + fault.Public(err); strings.Contains(text, Canary) {
			t.Errorf("a secret is in %q", text)
		}
	})
}
