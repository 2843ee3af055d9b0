package authtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
)

// wanted is what a definition says about one token request, as the suite reads it.
type wanted struct {
	method, format  string
	clientAuth      definition.ClientAuth
	names           definition.Names
	params, headers definition.Params
	url             definition.Template
	standard        map[string]string // by RFC name
	signed          map[string]*definition.JWT
}

func (b *bench) wantToken(p auth.Pending) wanted {
	t := b.request.Auth.Token
	w := wanted{
		method: cmp.Or(t.Method, http.MethodPost), format: cmp.Or(t.Format, "form"), clientAuth: t.ClientAuth, names: t.Names,
		params: t.Params, headers: t.Headers, url: t.URL,
	}
	switch b.request.Auth.Kind {
	case definition.AuthorizationCode:
		w.standard = map[string]string{
			"grant_type": cmp.Or(t.GrantType, "authorization_code"), "code": theCode, "redirect_uri": redirectURI, "code_verifier": p.Verifier,
		}
	case definition.JWTBearer:
		w.standard = map[string]string{"grant_type": cmp.Or(t.GrantType, "urn:ietf:params:oauth:grant-type:jwt-bearer")}
		w.signed = map[string]*definition.JWT{"assertion": b.request.Auth.Assertion}
	case definition.TokenExchange:
		w.standard = b.traded(t)
	case definition.Password:
		w.standard = map[string]string{
			"grant_type": cmp.Or(t.GrantType, "password"),
			"username":   b.filled(b.request.Auth.Username), "password": b.filled(b.request.Auth.Password),
		}
	case definition.DeviceCode:
		w.standard = map[string]string{
			"grant_type": cmp.Or(t.GrantType, "urn:ietf:params:oauth:grant-type:device_code"), "device_code": theDeviceCode,
		}
	default:
		w.standard = map[string]string{"grant_type": cmp.Or(t.GrantType, "client_credentials")}
	}
	return w
}

// traded are the parameters of RFC 8693 §2.1 that come once.
func (b *bench) traded(t *definition.TokenRequest) map[string]string {
	x := b.request.Auth.Exchange
	out := map[string]string{
		"grant_type":    cmp.Or(t.GrantType, "urn:ietf:params:oauth:grant-type:token-exchange"),
		"subject_token": b.filled(&x.SubjectToken), "subject_token_type": b.filled(&x.SubjectTokenType),
	}
	for name, t := range map[string]*definition.Template{
		"actor_token": x.ActorToken, "actor_token_type": x.ActorTokenType, "requested_token_type": x.RequestedTokenType,
	} {
		if t != nil {
			out[name] = b.filled(t)
		}
	}
	for name, list := range map[string]definition.Templates{"audience": x.Audience, "resource": x.Resource} {
		if len(list) == 1 {
			out[name] = b.filled(&list[0])
		}
	}
	return out
}

// filled fills a template that reads fields and nothing else.
func (b *bench) filled(t *definition.Template) string {
	out := t.Source
	for name, v := range b.with.Fields {
		out = strings.ReplaceAll(out, "${fields."+name+"}", v)
	}
	return out
}

// wantRefresh is the token request with what the refresh block says in its place; grant type and
// parameters are its own.
func (b *bench) wantRefresh(c auth.Credential) wanted {
	w := b.wantToken(auth.Pending{})
	f := b.request.Auth.Refresh
	if again := []string{"client_credentials", "jwt_bearer", "token_exchange", "password"}; slices.Contains(again, b.request.Auth.RefreshGrant()) {
		return w
	}
	w.params = nil
	w.standard = map[string]string{"grant_type": "refresh_token", "refresh_token": c.RefreshToken.Reveal()}
	if f == nil {
		return w
	}
	w.method, w.format, w.clientAuth = cmp.Or(f.Method, w.method), cmp.Or(f.Format, w.format), cmp.Or(f.ClientAuth, w.clientAuth)
	w.params = f.Params
	if f.URL != nil {
		w.url = *f.URL
	}
	if f.Names != nil {
		w.names = f.Names
	}
	if f.Headers != nil {
		w.headers = f.Headers
	}
	w.standard["grant_type"] = cmp.Or(f.GrantType, "refresh_token")
	if f.Grant == "access_token" {
		w.standard = map[string]string{"grant_type": f.GrantType}
	}
	return w
}

func testTokenRequest(t *testing.T, b *bench) {
	step, p, err := b.method.Begin(t.Context(), b.request)
	if err != nil {
		t.Fatal(err)
	}
	switch wait := step.(type) {
	case auth.Wait:
		if _, err := b.method.(auth.Poller).Poll(t.Context(), b.request, p, wait); err != nil {
			t.Fatal(err)
		}
	case auth.Redirect:
		if n := len(b.provider.requests()); n != 0 {
			t.Errorf("Begin sent %d requests", n)
		}
		if _, err := b.complete(t, p, b.brought()); err != nil {
			t.Fatal(err)
		}
	}
	b.checkTokenRequest(t, b.provider.only(t), b.wantToken(p))
}

func testRefreshRequest(t *testing.T, b *bench) {
	c := b.credential(t)
	if _, err := b.renew(t, c); err != nil {
		t.Fatal(err)
	}
	b.checkTokenRequest(t, b.provider.only(t), b.wantRefresh(c))
}

func (b *bench) checkTokenRequest(t *testing.T, s *sent, w wanted) {
	t.Helper()
	if w.url.Literal() && s.url != w.url.Source {
		t.Errorf("sent to %s, want %s", s.url, w.url.Source)
	}
	format := w.format
	if w.method == http.MethodGet {
		format = "query"
	}
	wantType := map[string]string{"form": "application/x-www-form-urlencoded", "json": "application/json", "query": ""}[format]
	if s.Method != w.method || s.Header.Get("Content-Type") != wantType {
		t.Errorf("%s with content type %q, want %s with %q", s.Method, s.Header.Get("Content-Type"), w.method, wantType)
	}
	if format == "query" && s.body != "" {
		t.Error("there is a body as well as a query")
	}
	names, got := s.params(t, format)
	for standard, want := range w.standard {
		name, renamed := w.names[standard]
		if !renamed {
			name = standard
		}
		switch {
		case name != "" && got[name] != want:
			t.Errorf("%s = %q, want %q", name, got[name], want)
		case name == "" && got[standard] != "":
			t.Errorf("%s was sent though the definition drops it", standard)
		case name != standard && got[standard] != "":
			t.Errorf("%s was sent under its own name", standard)
		}
	}
	for name, j := range w.signed {
		b.checkSigned(t, name, got[name], j, map[string]string{"aud": b.request.Auth.Token.URL.Source})
	}
	b.checkOwn(t, names, got, w.params, format)
	for _, h := range w.headers {
		if h.Value.Literal() && !h.Drop && s.Header.Get(h.Name) != h.Value.Source {
			t.Errorf("header %s = %q, want %q", h.Name, s.Header.Get(h.Name), h.Value.Source)
		}
	}
	if !b.clientSigned(t, s, got, w) {
		b.authenticatedOnce(t, s, w.clientAuth)
	}
	b.clientNamed(t, got, w)
}

// checkOwn checks the definition's own parameters: there, with their value, in the definition's order.
func (b *bench) checkOwn(t *testing.T, names []string, got map[string]string, own definition.Params, format string) {
	t.Helper()
	var order []int
	for _, p := range own {
		i := slices.Index(names, p.Name)
		switch {
		case p.Drop && i >= 0:
			t.Errorf("%s was sent though the definition drops it", p.Name)
		case p.Drop:
		case i < 0 && p.Value.Literal() && p.Value.Source != "":
			t.Errorf("%s was not sent", p.Name)
		case i >= 0 && p.Value.Literal() && got[p.Name] != p.Value.Source:
			t.Errorf("%s = %q, want %q", p.Name, got[p.Name], p.Value.Source)
		case i >= 0:
			order = append(order, i)
		}
	}
	if format != "json" && !slices.IsSorted(order) { // the members of an object have no order
		t.Errorf("the definition's own parameters were sent in another order: %v", names)
	}
	for name, v := range got {
		if v == "" {
			t.Errorf("%s was sent empty", name)
		}
	}
}

// authenticatedOnce checks that the client authenticates in the one place that how names (RFC 6749
// §2.3: never more than one).
func (b *bench) authenticatedOnce(t *testing.T, s *sent, how definition.ClientAuth) {
	t.Helper()
	how = cmp.Or(how, b.request.Auth.Token.ClientAuth)
	id, key := b.client()
	inHeader := false
	if payload, ok := strings.CutPrefix(s.Header.Get("Authorization"), "Basic "); ok {
		raw, _ := base64.StdEncoding.DecodeString(payload)
		user, password, _ := strings.Cut(string(raw), ":")
		// Both parts are form-encoded first (RFC 6749 §2.3.1).
		inHeader = user == url.QueryEscape(id) && password == url.QueryEscape(key)
	}
	quoted, _ := json.Marshal(key)
	rest := s.body + " " + s.URL.RawQuery
	inRest := strings.Count(rest, url.QueryEscape(key)) + strings.Count(rest, strings.Trim(string(quoted), `"`))
	wantHeader, wantRest := how == definition.ClientAuthHeader, 0
	if how == definition.ClientAuthBody {
		wantRest = 1
	}
	if inHeader != wantHeader || inRest != wantRest {
		t.Errorf("client_auth %s: in the header %v, in body and query %d times", how, inHeader, inRest)
	}
	if how != definition.ClientAuthHeader && s.Header.Get("Authorization") != "" {
		t.Errorf("client_auth %s: there is an Authorization header", how)
	}
}

// clientNamed checks client_id: with the secret, or alone for a public client (RFC 6749 §3.2.1).
func (b *bench) clientNamed(t *testing.T, got map[string]string, w wanted) {
	t.Helper()
	name, renamed := w.names["client_id"]
	if !renamed {
		name = "client_id"
	}
	id, _ := b.client()
	own := slices.ContainsFunc(w.params, func(p definition.Param) bool { return p.Name == name })
	if name != "" && w.clientAuth != definition.ClientAuthHeader && !own && got[name] != id {
		t.Errorf("%s = %q, want %q", name, got[name], id)
	}
}
