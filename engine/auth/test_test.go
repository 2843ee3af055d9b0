package auth_test

import (
	"errors"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
)

const severalTests = `
id: acme
name: Acme
hosts: [x.example.com]
auth:
  - id: token
    kind: bearer
test:
  - {get: https://x.example.com/one, capture: {from: response.body.n}, skip_when: response.body.code == "no_right"}
  - {get: https://x.example.com/two, capture: {from: response.body.n}, skip_when: response.status == 404}
  - {get: https://x.example.com/three, success: response.body.ok, capture: {from: response.body.n}}
identity: {from: test, subject: response.body.id}
`

func TestATestThatTheCredentialLacksTheRightForPassesOn(t *testing.T) {
	for _, tt := range []struct {
		name            string
		one, two, three string
		asked           int
		subject         string
		kind            fault.Kind
		code            string
	}{
		{"the first will do", `{"n":"1","id":"a"}`, "500 {}", "500 {}", 1, "a", fault.None, ""},
		{"403 passes on", `403 {}`, `{"id":"b"}`, "500 {}", 2, "b", fault.None, ""},
		{"missing scope passes on", `400 {"error":"insufficient_scope"}`, `{"id":"b"}`, "500 {}", 2, "b", fault.None, ""},
		{"skip_when passes on, whatever the status", `{"code":"no_right"}`, "404 {}", `{"ok":true,"id":"c"}`, 3, "c", fault.None, ""},
		{"401 does not", `401 {}`, `{"id":"b"}`, "500 {}", 1, "", fault.Refused, "credential-rejected"},
		{"a page with 403 does not", `403 <html>`, `{"id":"b"}`, "500 {}", 1, "", fault.Unavailable, ""},
		{"429 does not", `429 {}`, `{"id":"b"}`, "500 {}", 1, "", fault.RateLimited, ""},
		{"503 does not", `503 {}`, `{"id":"b"}`, "500 {}", 1, "", fault.Unavailable, ""},
		{"the last one has the last word", "403 {}", "403 {}", "403 {}", 3, "", fault.Refused, "credential-rejected"},
		{"so does its success", "403 {}", "403 {}", `{"ok":false}`, 3, "", fault.Refused, "credential-rejected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, p := connect(t, severalTests, map[string]string{
				"GET https://x.example.com/one": tt.one, "GET https://x.example.com/two": tt.two, "GET https://x.example.com/three": tt.three,
			})
			m := methodOf(t, r)
			reply, err := auth.Test(t.Context(), m, r, me())
			if n := len(p.requests()); n != tt.asked {
				t.Errorf("%d tests were made, want %d", n, tt.asked)
			}
			if f := fault.As(err); fault.KindOf(err) != tt.kind || f != nil && f.Code != tt.code {
				t.Fatalf("Test: %v, want kind %s and code %q", err, tt.kind, tt.code)
			}
			if err != nil {
				return
			}
			id, err := auth.Identify(t.Context(), m, r, me(), &reply)
			if err != nil || id.Subject != tt.subject {
				t.Errorf("the identity is read from another answer: %+v, %v", id, err)
			}
		})
	}
}

func TestAListOfTestsOfTheMethodStandsBeforeTheConnectors(t *testing.T) {
	r, p := connect(t, severalTests, nil)
	r.Auth.Test = definition.Tests{}
	if _, err := auth.Test(t.Context(), methodOf(t, r), r, me()); !errors.Is(err, auth.ErrNoTest) || len(p.requests()) != 0 {
		t.Errorf("without a test: %v", err)
	}
}
