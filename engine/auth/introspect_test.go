package auth_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

func TestATokenThatTellsNoLifetimeIsAskedAbout(t *testing.T) {
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, tt := range []struct {
		name, token, answer string
		life                time.Duration
		scopes              []string
		asked               bool
	}{
		{"active", `{"access_token":"CANARY-a"}`, object("active", true, "exp", in(time.Hour), "scope", "read"), time.Hour, []string{"read"}, true},
		{"the token answer's scopes count", `{"access_token":"CANARY-a","scope":"write"}`, object("active", true, "exp", in(time.Hour), "scope", "read"), time.Hour, []string{"write"}, true},
		{"the token answer tells a lifetime", `{"access_token":"CANARY-a","expires_in":60}`, `{"active":true}`, time.Minute, []string{"read", "write"}, false},
		{"no lifetime there either", `{"access_token":"CANARY-a"}`, `{"active":true}`, 0, []string{"read", "write"}, true},
		{"not active, which cannot be", `{"access_token":"CANARY-a"}`, object("active", false, "exp", in(time.Hour)), 0, []string{"read", "write"}, true},
		{"the provider does not say", `{"access_token":"CANARY-a"}`, "503 {}", 0, []string{"read", "write"}, true},
		{"the provider refuses to say", `{"access_token":"CANARY-a"}`, `401 {"error":"invalid_client"}`, 0, []string{"read", "write"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, p := connect(t, good(t, "introspected"), map[string]string{
				"POST https://login.example.com/token": tt.token, "POST https://login.example.com/introspect": tt.answer,
			})
			done, err := complete(t, r)
			if err != nil {
				t.Fatal(err)
			}
			c := done.Credential
			life := time.Duration(0)
			if !c.ExpiresAt.IsZero() {
				life = c.ExpiresAt.Sub(c.ObtainedAt)
			}
			if life < tt.life-2*time.Second || life > tt.life+2*time.Second {
				t.Errorf("it lives %v, want %v", life, tt.life)
			}
			if diff := cmp.Diff(tt.scopes, c.Scopes); diff != "" {
				t.Errorf("scopes (-want +got):\n%s", diff)
			}
			var asked []string
			if got := p.requests(); len(got) > 1 {
				asked = got[1:]
			}
			want := []string(nil)
			if tt.asked {
				want = []string{"POST https://login.example.com/introspect | Basic Y2xpZW50OkNBTkFSWS1zZWNyZXQ= | token=CANARY-a&token_type_hint=access_token"}
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("questions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIntrospectionStandsInForATest(t *testing.T) {
	for answer, kind := range map[string]fault.Kind{
		`{"active":false}`:               fault.Refused,
		`{}`:                             fault.Refused,
		`503 {}`:                         fault.Unavailable,
		`401 {"error":"invalid_client"}`: fault.Misconfigured,
		`{"active":true,"sub":"u1","username":"ana"}`: fault.None,
	} {
		r, _ := connect(t, good(t, "introspected"), map[string]string{"POST https://login.example.com/introspect": answer})
		c := auth.Credential{Kind: r.Auth.Kind, AccessToken: secret.New("CANARY-a")}
		m := methodOf(t, r)
		reply, err := auth.Test(t.Context(), m, r, c)
		if fault.KindOf(err) != kind {
			t.Errorf("%s: %v, want kind %s", answer, err, kind)
		}
		if f := fault.As(err); kind == fault.Refused && f.Code != "credential-rejected" {
			t.Errorf("%s: code %q", answer, f.Code)
		}
		if kind != fault.None {
			continue
		}
		id, err := auth.Identify(t.Context(), m, r, c, &reply)
		if want := (auth.Identity{Subject: "u1", Username: "ana"}); err != nil || id != want {
			t.Errorf("Identify = %+v, %v", id, err)
		}
	}
}
