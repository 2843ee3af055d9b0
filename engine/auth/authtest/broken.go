package authtest

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/fault"
)

// testBroken: whether the provider may have acted is known of every way in which a call can break.
func testBroken(t *testing.T, b *bench) {
	for _, tt := range []struct {
		name    string
		answer  reply
		unknown bool
	}{
		{"hung up before an answer", reply{hangUp: true}, true},
		{"hung up within the header", reply{hangUp: true, body: "HTTP/1.1 200 OK\r\nContent-"}, true},
		{"hung up within the body", reply{hangUp: true, body: "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"access_token\":"}, true},
		{"not HTTP", reply{hangUp: true, body: "SSH-2.0-OpenSSH\r\n"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := b.credential(t)
			b.always(tt.answer)
			_, err := b.renew(t, c)
			if fault.KindOf(err) != fault.Unavailable || auth.OutcomeUnknown(err) != tt.unknown {
				t.Errorf("%v: outcome unknown %v, want unavailable and %v", err, auth.OutcomeUnknown(err), tt.unknown)
			}
			b.provider.only(t)
		})
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			c := b.credential(t)
			b.always(reply{status: status, header: http.Header{"Location": {b.request.Auth.Token.URL.Source + "/elsewhere"}}})
			_, err := b.renew(t, c)
			if fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%v, want unavailable", err)
			}
			b.provider.only(t) // not followed: the secret would be sent along
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		c := b.credential(t)
		b.provider.server.Close()
		b.request.Outlet.Client = newClient(t) // a kept connection would be written to
		_, err := b.renew(t, c)
		if fault.KindOf(err) != fault.Unavailable || auth.OutcomeUnknown(err) {
			t.Errorf("%v: outcome unknown %v, want unavailable and known", err, auth.OutcomeUnknown(err))
		}
	})
}

func testCancelled(t *testing.T, b *bench) {
	c := b.credential(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check := func(what string, err error) {
		t.Helper()
		if n := len(b.provider.requests()); n != 0 {
			t.Errorf("%s sent %d requests", what, n)
		}
		if auth.OutcomeUnknown(err) {
			t.Errorf("%s: the outcome is said to be unknown: %v", what, err)
		}
	}
	if r, ok := b.method.(auth.Refresher); ok {
		_, err := r.Refresh(ctx, b.request, c)
		check("Refresh", err)
	}
	if r, ok := b.method.(auth.Revoker); ok {
		check("Revoke", r.Revoke(ctx, b.request, c))
	}
	_, err := auth.Test(ctx, b.method, b.request, c)
	check("Test", err)
}

// testSecrets has the provider quote all it was sent, in every place it has words for, at every
// status; none of it may come back in an error.
func testSecrets(t *testing.T, b *bench) {
	for _, status := range []int{200, 400, 401, 403, 429, 500} {
		for _, form := range []string{"error", "object", "page"} {
			t.Run(http.StatusText(status)+" "+form, func(t *testing.T) {
				c := b.credential(t)
				b.provider.answerWith(func(s *sent) reply { return quoting(s, status, form) })
				b.checkErrors(t, c)
			})
		}
	}
}

func quoting(s *sent, status int, form string) reply {
	_, payload, _ := strings.Cut(s.Header.Get("Authorization"), " ")
	words := "you sent " + payload + " and " + s.body + " to " + s.URL.RawQuery
	for name, values := range s.Header {
		words += " " + name + ": " + strings.Join(values, ",")
	}
	if user, password, ok := s.BasicAuth(); ok {
		words += " as " + user + ":" + password
	}
	switch form {
	case "error":
		return asJSON(status, map[string]any{"ok": false, "error": words, "error_description": words})
	case "object":
		return asJSON(status, map[string]any{"error": map[string]any{"code": words, "message": words}})
	}
	return asText(status, "text/html", "<html>"+words)
}

// spentSent finds what Dowel makes itself and the provider alone may see: the code verifier, and what is
// signed.
var spentSent = regexp.MustCompile(`(?:code_verifier|assertion|client_secret)(?:=|":")([\w.~-]{40,})`)

// checkErrors makes every request there is and looks at the errors.
func (b *bench) checkErrors(t *testing.T, c auth.Credential) {
	t.Helper()
	check := func(what string, err error) {
		t.Helper()
		if err == nil {
			return
		}
		texts := []string{err.Error(), fault.Public(err)}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if f, ok := errors.AsType[*fault.Error](e); ok {
				texts = append(texts, f.Code, f.Field, f.Public)
			}
		}
		if pe, ok := errors.AsType[*auth.ProviderError](err); ok {
			texts = append(texts, pe.Code, pe.Description)
		}
		secrets := slices.Concat([]string{Canary}, b.keys)
		for _, s := range b.provider.requests() {
			for _, m := range spentSent.FindAllStringSubmatch(s.URL.RawQuery+"&"+s.body, -1) {
				secrets = append(secrets, m[1])
			}
		}
		for _, text := range texts {
			for _, s := range secrets {
				if strings.Contains(text, s) {
					t.Errorf("%s: a secret is in %q", what, text)
				}
			}
		}
	}
	_, err := b.obtain(t)
	check("obtain", err)
	if r, ok := b.method.(auth.Refresher); ok {
		_, err := r.Refresh(t.Context(), b.request, c)
		check("Refresh", err)
	}
	if r, ok := b.method.(auth.Revoker); ok {
		check("Revoke", r.Revoke(t.Context(), b.request, c))
	}
	_, err = auth.Test(t.Context(), b.method, b.request, c)
	check("Test", err)
	_, err = auth.Identify(t.Context(), b.method, b.request, c, nil)
	check("Identify", err)
}
