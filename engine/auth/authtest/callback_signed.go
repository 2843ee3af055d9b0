package authtest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // as the definition wants it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

func verifies(b *bench) bool { return b.request.Auth.Callback.Verify != nil }

// sign signs what the browser brings as the definition says, with a key and at a moment.
func (b *bench) sign(t *testing.T, q url.Values, key string, at time.Time) {
	t.Helper()
	v := b.request.Auth.Callback.Verify
	switch {
	case v == nil:
	case v.JWT != nil:
		q.Set(v.JWT.Param, token(map[string]any{"alg": cmp.Or(v.JWT.Alg, "HS256")}, b.claims(at), key))
	default:
		if v.HMAC.Timestamp != "" {
			q.Set(v.HMAC.Timestamp, strconv.FormatInt(at.Unix(), 10))
		}
		q.Set(v.HMAC.Param, b.hashed(t, v.HMAC, q, key))
	}
}

// hashed writes the hash of the parameters. Of a message that is a template the suite knows the form
// "${callback.query.a}.${callback.query.b}".
func (b *bench) hashed(t *testing.T, v *definition.VerifyHMAC, q url.Values, key string) string {
	t.Helper()
	message := v.Over.Source
	if message == "sorted_query" {
		var parts []string
		for name, values := range q {
			if name != v.Param {
				parts = append(parts, url.QueryEscape(name)+"="+url.QueryEscape(values[0]))
			}
		}
		slices.Sort(parts)
		message = strings.Join(parts, "&")
	}
	message = ofQuery.ReplaceAllStringFunc(message, func(formula string) string {
		return q.Get(ofQuery.FindStringSubmatch(formula)[1])
	})
	sum := mac(map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}[cmp.Or(v.Alg, "sha256")], key, message)
	if v.Encoding == "base64" {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

var ofQuery = regexp.MustCompile(`\$\{callback\.query\.(\w+)\}`)

func mac(h func() hash.Hash, key, message string) []byte {
	m := hmac.New(h, []byte(key))
	m.Write([]byte(message))
	return m.Sum(nil)
}

// claims are those of a good token.
func (b *bench) claims(at time.Time) map[string]any {
	v := b.request.Auth.Callback.Verify.JWT
	out := map[string]any{"sub": "shops/acme", "iat": at.Unix(), "exp": at.Add(5 * time.Minute).Unix()}
	id, _ := b.client()
	for name, t := range map[string]*definition.Template{"iss": v.Issuer, "aud": v.Audience} {
		if t != nil {
			out[name] = strings.ReplaceAll(t.Source, "${app.client_id}", id)
		}
	}
	return out
}

// token makes a token in compact form (RFC 7515 §7.1); the hash is that of its algorithm, SHA-256 for one
// that is none.
func token(header, claims map[string]any, key string) string {
	part := func(v any) string {
		b, _ := json.Marshal(v) // of maps and texts
		return base64.RawURLEncoding.EncodeToString(b)
	}
	input := part(header) + "." + part(claims)
	h := map[any]func() hash.Hash{"HS384": sha512.New384, "HS512": sha512.New}[header["alg"]]
	if h == nil {
		h = sha256.New
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(mac(h, key, input))
}

// forgery is one way to bring something that the provider has not signed.
type forgery struct {
	name  string
	forge func(t *testing.T, b *bench, q url.Values)
}

// testVerified: what is not signed as the definition says is refused before anything is sent, and what is,
// is taken.
func testVerified(t *testing.T, b *bench) {
	_, key := b.client()
	for _, tt := range append(forgeries(b), own(b)...) {
		t.Run(tt.name, func(t *testing.T) {
			_, p := b.begin(t)
			q := b.withState(p)
			b.sign(t, q, key, time.Now())
			tt.forge(t, b, q)
			b.wantUnverified(t, p, q)
		})
	}
	t.Run("error of somebody", func(t *testing.T) {
		_, p := b.begin(t)
		q := b.withState(p)
		q.Set("error", "access_denied")
		if _, err := b.method.Complete(t.Context(), b.request, p, auth.Answer{Query: q}); fault.KindOf(err) != fault.Refused {
			t.Errorf("%v, want it refused", err)
		}
	})
	t.Run("no secret to check with", func(t *testing.T) {
		_, p := b.begin(t)
		q := b.withState(p)
		b.sign(t, q, "", time.Now())
		b.request.App.ClientSecret = secret.Value{}
		_, err := b.method.Complete(t.Context(), b.request, p, auth.Answer{Query: q})
		if fault.KindOf(err) != fault.Misconfigured || len(b.provider.requests()) != 0 {
			t.Errorf("%v after %d requests, want misconfigured before any", err, len(b.provider.requests()))
		}
	})
}

func (b *bench) wantUnverified(t *testing.T, p auth.Pending, q url.Values) {
	t.Helper()
	_, err := b.method.Complete(t.Context(), b.request, p, auth.Answer{Query: q})
	f := fault.As(err)
	if f == nil || f.Kind != fault.Refused || f.Code != "callback-unverified" {
		t.Errorf("%v, want refused, callback-unverified", err)
	}
	if n := len(b.provider.requests()); n != 0 {
		t.Errorf("the provider was sent %d requests", n)
	}
	b.provider.forget()
}

func (b *bench) withState(p auth.Pending) url.Values {
	q := b.brought()
	q.Set(b.request.Auth.StateName(), p.State)
	return q
}

// forgeries are those that every way of signing must stand.
func forgeries(b *bench) []forgery {
	param := b.request.Auth.Callback.Verify.Param()
	_, key := b.client()
	return []forgery{
		{"no signature", func(_ *testing.T, _ *bench, q url.Values) { q.Del(param) }},
		{"an empty one", func(_ *testing.T, _ *bench, q url.Values) { q.Set(param, "") }},
		{"nonsense", func(_ *testing.T, _ *bench, q url.Values) { q.Set(param, "zz.zz.zz") }},
		{"one cut short", func(_ *testing.T, _ *bench, q url.Values) { q.Set(param, q.Get(param)[:len(q.Get(param))-2]) }},
		{"one with another key", func(t *testing.T, b *bench, q url.Values) { b.sign(t, q, key+"x", time.Now()) }},
		{"one with an empty key", func(t *testing.T, b *bench, q url.Values) { b.sign(t, q, "", time.Now()) }},
		{"one with the client id as key", func(t *testing.T, b *bench, q url.Values) { b.sign(t, q, clientID, time.Now()) }},
	}
}

// own are the forgeries of one way of signing.
func own(b *bench) []forgery {
	v := b.request.Auth.Callback.Verify
	_, key := b.client()
	if v.HMAC != nil {
		return ofHash(v.HMAC, key)
	}
	with := func(name string, header, claims map[string]any, key string) forgery {
		return forgery{name, func(_ *testing.T, b *bench, q url.Values) {
			all := b.claims(time.Now())
			for name, value := range claims {
				if all[name] = value; value == nil {
					delete(all, name)
				}
			}
			h := map[string]any{"alg": cmp.Or(v.JWT.Alg, "HS256")}
			maps.Copy(h, header)
			q.Set(v.JWT.Param, token(h, all, key))
		}}
	}
	past, future := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	out := []forgery{
		with("alg none", map[string]any{"alg": "none"}, nil, key),
		with("another alg", map[string]any{"alg": "HS384"}, nil, key),
		with("a public key's alg", map[string]any{"alg": "RS256"}, nil, key),
		with("a token that has ended", nil, map[string]any{"exp": past}, key),
		with("a token without an end", nil, map[string]any{"exp": nil}, key),
		with("a token that has not begun", nil, map[string]any{"nbf": future}, key),
		{"alg none and no signature", func(_ *testing.T, b *bench, q url.Values) {
			text := token(map[string]any{"alg": "none"}, b.claims(time.Now()), key)
			q.Set(v.JWT.Param, text[:strings.LastIndexByte(text, '.')+1])
		}},
	}
	if v.JWT.Issuer != nil {
		out = append(out, with("another issuer", nil, map[string]any{"iss": "somebody"}, key), with("no issuer", nil, map[string]any{"iss": nil}, key))
	}
	if v.JWT.Audience != nil {
		out = append(out, with("another audience", nil, map[string]any{"aud": "another app"}, key), with("no audience", nil, map[string]any{"aud": nil}, key))
	}
	return out
}

func ofHash(v *definition.VerifyHMAC, key string) []forgery {
	out := []forgery{
		{"one over other parameters", func(t *testing.T, b *bench, q url.Values) {
			other := maps.Clone(q)
			for name := range other {
				other.Set(name, "other")
			}
			q.Set(v.Param, b.hashed(t, v, other, key))
		}},
		{"one over nothing", func(_ *testing.T, _ *bench, q url.Values) {
			q.Set(v.Param, hex.EncodeToString(mac(sha256.New, key, "")))
		}},
	}
	if v.Over.Source == "sorted_query" {
		out = append(out,
			forgery{"a parameter more", func(_ *testing.T, _ *bench, q url.Values) { q.Set("more", "1") }},
			forgery{"a parameter that holds two", func(t *testing.T, b *bench, q url.Values) {
				// What was signed as two parameters is not the same as one that looks like both.
				q.Set("a", "1")
				q.Set("b", "2")
				q.Set(v.Param, b.hashed(t, v, q, key))
				q.Del("b")
				q.Set("a", "1&b=2")
			}},
		)
	}
	if v.Timestamp != "" {
		out = append(out,
			forgery{"one of yesterday", func(t *testing.T, b *bench, q url.Values) { b.sign(t, q, key, time.Now().Add(-24*time.Hour)) }},
			forgery{"one of tomorrow", func(t *testing.T, b *bench, q url.Values) { b.sign(t, q, key, time.Now().Add(24*time.Hour)) }},
			forgery{"one without a moment", func(t *testing.T, b *bench, q url.Values) {
				q.Set(v.Timestamp, "now")
				q.Set(v.Param, b.hashed(t, v, q, key))
			}},
		)
	}
	return out
}
