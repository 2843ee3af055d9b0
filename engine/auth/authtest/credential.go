package authtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
)

func testKind(t *testing.T, b *bench) {
	if got, want := b.method.Kind(), b.request.Auth.Kind; got != want {
		t.Errorf("Kind() = %s, the definition says %s", got, want)
	}
}

func testObtained(t *testing.T, b *bench) {
	done, err := b.obtain(t)
	if err != nil {
		t.Fatal(err)
	}
	c := done.Credential
	if c.Kind != b.request.Auth.Kind {
		t.Errorf("kind = %s, want %s", c.Kind, b.request.Auth.Kind)
	}
	if c.ObtainedAt.IsZero() || c.ObtainedAt.Location().String() != "UTC" {
		t.Errorf("obtained at %v, want a moment in UTC", c.ObtainedAt)
	}
	encoded, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := auth.DecodeCredential(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := back.Encode(); err != nil || !bytes.Equal(again, encoded) {
		t.Errorf("the credential does not come back as it was (%v)", err)
	}
	// What was typed has to be kept, because it is the credential or what renews it, except for a password
	// that was traded for a token (RFC 6749 §4.3.1).
	for name, want := range b.with.Fields {
		if b.trades(name) {
			want = ""
		}
		if got := back.Fields[name].Reveal(); got != want {
			t.Errorf("field %s: %d characters are kept, want %d", name, len(got), len(want))
		}
	}
	if b.request.Auth.Token != nil && back.AccessToken.Reveal() == "" {
		t.Error("there is no access token")
	}
}

// trades reports whether a field is a password that is of no use once there is a token.
func (b *bench) trades(field string) bool {
	a := b.request.Auth
	return a.Kind == definition.Password && strings.Contains(a.Password.Source, "fields."+field) && (a.Refresh == nil || a.Refresh.Grant != "password")
}

func testPrint(t *testing.T, b *bench) {
	done, err := b.obtain(t)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, v := range []any{done, done.Credential, &done, struct{ inner auth.Done }{done}} {
		fmt.Fprintf(&out, "%v %+v %#v\n", v, v, v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	}
	j, err := json.Marshal(done)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	if strings.Contains(out.String(), Canary) {
		t.Errorf("a secret is printed: %s", out.String())
	}
}

// outgoing is a call of somebody who has a header, a cookie and a query of his own.
func outgoing(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.provider.test/things?b=2&a=1%2f&b=3;c", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Own", "mine")
	r.Header.Set("Cookie", `own="1"; other=2`)
	return r
}

// snapshot is everything about a request that Apply may touch.
type snapshot struct {
	url    string
	header http.Header
}

func snap(r *http.Request) snapshot { return snapshot{r.URL.String(), r.Header.Clone()} }

// snap is what Apply may touch, without what is another for every request where requests are signed.
func (b *bench) snap(r *http.Request) snapshot {
	s := snap(r)
	if b.request.Auth.Apply.Sign == nil {
		return s
	}
	for name, v := range s.header {
		for i := range v {
			s.header[name][i] = varies.ReplaceAllString(v[i], "…")
		}
	}
	s.url = varies.ReplaceAllString(s.url, "…")
	return s
}

// varies finds signatures, nonces and times.
var varies = regexp.MustCompile(`[A-Za-z0-9+/_%-]{20,}=*|[0-9]{10}|[0-9]{8}T[0-9]{6}Z|[0-9-]{10}T[0-9:]{8}Z`)

func testApplyTwice(t *testing.T, b *bench) {
	c := b.credential(t)
	bare, r := b.snap(outgoing(t)), outgoing(t)
	if err := b.method.Apply(r, b.request, c); err != nil {
		t.Fatal(err)
	}
	once := b.snap(r)
	if reflect.DeepEqual(once, bare) != (b.request.Auth.Kind == definition.NoCredential) {
		t.Errorf("Apply made %v of %v", once, bare)
	}
	if err := b.method.Apply(r, b.request, c); err != nil {
		t.Fatal(err)
	}
	if twice := b.snap(r); !reflect.DeepEqual(twice, once) {
		t.Errorf("after the second Apply: %v, after the first: %v", twice, once)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			r := outgoing(t)
			if err := b.method.Apply(r, b.request, c); err != nil || !reflect.DeepEqual(b.snap(r), once) {
				t.Errorf("Apply beside others: %v, %v", b.snap(r), err)
			}
		})
	}
	all.Wait()
}

func testApplyRest(t *testing.T, b *bench) {
	c := b.credential(t)
	r := outgoing(t)
	if err := b.method.Apply(r, b.request, c); err != nil {
		t.Fatal(err)
	}
	if got := r.Header.Get("X-Own"); got != "mine" {
		t.Errorf("X-Own = %q", got)
	}
	if !strings.HasPrefix(r.Header.Get("Cookie"), `own="1"; other=2`) {
		t.Errorf("Cookie = %q", r.Header.Get("Cookie"))
	}
	// As it stands: it may be signed, and reading ";" is a matter of opinion.
	if !strings.HasPrefix(r.URL.RawQuery, "b=2&a=1%2f&b=3;c") {
		t.Errorf("query = %q", r.URL.RawQuery)
	}
}

func testAttach(t *testing.T, b *bench) {
	c := b.credential(t)
	got, err := auth.Attach(b.request, c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.provider.test/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.method.Apply(r, b.request, c); err != nil {
		t.Fatal(err)
	}
	if got.Signed != (b.request.Auth.Apply.Sign != nil) {
		t.Errorf("the attachment says signed: %v", got.Signed)
	}
	for name := range r.Header {
		if _, there := got.Headers[name]; got.Signed && !there {
			continue // it belongs to the signature of one request
		}
		if got.Headers[name] != r.Header.Get(name) {
			t.Errorf("header %s is attached as %q, applied as %q", name, got.Headers[name], r.Header.Get(name))
		}
	}
	for name, v := range r.URL.Query() {
		if _, there := got.Query[name]; got.Signed && !there {
			continue
		}
		if got.Query[name] != v[0] {
			t.Errorf("query %s is attached as %q, applied as %q", name, got.Query[name], v[0])
		}
	}
	if base := b.request.Connector.API.BaseURL; base != nil && got.BaseURL == "" {
		t.Error("there is no base URL")
	}
}

func testNothingPending(t *testing.T, b *bench) {
	_, err := b.method.Complete(t.Context(), b.request, auth.Pending{}, auth.Answer{Query: url.Values{"code": {theCode}}})
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("Complete without Begin: %v, want kind invalid", err)
	}
	if n := len(b.provider.requests()); n != 0 {
		t.Errorf("the provider was sent %d requests", n)
	}
}

func testRevoke(t *testing.T, b *bench) {
	c := b.credential(t)
	b.always(asText(http.StatusOK, "text/plain", ""))
	err := b.method.(auth.Revoker).Revoke(t.Context(), b.request, c)
	if b.request.Auth.Revoke == nil {
		if !errors.Is(err, auth.ErrNoRevoke) {
			t.Errorf("without a revoke request: %v, want ErrNoRevoke", err)
		}
		if n := len(b.provider.requests()); n != 0 {
			t.Errorf("the provider was sent %d requests", n)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	s := b.provider.only(t)
	if s.Method != b.request.Auth.Revoke.Method {
		t.Errorf("method = %s, want %s", s.Method, b.request.Auth.Revoke.Method)
	}
	if b.request.Auth.Revoke.Auth != "client" {
		return
	}
	if signs(b) {
		_, got := s.params(t, "form")
		b.clientSigned(t, s, got, wanted{clientAuth: cmp.Or(b.request.Auth.Revoke.ClientAuth, b.request.Auth.Token.ClientAuth)})
	} else {
		b.authenticatedOnce(t, s, b.request.Auth.Revoke.ClientAuth)
	}
}
