package authtest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

func testLifetime(t *testing.T, b *bench) {
	if b.request.Auth.Token.Answer.Expires != nil {
		t.Skip("the definition reads the lifetime in its own way")
	}
	for _, tt := range []struct {
		name string
		in   any
		want time.Duration // zero: not known to end
	}{
		{"none", nil, 0},
		{"number", 7200, 2 * time.Hour},
		{"text", "7200", 2 * time.Hour},
		{"text with blanks", " 7200 ", 2 * time.Hour},
		{"fraction", 1.5, 1500 * time.Millisecond},
		{"zero", 0, 0},
		{"negative", -5, 0},
		{"words", "an hour", 0},
		{"list", []int{3600}, 0},
		{"nanoseconds", int64(3600 * time.Second), 365 * 24 * time.Hour},
		{"beyond int64", json.Number("99999999999999999999999999"), 365 * 24 * time.Hour},
		{"beyond float64", json.Number("1e999"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.provider.answerWith(b.success(map[string]any{"expires_in": tt.in}))
			before := time.Now().Truncate(time.Millisecond)
			done, err := b.obtain(t)
			if err != nil {
				t.Fatal(err)
			}
			got := done.Credential.ExpiresAt
			if tt.want == 0 {
				if !got.IsZero() {
					t.Errorf("expires_in %v: ends at %v, want not known", tt.in, got)
				}
				return
			}
			if got.Before(before.Add(tt.want)) || got.After(time.Now().Add(tt.want)) {
				t.Errorf("expires_in %v: ends %v from now, want %v", tt.in, time.Until(got), tt.want)
			}
		})
	}
}

func testScopes(t *testing.T, b *bench) {
	a := b.request.Auth
	if a.Token.Answer.Scopes != nil || len(a.ScopeGroups) > 0 || a.Scopes == nil || a.Scopes.Granted != nil {
		t.Skip("the definition reads the scopes in its own way")
	}
	done, err := b.obtain(t)
	if err != nil {
		t.Fatal(err)
	}
	asked := done.Credential.Scopes
	if len(asked) == 0 {
		t.Error("without scope in the answer, what was asked for is granted (RFC 6749 §5.1)")
	}
	for _, tt := range []struct {
		name  string
		scope any
		want  []string
	}{
		{"text", "a b", []string{"a", "b"}},
		{"commas", "a,b", []string{"a", "b"}},
		{"commas and blanks", " a, b ,", []string{"a", "b"}},
		{"list", []string{"a", "b"}, []string{"a", "b"}},
		{"empty", "", asked},
		{"null", json.RawMessage("null"), asked},
		{"number", 7, asked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.provider.answerWith(b.success(map[string]any{"scope": tt.scope}))
			done, err := b.obtain(t)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(done.Credential.Scopes, tt.want) {
				t.Errorf("scope %v: %q, want %q", tt.scope, done.Credential.Scopes, tt.want)
			}
		})
	}
}

func testReadable(t *testing.T, b *bench) {
	body := asJSON(0, b.tokenAnswer(nil)).body
	answers := map[string]reply{
		"JSON that says it is a page": asText(200, "text/html; charset=utf-8", body),
		"JSON without a type":         asText(200, "", body),
		"JSON after a BOM":            asText(200, "application/json", "\xef\xbb\xbf"+body),
		"JSON among blanks":           asText(200, "application/json", "\r\n\t "+body+"\n\n"),
		"status 201":                  asText(201, "application/json", body),
		"an error member of nothing":  asJSON(200, b.tokenAnswer(map[string]any{"error": "", "error_description": json.RawMessage("null")})),
	}
	if b.with.Wrap == nil {
		form := url.Values{"access_token": {Canary + "-access-1"}, "token_type": {"BEARER"}, "expires_in": {"3600"}}
		answers["a form"] = asText(200, "application/x-www-form-urlencoded", form.Encode())
		answers["a form that says it is a text"] = asText(200, "text/plain", form.Encode())
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			b.always(a)
			done, err := b.obtain(t)
			if err != nil {
				t.Fatal(err)
			}
			if got := done.Credential.AccessToken.Reveal(); got != Canary+"-access-1" {
				t.Errorf("access token %q", got)
			}
		})
	}
}

// testUnusable: whatever comes with a success that cannot be used, nothing of it is kept, and the
// outcome at the provider is unknown: it may have spent what it was sent.
func testUnusable(t *testing.T, b *bench) {
	c := b.credential(t)
	for name, a := range unusable(b) {
		t.Run(name, func(t *testing.T) {
			b.provider.forget()
			b.always(a)
			got, err := b.renew(t, c)
			if fault.KindOf(err) != fault.Unavailable {
				t.Fatalf("%v, want kind %s", err, fault.Unavailable)
			}
			if !auth.OutcomeUnknown(err) {
				t.Errorf("the outcome is said to be known: %v", err)
			}
			if !got.AccessToken.IsZero() || !got.RefreshToken.IsZero() {
				t.Error("there is a credential all the same")
			}
			if strings.Contains(fmt.Sprint(err), Canary) {
				t.Errorf("a secret is in the error: %v", err)
			}
			b.provider.only(t)
		})
	}
}

// accessToken finds the name of the access token.
var accessToken = regexp.MustCompile(`"(access|oauth)_token"`)

func unusable(b *bench) map[string]reply {
	with := func(name string, v any) reply { return asJSON(200, b.tokenAnswer(map[string]any{name: v})) }
	good := asJSON(0, b.tokenAnswer(nil)).body
	as := func(body string) reply { return asText(200, "application/json", body) }
	return map[string]reply{
		"empty":                      as(""),
		"204":                        {status: 204},
		"null":                       as("null"),
		"array":                      as("[]"),
		"text":                       as(`"ok"`),
		"object of nothing":          as("{}"),
		"page":                       asText(200, "text/html", "<!doctype html><p>ok "+good),
		"broken off":                 as(good[:len(good)-3]),
		"something after it":         as(good + good),
		"not UTF-8":                  as(strings.Replace(good, "access-1", "access-\xff", 1)),
		"nested too deeply":          as(strings.Repeat("[", 20000) + strings.Repeat("]", 20000)),
		"a member twice":             as(accessToken.ReplaceAllString(good, "$0:\"first\",$0")),
		"too large":                  as(good + strings.Repeat(" ", 2<<20)),
		"no access token":            with("access_token", nil),
		"empty access token":         with("access_token", ""),
		"access token as a number":   with("access_token", 12345),
		"access token with a break":  with("access_token", Canary+"\r\nX-Evil: 1"),
		"access token with a NUL":    with("access_token", Canary+"\x00"),
		"access token beyond ASCII":  with("access_token", Canary+"é"),
		"access token too large":     with("access_token", strings.Repeat("x", 100_000)),
		"refresh token as a number":  with("refresh_token", 12345),
		"refresh token with a break": with("refresh_token", Canary+"\n"),
	}
}

func testRefreshToken(t *testing.T, b *bench) {
	if f := b.request.Auth.Refresh; f != nil && f.Grant != "refresh_token" && f.Grant != "" || !codes(b) {
		t.Skip("there are no refresh tokens here")
	}
	for name, v := range map[string]any{"absent": nil, "empty": "", "null": json.RawMessage("null"), "false": false} {
		t.Run(name, func(t *testing.T) {
			c := b.credential(t)
			b.provider.answerWith(b.success(map[string]any{"access_token": Canary + "-access-2", "refresh_token": v}))
			for range 2 {
				next, err := b.renew(t, c)
				if err != nil {
					t.Fatal(err)
				}
				b.checkTokenRequest(t, b.provider.only(t), b.wantRefresh(c))
				if got := next.RefreshToken.Reveal(); got != Canary+"-refresh-1" {
					t.Errorf("refresh token %q, want the old one", got)
				}
				if got := next.AccessToken.Reveal(); got != Canary+"-access-2" {
					t.Errorf("access token %q, want the new one", got)
				}
				c = next
			}
		})
	}
	c := b.credential(t)
	b.provider.answerWith(b.success(map[string]any{"refresh_token": Canary + "-refresh-2"}))
	next, err := b.renew(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if got := next.RefreshToken.Reveal(); got != Canary+"-refresh-2" {
		t.Errorf("refresh token %q, want the new one", got)
	}
	if got := c.RefreshToken.Reveal(); got != Canary+"-refresh-1" {
		t.Errorf("the old credential was changed: %q", got)
	}
	b.provider.forget()
	c.RefreshToken = secret.Value{}
	if _, err := b.renew(t, c); fault.KindOf(err) != fault.NeedsReauth || auth.OutcomeUnknown(err) || len(b.provider.requests()) != 0 {
		t.Errorf("without a refresh token: %v after %d requests, want needs-reauth before any", err, len(b.provider.requests()))
	}
}

func testRefreshKeeps(t *testing.T, b *bench) {
	c := b.credential(t)
	c.Scopes = []string{"a", "b"}
	c.IDToken = c.AccessToken
	b.provider.answerWith(b.success(map[string]any{"expires_in": nil}))
	next, err := b.renew(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(next.Scopes, c.Scopes) {
		t.Errorf("scopes %q, want those of before: %q", next.Scopes, c.Scopes)
	}
	if !next.IDToken.Equal(c.IDToken) {
		t.Error("the ID token is gone")
	}
	for name := range b.with.Fields {
		if !next.Fields[name].Equal(c.Fields[name]) {
			t.Errorf("the field %s is gone", name)
		}
	}
	if b.request.Auth.Token.Answer.Expires == nil && !next.ExpiresAt.IsZero() {
		t.Errorf("ends at %v: the end of the old token is not the end of the new one", next.ExpiresAt)
	}
	if b.request.Auth.Token.Answer.Scopes != nil || b.request.Auth.Scopes != nil && b.request.Auth.Scopes.Granted != nil || len(b.request.Auth.ScopeGroups) > 0 {
		return
	}
	b.provider.answerWith(b.success(map[string]any{"scope": "a"}))
	if next, err = b.renew(t, c); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(next.Scopes, []string{"a"}) {
		t.Errorf("scopes %q, want the one that is left", next.Scopes)
	}
}
