package auth_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
)

// good is a definition that shows what the language can say.
func good(t *testing.T, id string) string {
	t.Helper()
	b, err := os.ReadFile("../../schemas/testdata/" + id + ".good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// complete begins a flow and completes it with a code.
func complete(t *testing.T, r auth.Request) (auth.Done, error) {
	t.Helper()
	m := methodOf(t, r)
	_, pending, err := m.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	step, err := m.Complete(t.Context(), r, pending, auth.Answer{Query: map[string][]string{"code": {"c"}}})
	done, _ := step.(auth.Done)
	return done, err
}

func TestATokenIsTradedUntilItIsTheCredential(t *testing.T) {
	first := `{"data":[{"access_token":"CANARY-1","permissions":["basic"],"user_id":17841400000000001}],"refresh_token":"CANARY-r","expires_in":3600}`
	r, p := connect(t, good(t, "chain"), map[string]string{
		"POST https://login.example.com/access_token":            first,
		"GET https://graph.example.com/access_token":             `{"access_token":"CANARY-2","page_token":"CANARY-p","kind":"ig","expires_in":7200}`,
		"PUT https://graph.example.com/17841400000000001/system": `)]}' {"token":"CANARY-3"}`,
		"GET https://graph.example.com/refresh_access_token":     `{"access_token":"CANARY-4","expires_in":5184000}`,
	})
	done, err := complete(t, r)
	if err != nil {
		t.Fatal(err)
	}
	c := done.Credential
	if c.AccessToken.Reveal() != "CANARY-3" || c.Tokens["page"].Reveal() != "CANARY-p" || c.RefreshToken.Reveal() != "CANARY-r" {
		t.Errorf("the credential is not of the last answer with what the others brought: %q, %q, %q", c.AccessToken.Reveal(), c.Tokens["page"].Reveal(), c.RefreshToken.Reveal())
	}
	if left := c.ExpiresAt.Sub(c.ObtainedAt).Hours(); left != 1440 {
		t.Errorf("it lives %v hours, want those of the last answer", left)
	}
	if diff := cmp.Diff([]string{"basic"}, c.Scopes); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"user": "17841400000000001", "long": "ig"}, done.Captured); diff != "" {
		t.Errorf("captured (-want +got):\n%s", diff)
	}
	got := p.requests()
	want := []string{
		"GET https://graph.example.com/access_token | grant_type=ig_exchange_token&client_secret=CANARY-secret&access_token=CANARY-1",
		`PUT https://graph.example.com/17841400000000001/system | {"app_id":"client","client_secret":"CANARY-secret"}`,
	}
	if diff := cmp.Diff(want, got[1:]); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	r.Captured = done.Captured
	next, err := methodOf(t, r).(auth.Refresher).Refresh(t.Context(), r, c)
	if err != nil || next.AccessToken.Reveal() != "CANARY-4" {
		t.Fatalf("Refresh = %v, %v", next.AccessToken.Reveal(), err)
	}
	if diff := cmp.Diff([]string{"GET https://graph.example.com/refresh_access_token | grant_type=ig_refresh_token&access_token=CANARY-3"}, p.requests()); diff != "" {
		t.Errorf("a renewal goes its own way (-want +got):\n%s", diff)
	}
}

func TestATradeThatFailsFailsTheFlow(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		kind         fault.Kind
		code         string
	}{
		{"refused", `400 {"error":"invalid_grant"}`, fault.Refused, "invalid_grant"},
		{"a wrong secret", `401 {"error":"invalid_client"}`, fault.Misconfigured, "invalid_client"},
		{"down", `503 {}`, fault.Unavailable, ""},
		{"no token", `{}`, fault.Unavailable, "answer-unreadable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, p := connect(t, good(t, "chain"), map[string]string{
				"POST https://login.example.com/access_token": `{"data":[{"access_token":"CANARY-1","user_id":7}]}`,
				"GET https://graph.example.com/access_token":  tt.answer,
			})
			_, err := complete(t, r)
			if f := fault.As(err); fault.KindOf(err) != tt.kind || f.Code != tt.code {
				t.Errorf("Complete: %v, want kind %s and code %q", err, tt.kind, tt.code)
			}
			if n := len(p.requests()); n != 2 {
				t.Errorf("%d requests, want the two until it failed", n)
			}
		})
	}
}
