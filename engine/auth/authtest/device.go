package authtest

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
	"time"

	"dowel/engine/auth"
	"dowel/engine/fault"
)

const (
	theDeviceCode = "CANARY-device+/%=&"
	theUserCode   = "WDJB-MJHT"
)

// deviceURL is the device authorization endpoint, at whose host the person enters the code.
func (b *bench) deviceURL() string { return b.request.Auth.Device.URL.Source }

func (b *bench) page() string {
	scheme, rest, _ := strings.Cut(b.deviceURL(), "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host + "/device"
}

// deviceAnswer is a device authorization response of RFC 8628 §3.2 with changes laid over it; a change
// to nil takes the member away.
func (b *bench) deviceAnswer(changes map[string]any) map[string]any {
	m := map[string]any{
		"device_code": theDeviceCode, "user_code": theUserCode, "verification_uri": b.page(),
		"verification_uri_complete": b.page() + "?user_code=" + theUserCode, "expires_in": 600, "interval": 7,
	}
	for k, v := range changes {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	return m
}

// deviceAnswers answers device authorization requests, apart from all others.
func (b *bench) deviceAnswers(changes map[string]any) func(*sent) (reply, bool) {
	return func(s *sent) (reply, bool) {
		return asJSON(http.StatusOK, b.deviceAnswer(changes)), s.url == b.deviceURL()
	}
}

// wait begins, and returns what the person is to do.
func (b *bench) wait(t *testing.T) (auth.Wait, auth.Pending, error) {
	t.Helper()
	step, p, err := b.method.Begin(t.Context(), b.request)
	if err != nil {
		return auth.Wait{}, p, err
	}
	w, ok := step.(auth.Wait)
	if !ok {
		t.Fatalf("Begin: step %T, want a wait", step)
	}
	return w, p, nil
}

func testDeviceRequest(t *testing.T, b *bench) {
	w, p, err := b.wait(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.provider.requests()) != 0 || len(b.provider.gotAside) != 1 {
		t.Fatalf("Begin sent %d requests and %d others", len(b.provider.gotAside), len(b.provider.requests()))
	}
	d := b.request.Auth.Device
	want := wanted{
		method: cmp.Or(d.Method, http.MethodPost), format: cmp.Or(d.Format, "form"), clientAuth: d.ClientAuth, names: d.Names,
		params: d.Params, headers: d.Headers, url: d.URL,
	}
	if s := b.request.Auth.Scopes; s != nil && len(s.Default) > 0 {
		want.standard = map[string]string{"scope": s.Default[0].Source}
	}
	b.checkTokenRequest(t, b.provider.gotAside[0], want)
	if w.Code != theUserCode || w.URL.Path != b.provider.path(b.page()) || w.CompleteURL.Query().Get("user_code") != theUserCode || w.Interval != 7*time.Second {
		t.Errorf("the person is told %+v", w)
	}
	if left := time.Until(w.ExpiresAt); left < 590*time.Second || left > 600*time.Second {
		t.Errorf("the code ends in %v, want 10 minutes", left)
	}
	if p.DeviceCode != theDeviceCode || len(p.Requested) == 0 {
		t.Errorf("pending: %d bytes of device code, requested %q", len(p.DeviceCode), p.Requested)
	}
}

func testDeviceAnswer(t *testing.T, b *bench) {
	for _, tt := range []struct {
		name     string
		changes  map[string]any
		interval time.Duration // zero: the answer is of no use
		life     time.Duration
		complete bool
	}{
		{"nothing but what must be there", map[string]any{"verification_uri_complete": nil, "expires_in": nil, "interval": nil}, 5 * time.Second, 10 * time.Minute, false},
		{"numbers as texts", map[string]any{"expires_in": "300", "interval": "2"}, 2 * time.Second, 5 * time.Minute, true},
		{"numbers of nothing", map[string]any{"expires_in": 0, "interval": 0}, 5 * time.Second, 10 * time.Minute, true},
		{"numbers below nothing", map[string]any{"expires_in": -1, "interval": -1}, 5 * time.Second, 10 * time.Minute, true},
		{"numbers beyond reason", map[string]any{"expires_in": 1e12, "interval": 1e12}, time.Minute, 30 * time.Minute, true},
		{"a fraction", map[string]any{"interval": 0.5}, 500 * time.Millisecond, 10 * time.Minute, true},

		{"no device code", map[string]any{"device_code": nil}, 0, 0, false},
		{"a device code with a break", map[string]any{"device_code": "CANARY\r\n"}, 0, 0, false},
		{"no user code", map[string]any{"user_code": nil}, 0, 0, false},
		{"a user code that nobody can type", map[string]any{"user_code": strings.Repeat("x", 200)}, 0, 0, false},
		{"a user code that reads backwards", map[string]any{"user_code": "AB\u202eCD"}, 0, 0, false},
		{"no address", map[string]any{"verification_uri": nil}, 0, 0, false},
		{"an address of somebody else", map[string]any{"verification_uri": "https://attacker.example/device"}, 0, 0, false},
		{"a whole address of somebody else", map[string]any{"verification_uri_complete": "https://attacker.example/device"}, 0, 0, false},
		{"an address in the open", map[string]any{"verification_uri": strings.Replace(b.page(), "https:", "http:", 1)}, 0, 0, false},
		{"an address that is a script", map[string]any{"verification_uri": "javascript:alert(1)"}, 0, 0, false},
		{"an address with a name in it", map[string]any{"verification_uri": strings.Replace(b.page(), "://", "://user@", 1)}, 0, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.provider.answerAside(b.deviceAnswers(tt.changes))
			w, _, err := b.wait(t)
			if tt.interval == 0 {
				if err == nil || strings.Contains(err.Error()+fault.Public(err), Canary) {
					t.Errorf("told %+v, %v; want an error without secrets", w, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if left := time.Until(w.ExpiresAt); w.Interval != tt.interval || left < tt.life-10*time.Second || left > tt.life {
				t.Errorf("every %v, ends in %v; want every %v for %v", w.Interval, left, tt.interval, tt.life)
			}
			if (w.CompleteURL != nil) != tt.complete {
				t.Errorf("complete address %v", w.CompleteURL)
			}
		})
	}
}

func testDeviceRefused(t *testing.T, b *bench) {
	for _, tt := range []struct {
		name   string
		answer reply
		kind   fault.Kind
		code   string
	}{
		{"app is refused", refusal(401, "invalid_client"), fault.Misconfigured, "invalid_client"},
		{"app may not", refusal(400, "unauthorized_client"), fault.Misconfigured, "unauthorized_client"},
		{"scope is wrong", refusal(400, "invalid_scope"), fault.Refused, "invalid_scope"},
		{"500", refusal(500, "oops"), fault.Unavailable, "oops"},
		{"firewall", asText(403, "text/html", "<html>"), fault.Unavailable, ""},
		{"hung up", reply{hangUp: true}, fault.Unavailable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.provider.answerAside(func(*sent) (reply, bool) { return tt.answer, true })
			_, _, err := b.wait(t)
			if f := fault.As(err); f == nil || f.Kind != tt.kind || f.Code != tt.code {
				t.Errorf("%v, want kind %s, code %q", err, tt.kind, tt.code)
			}
		})
	}
	t.Run("with all it was sent", func(t *testing.T) {
		b.provider.answerAside(func(s *sent) (reply, bool) { return quoting(s, 400, "error"), true })
		_, _, err := b.wait(t)
		if text := err.Error() + fault.Public(err); strings.Contains(text, Canary) {
			t.Errorf("a secret is in %q", text)
		}
	})
}

// testPolling: what an answer to a poll means for the waiting (RFC 8628 §3.5).
func testPolling(t *testing.T, b *bench) {
	if !plainRefusals(b) {
		t.Skip("the definition has errors of its own")
	}
	const before = 7 * time.Second
	for _, tt := range []struct {
		name     string
		answer   reply
		interval time.Duration // zero: it has come to an end
		kind     fault.Kind
		code     string
	}{
		{"not yet", refusal(400, "authorization_pending"), before, 0, ""},
		{"not yet, as 200", refusal(200, "authorization_pending"), before, 0, ""},
		{"not yet, as 428", refusal(428, "authorization_pending"), before, 0, ""},
		{"too fast", refusal(400, "slow_down"), before + 5*time.Second, 0, ""},
		{"too fast, as 403", refusal(403, "slow_down"), before + 5*time.Second, 0, ""},
		{"too fast, as 429", asText(429, "", ""), before + 5*time.Second, 0, ""},
		{"too fast, with a time", after(asText(429, "", ""), "40"), 40 * time.Second, 0, ""},
		{"500", refusal(500, "oops"), 2 * before, 0, ""},
		{"503 with a time", after(asText(503, "text/html", "<html>"), "40"), 40 * time.Second, 0, ""},
		{"firewall", asText(403, "text/html", "<html>"), 2 * before, 0, ""},
		{"hung up", reply{hangUp: true}, 2 * before, 0, ""},

		{"too late", refusal(400, "expired_token"), 0, fault.Refused, "code-expired"},
		{"no", refusal(400, "access_denied"), 0, fault.Refused, "access_denied"},
		{"used", refusal(400, "invalid_grant"), 0, fault.Refused, "invalid_grant"},
		{"app is refused", refusal(401, "invalid_client"), 0, fault.Misconfigured, "invalid_client"},
		{"a success that cannot be read", asText(200, "text/html", "<html>"), 0, fault.Unavailable, "answer-unreadable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, p, err := b.wait(t)
			if err != nil {
				t.Fatal(err)
			}
			b.always(tt.answer)
			step, err := b.method.(auth.Poller).Poll(t.Context(), b.request, p, w)
			b.provider.only(t) // once, whatever the answer
			if tt.interval == 0 {
				if f := fault.As(err); f == nil || f.Kind != tt.kind || f.Code != tt.code {
					t.Errorf("%v, want kind %s, code %s", err, tt.kind, tt.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			again, ok := step.(auth.Wait)
			if !ok || again.Interval != tt.interval {
				t.Fatalf("%+v, want to wait for %v", step, tt.interval)
			}
			if again.Interval = w.Interval; again != w {
				t.Errorf("the person is told otherwise: %+v", again)
			}
			b.provider.answerWith(b.success(nil))
			if step, err = b.method.(auth.Poller).Poll(t.Context(), b.request, p, again); err != nil {
				t.Fatal(err)
			}
			if done, ok := step.(auth.Done); !ok || done.Credential.AccessToken.IsZero() {
				t.Errorf("after the person has allowed it: %T", step)
			}
			b.provider.forget()
		})
	}
}
