package auth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

const profile = `
id: acme
name: Acme
hosts: [x.example.com]
auth:
  - id: token
    kind: bearer
test: {get: https://x.example.com/me}
identity:
  from: test
  also:
    - id: mails
      request: {get: https://x.example.com/mails, success: response.status < 500}
    - id: teams
      request: {get: "https://x.example.com/teams"}
  subject: response.body.id
  email: find(steps.mails.body, .primary == true).email
  email_verified: find(steps.mails.body, .primary == true).verified
  name: response.body.first + " " + response.body.last
  username: steps.teams.body[0].name
  avatar: response.body.picture
  reject_when: response.body.blocked
`

// me is the credential of the profile.
func me() auth.Credential {
	return auth.Credential{Kind: "bearer", Fields: auth.Values(map[string]string{"token": "CANARY-token"})}
}

func identify(t *testing.T, r auth.Request, c auth.Credential) (auth.Identity, error) {
	t.Helper()
	m := methodOf(t, r)
	reply, err := auth.Test(t.Context(), m, r, c)
	if err != nil {
		t.Fatal(err)
	}
	return auth.Identify(t.Context(), m, r, c, &reply)
}

func methodOf(t *testing.T, r auth.Request) auth.Method {
	t.Helper()
	m, err := methods().Method(r.Auth.Kind)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestIdentity(t *testing.T) {
	mails := `[{"email":"old@example.com","verified":true},{"email":"ana@example.com","primary":true,"verified":"true"}]`
	for _, tt := range []struct {
		name, me, mails string
		want            auth.Identity
		kind            fault.Kind
	}{
		{
			"everything", object("id", 42, "first", "Ana\u202e", "last", "Example\r\n", "picture", "https://x.example.com/p"), mails,
			auth.Identity{Subject: "42", Email: "ana@example.com", EmailVerified: true, Name: "Ana Example", Username: "core", Avatar: "https://x.example.com/p"},
			fault.None,
		},
		{"also steps may fail if they say so", object("id", "a"), `403 {"message":"no"}`, auth.Identity{Subject: "a", Name: "", Username: "core"}, fault.None},
		{"an id beyond int64", `{"id":18446744073709551617}`, `[]`, auth.Identity{Subject: "18446744073709551617", Username: "core"}, fault.None},
		{"rejected", object("id", 42, "blocked", true), mails, auth.Identity{}, fault.Refused},
		{"a subject that is too long", object("id", strings.Repeat("x", 301)), mails, auth.Identity{}, fault.Unavailable},
		{"a subject that is not plain", object("id", "a\u200bb"), mails, auth.Identity{}, fault.Unavailable},
		{"an also step that fails", object("id", 42), "500 {}", auth.Identity{}, fault.Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := connect(t, profile, map[string]string{
				"GET https://x.example.com/me": tt.me, "GET https://x.example.com/mails": tt.mails, "GET https://x.example.com/teams": `[{"name":"core"}]`,
			})
			got, err := identify(t, r, me())
			if fault.KindOf(err) != tt.kind {
				t.Fatalf("Identify: %v, want kind %s", err, tt.kind)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Identify (-want +got):\n%s", diff)
			}
		})
	}
}

const counting = `
id: counting
name: Counting
inputs: {base_url: {label: Address, type: url}}
hosts: ["${inputs.base_url}"]
auth:
  - id: token
    kind: bearer
test: {get: "${inputs.base_url}/me"}
identity: {from: test, issuer: ISSUER, subject: response.body.id}
`

// Ids begin anew on every server, and whoever runs one gives out what he likes.
func TestASubjectCountsWithItsIssuer(t *testing.T) {
	for _, tt := range []struct {
		name, issuer, me, want string
		kind                   fault.Kind
	}{
		{"a number", "inputs.base_url", `{"id":7}`, "https://x.example.com#7", fault.None},
		{"a text", "inputs.base_url", `{"id":"7"}`, "https://x.example.com#7", fault.None},
		{"told by the answer", "response.body.tenant", `{"id":7,"tenant":"t"}`, "t#7", fault.None},
		{"an id that looks like another's", "inputs.base_url", `{"id":"https://y.example.com#7"}`, "https://x.example.com#https://y.example.com#7", fault.None},
		{"no id", "inputs.base_url", `{}`, "", fault.None},
		{"an id that is nothing", "inputs.base_url", `{"id":null}`, "", fault.None},
		{"an empty id", "inputs.base_url", `{"id":""}`, "", fault.None},
		{"no issuer", "response.body.tenant", `{"id":7}`, "", fault.None},
		{"an empty issuer", "response.body.tenant", `{"id":7,"tenant":""}`, "", fault.None},
		{"an issuer that could be two", "response.body.tenant", `{"id":7,"tenant":"t#u"}`, "", fault.Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := connect(t, strings.Replace(counting, "ISSUER", tt.issuer, 1), map[string]string{"GET https://x.example.com/me": tt.me})
			r.Inputs["base_url"] = "https://x.example.com"
			got, err := identify(t, r, me())
			if got.Subject != tt.want || fault.KindOf(err) != tt.kind {
				t.Errorf("Identify = %q, %v; want %q, kind %s", got.Subject, err, tt.want, tt.kind)
			}
		})
	}
}

func TestIdentityFromTheTokenAnswer(t *testing.T) {
	r, p := connect(t, shipped(t, "notion"), map[string]string{
		"POST https://api.notion.com/v1/oauth/token": object("access_token", "CANARY-a", "workspace_id", "w1",
			"owner", map[string]any{"user": map[string]any{"id": "u1", "name": "Ana", "person": map[string]any{"email": "ana@example.com"}}}),
	})
	m := auth.AuthorizationCode()
	_, pending, err := m.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	step, err := m.Complete(t.Context(), r, pending, auth.Answer{Query: map[string][]string{"code": {"c"}}})
	if err != nil {
		t.Fatal(err)
	}
	done := step.(auth.Done)
	if done.Captured["workspace_id"] != "w1" {
		t.Errorf("captured %v", done.Captured)
	}
	p.requests()
	got, err := auth.Identify(t.Context(), m, r, done.Credential, nil)
	if err != nil || got.Subject != "u1" || got.Email != "ana@example.com" {
		t.Errorf("Identify = %+v, %v", got, err)
	}
	if n := p.requests(); len(n) != 0 {
		t.Errorf("Identify sent %q", n)
	}
	// Once it was kept, the answer is gone, and there is nothing to read.
	kept := done.Credential
	kept.Answer = nil
	if got, err := auth.Identify(t.Context(), m, r, kept, nil); err != nil || got != (auth.Identity{}) {
		t.Errorf("without the answer: %+v, %v", got, err)
	}
}

func TestWithoutAnIdentityBlockNobodyIsAsked(t *testing.T) {
	r, p := connect(t, shipped(t, "datadog"), nil)
	r.Inputs["site"] = "datadoghq.com"
	got, err := auth.Identify(t.Context(), auth.APIKey(), r, auth.Credential{}, nil)
	if err != nil || got != (auth.Identity{}) || len(p.requests()) != 0 {
		t.Errorf("Identify = %+v, %v", got, err)
	}
}

func TestATestSaysNoInItsOwnWay(t *testing.T) {
	for answer, want := range map[string]string{
		`{"valid":true}`: "", `{"valid":false}`: "credential-rejected", `403 {"errors":["Forbidden"]}`: "credential-rejected", `401 `: "credential-rejected",
		`<html>`: "?", `503 `: "?", `200 {"valid":false,"error":"odd-thing"}`: "odd_thing",
	} {
		r, _ := connect(t, shipped(t, "datadog"), map[string]string{"GET https://api.datadoghq.com/api/v1/validate": answer})
		r.Inputs["site"] = "datadoghq.com"
		_, err := auth.Test(t.Context(), auth.APIKey(), r, auth.Credential{Fields: auth.Values(map[string]string{"api_key": "k", "application_key": "a"})})
		f := fault.As(err)
		switch {
		case want == "" && err != nil, want != "" && err == nil:
			t.Errorf("%s: %v", answer, err)
		case want == "?" && f.Kind != fault.Unavailable:
			t.Errorf("%s: %v, want kind unavailable", answer, err)
		case want != "" && want != "?" && (f.Kind != fault.Refused || f.Code != want):
			t.Errorf("%s: %v, want refused, %s", answer, err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		want         []auth.Option
		kind         fault.Kind
	}{
		{
			"two, one without a name, one without a value", `[{"tenantId":"t1","tenantName":"One\n<b>"},{"tenantId":"t2"},{"tenantName":"none"}]`,
			[]auth.Option{
				{Value: "t1", Name: "One <b>", Captured: map[string]string{"tenant_id": "t1", "tenant_name": "One <b>"}},
				{Value: "t2", Name: "t2", Captured: map[string]string{"tenant_id": "t2"}},
			},
			fault.None,
		},
		{"none", `[]`, nil, fault.None},
		{"no list", `{"tenantId":"t1"}`, nil, fault.Unavailable},
		{"a page", `<html>`, nil, fault.Unavailable},
		{"refused", `401 {}`, nil, fault.Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := connect(t, shipped(t, "xero"), map[string]string{"GET https://api.xero.com/connections": tt.answer})
			got, err := auth.Options(t.Context(), auth.AuthorizationCode(), r, r.Connector.Choose[0], auth.Credential{AccessToken: secret.New("a")})
			if fault.KindOf(err) != tt.kind {
				t.Fatalf("Options: %v, want kind %s", err, tt.kind)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Options (-want +got):\n%s", diff)
			}
		})
	}
	many := "[" + strings.Repeat(`{"tenantId":"t"},`, 999) + `{"tenantId":"t"}]`
	r, _ := connect(t, shipped(t, "xero"), map[string]string{"GET https://api.xero.com/connections": many})
	got, err := auth.Options(t.Context(), auth.AuthorizationCode(), r, r.Connector.Choose[0], auth.Credential{AccessToken: secret.New("a")})
	if err != nil || len(got) != 500 {
		t.Errorf("of 1000 there are %d options, %v", len(got), err)
	}
}

const optionalMails = `
id: acme
name: Acme
hosts: [x.example.com]
auth:
  - {id: token, kind: bearer}
identity:
  request: {get: https://x.example.com/me}
  also: [{id: mails, optional: true, request: {get: https://x.example.com/mails}}]
  subject: response.body.id
  email: find(steps.mails.body, .primary && .verified).email
  email_verified: find(steps.mails.body, .primary && .verified).verified
  picture: {get: https://x.example.com/photo}
`

func TestWhatIsOptionalMayTellNothing(t *testing.T) {
	for answer, want := range map[string]string{
		`[{"email":"ana@example.com","primary":true,"verified":true}]`:  "ana@example.com",
		`[{"email":"ana@example.com","primary":true,"verified":false}]`: "",
		`{"email":"ana@example.com","primary":true,"verified":true}`:    "", `[]`: "", "401 {}": "", `403 {"message":"no"}`: "", "404 <html>": "",
		"500 {}": "?", "429 {}": "?",
	} {
		r, _ := connect(t, optionalMails, map[string]string{"GET https://x.example.com/me": object("id", 7), "GET https://x.example.com/mails": answer})
		got, err := auth.Identify(t.Context(), methodOf(t, r), r, me(), nil)
		switch {
		case want == "?" && err == nil, want != "?" && err != nil:
			t.Errorf("%s: %v", answer, err)
		case want != "?" && got != auth.Identity{Subject: "7", Email: want, EmailVerified: want != ""}:
			t.Errorf("%s: %+v", answer, got)
		}
	}
}

func TestAPictureIsKeptIfItIsASmallPicture(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100)
	for answer, want := range map[string]string{
		png: "data:image/png;base64,", "\xff\xd8\xff\xe0 jpeg": "data:image/jpeg;base64,", "GIF89a": "data:image/gif;base64,",
		"404 " + png: "", "": "", `{"error":"none"}`: "", "<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>": "",
		"<html>": "", "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 20<<10): "",
	} {
		r, _ := connect(t, optionalMails, map[string]string{"GET https://x.example.com/me": object("id", 7), "GET https://x.example.com/photo": answer})
		got, err := auth.Identify(t.Context(), methodOf(t, r), r, me(), nil)
		if err != nil || !strings.HasPrefix(got.Avatar, want) || want == "" && got.Avatar != "" {
			t.Errorf("%.30q: %.40s, %v; want %s", answer, got.Avatar, err, want)
		}
	}
}

func TestUserinfoIsAboutTheSubjectOfTheIDToken(t *testing.T) {
	source := strings.Replace(openID, "identity: {from: id_token, subject: response.body.sub", `identity: {request: {get: "https://id.example.com/me"}, subject: response.body.sub`, 1)
	for answer, good := range map[string]bool{
		object("sub", "u1"): true, object("sub", "u2"): false, object("id", "u2"): true, object("sub", 1): false, "[]": true,
	} {
		r, p := connect(t, source, map[string]string{"GET https://id.example.com/keys": theirKeys(), "GET https://id.example.com/me": answer})
		done, err := proveWith(t, r, p, func(nonce string) string {
			return sign(claims{"alg": "RS256", "kid": "rsa"}, segment(goodClaims(nonce)), theirKey())
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = auth.Identify(t.Context(), methodOf(t, r), r, done.Credential, nil)
		if (err == nil) != good || err != nil && fault.As(err).Code != "issuer-mismatch" {
			t.Errorf("%s: %v", answer, err)
		}
	}
}
