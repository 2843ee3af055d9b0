package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

// Explained is what one method of a connector sends, in the order in which it is sent.
type Explained struct {
	Method   string // the method's id
	Kind     definition.AuthKind
	Requests []ExplainedRequest
}

// ExplainedRequest is one request as it goes over the wire, with names in brackets where secrets and
// values of one connection will stand.
type ExplainedRequest struct {
	Title       string // what it is for: "token", "login step open"
	Method, URL string // without the query
	URLFrom     string // where the address stands in the definition
	// Taken says that it comes to us: what is said to come from somewhere is then read there.
	Taken bool
	Query []string
	// QueryFrom says of each of Query where it comes from: a place in the definition, or the RFC.
	QueryFrom []string
	Headers   []ExplainedHeader // by name
	Body      string
	// BodyFrom says of each field of a form where it comes from: Name is the field.
	BodyFrom []ExplainedHeader
	Note     string // what happens to it besides being sent or taken
	// Certificate says that the client shows its certificate.
	Certificate bool
	// Tokens are the signed tokens whose names stand in the request.
	Tokens []ExplainedToken
	// Depends says why the request cannot be made from examples alone; then there is nothing else.
	Depends string
}

// ExplainedHeader is one line of a request's head.
type ExplainedHeader struct {
	Name, Value string
	From        string // where it comes from; empty if that is plain
}

// Explanation makes the exact requests that Dowel makes for a connector, with names in brackets where
// secrets and values of one connection will stand. It makes them with the same code and sends none.
func Explanation(methods Registry, k *definition.Connector, redirectURI string) []Explained {
	out := make([]Explained, 0, len(k.Auth))
	for _, a := range k.Auth {
		x := explanation{out: &Explained{Method: a.ID, Kind: a.Kind}, k: k, a: a, redirectURI: redirectURI}
		x.method, _ = methods.Method(a.Kind) // every kind of a loaded definition has one
		x.all()
		out = append(out, *x.out)
	}
	return out
}

// inBrowser ends the title of a request that is not ours.
const inBrowser = "(in the browser)"

// explanation collects what one method sends.
type explanation struct {
	out         *Explained
	k           *definition.Connector
	a           *definition.Auth
	method      Method
	redirectURI string
	origins     origins // of the values of the request to come
}

func (x explanation) all() {
	x.launch()
	if x.a.Kind == definition.OAuth1 {
		x.oauth1()
	} else {
		x.oauth2()
	}
	if x.a.Introspect != nil {
		x.call("introspect", x.a.Introspect.Request)
	}
	for _, s := range x.a.Login {
		x.call("login step "+s.ID, s.Request)
	}
	for i, q := range x.k.TestsFor(x.a) {
		title := "test"
		if i > 0 {
			title = fmt.Sprintf("test, instead %d", i)
		}
		x.call(title, q)
	}
	if id := x.k.IdentityFor(x.a); id != nil {
		x.call("identity", id.Request)
		for _, s := range id.Also {
			x.call("identity, "+s.ID, s.Request)
		}
		x.call("identity, picture", id.Picture)
	}
	for _, ch := range x.k.ChoicesFor(x.a) {
		x.call("choose "+ch.ID, ch.Request)
	}
	x.call("revoke", x.a.Revoke)
}

// oauth2 adds the way to a credential of RFC 6749 and its relatives, and how it is renewed.
func (x explanation) oauth2() {
	x.discovery()
	x.registration()
	if x.a.Authorize != nil && x.a.Authorize.PAR != nil {
		x.pushed()
	} else if x.a.Authorize != nil {
		x.fromAuthorize().request("authorize "+inBrowser, func(r Request, _ Credential) (*http.Request, error) {
			u, err := r.authorization(Pending{State: exampleState, Verifier: verifier(r.Auth), Nonce: nonce(r.Auth)})
			if err != nil {
				return nil, err
			}
			return http.NewRequestWithContext(context.Background(), http.MethodGet, u.String(), http.NoBody)
		})
	}
	x.callback()
	x.confirmations()
	if x.a.Device != nil {
		x.fromDevice().request("device authorization", func(r Request, _ Credential) (*http.Request, error) {
			return r.deviceRequest(context.Background(), r.env(nil))
		})
	}
	if x.a.Token != nil {
		x.fromToken("token", x.a.Token).request("token", x.tokenRequest)
		for i, t := range x.a.Token.Then {
			x.fromToken(fmt.Sprintf("token.then.%d", i), t).request(fmt.Sprintf("token, then %d", i+1), func(r Request, c Credential) (*http.Request, error) {
				return r.tokenRequest(context.Background(), t, thenParams(t), r.env(&c))
			})
		}
	}
	if g := x.a.RefreshGrant(); g == definition.GrantRefreshToken || g == definition.GrantAccessToken {
		x.fromToken("refresh", refreshRequest(x.a)).request("refresh", func(r Request, c Credential) (*http.Request, error) {
			t := refreshRequest(r.Auth)
			return r.tokenRequest(context.Background(), t, r.refreshParams(t, c), r.env(&c))
		})
	}
	if t := x.a.IDToken; t != nil && t.JWKSURL != nil {
		x.request("keys of the ID token", func(r Request, _ Credential) (*http.Request, error) {
			u, err := t.JWKSURL.FillURL(r.callEnv(nil))
			if err != nil {
				return nil, err
			}
			return http.NewRequestWithContext(context.Background(), http.MethodGet, u.String(), http.NoBody)
		})
	}
}

// pushed explains the authorization request in its two parts (RFC 9126).
func (x explanation) pushed() {
	x.fromPAR().request("pushed authorization request", func(r Request, _ Credential) (*http.Request, error) {
		p := Pending{State: exampleState, Verifier: verifier(r.Auth), Nonce: nonce(r.Auth)}
		return r.pushRequest(context.Background(), p, r.env(nil))
	})
	x.fromAuthorize().request("authorize "+inBrowser, func(r Request, _ Credential) (*http.Request, error) {
		u, err := r.pushedPage("[request_uri]", r.env(nil))
		if err != nil {
			return nil, err
		}
		return http.NewRequestWithContext(context.Background(), http.MethodGet, u.String(), http.NoBody)
	})
}

func (x explanation) tokenRequest(r Request, c Credential) (*http.Request, error) {
	env := r.env(&c)
	params, err := r.explainedParams(env)
	if err != nil {
		return nil, err
	}
	return r.tokenRequest(context.Background(), r.Auth.Token, params, env)
}

// explainedParams are the standard parameters of the method's own token request.
func (r Request) explainedParams(env definition.Env) ([]pair, error) {
	switch r.Auth.Kind {
	case definition.ClientCredentials:
		return r.clientParams(env)
	case definition.DeviceCode:
		return r.deviceParams("[device_code]"), nil
	case definition.TokenExchange:
		return r.tradeParams(env)
	case definition.Password:
		return r.passwordParams(env)
	case definition.JWTBearer:
		return r.assertionParams(env)
	}
	code := ""
	if r.Auth.CodeName() != "" {
		code = exampleCode
	}
	told := callbackOf(r.RedirectURI, Answer{})
	told["code"] = code
	env["callback"] = told
	return r.codeParams(code, Pending{State: exampleState, Verifier: verifier(r.Auth)}), nil
}

// What stands for values that are not yet known.
const (
	exampleState = "[state]"
	exampleCode  = "[code]"
)

func verifier(a *definition.Auth) string {
	if a.Kind != definition.AuthorizationCode || !a.PKCE.Used() {
		return ""
	}
	return "[code_verifier]"
}

func nonce(a *definition.Auth) string {
	if a.IDToken == nil {
		return ""
	}
	return "[nonce]"
}

func (x explanation) call(title string, q *definition.Request) {
	at, _, _ := strings.Cut(title, ",")
	x.callWith(title, strings.ReplaceAll(at, " step ", "."), q, nil)
}

// callWith is call for a request that stands at a place of the method, with more that it may read.
func (x explanation) callWith(title, at string, q *definition.Request, more definition.Env) {
	if q == nil {
		return
	}
	x.fromRequest(at, q).request(title, func(r Request, c Credential) (*http.Request, error) {
		env := r.env(&c)
		maps.Copy(env, more)
		req, err := r.message(context.Background(), q, env)
		if err != nil {
			return nil, err
		}
		return req, r.authenticate(req, x.method, q, c, env)
	})
}

// request adds one request, or why it cannot be made from examples alone. A value the provider will
// give may have to be an address; then it is tried as one.
func (x explanation) request(title string, build func(Request, Credential) (*http.Request, error)) {
	var err error
	for _, captured := range []string{"[captured.%s]", "https://captured-%s.example", "captured-%s"} {
		r, c := x.example(captured)
		var req *http.Request
		if req, err = build(r, c); err == nil {
			out := shown(title, req)
			x.origins.tell(&out, contentType(req))
			out.Tokens, out.Certificate = *r.explained, x.a.TLS != nil && !strings.HasSuffix(title, inBrowser)
			x.out.Requests = append(x.out.Requests, out)
			return
		}
	}
	x.out.Requests = append(x.out.Requests, ExplainedRequest{Title: title, Depends: err.Error()})
}

// example is a request with examples for what a person enters and names for what is secret.
func (x explanation) example(captured string) (Request, Credential) {
	r := Request{
		Connector: x.k, Auth: x.a, Inputs: map[string]string{}, Fields: map[string]secret.Value{}, Captured: map[string]string{},
		App: App{ClientID: "[client_id]", ClientSecret: secret.New("[client_secret]"), Fields: map[string]secret.Value{}}, RedirectURI: x.redirectURI,
		Discovered: exampleDiscovery(x.a), explained: &explainedTokens{},
	}
	for _, f := range x.k.Inputs {
		r.Inputs[f.Name] = exampleOf(f)
	}
	for _, f := range x.a.Fields {
		r.Fields[f.Name] = secret.New(exampleOf(f))
	}
	for _, f := range x.a.AppFields {
		r.App.Fields[f.Name] = secret.New(exampleOf(f))
	}
	if x.a.Registration != nil {
		r.App.Fields[MethodField] = secret.New("none") // the usual agreement
	}
	for _, name := range x.k.CapturedNames(x.a) {
		r.Captured[name] = fmt.Sprintf(captured, strings.ReplaceAll(name, "_", "-"))
	}
	c := Credential{
		AccessToken: secret.New("[access_token]"), TokenSecret: secret.New("[token_secret]"), RefreshToken: secret.New("[refresh_token]"), IDToken: secret.New("[id_token]"),
		TokenType: "Bearer", Scopes: []string{"[scopes]"}, Fields: r.Fields, Tokens: map[string]secret.Value{}, Values: map[string]secret.Value{},
	}
	if x.a.Token != nil {
		for _, t := range x.a.Token.Answer.Tokens {
			c.Tokens[t.Name] = secret.New("[tokens." + t.Name + "]")
		}
	}
	for _, s := range x.a.Login {
		for _, v := range s.Credential {
			c.Values[v.Name] = secret.New("[" + v.Name + "]")
		}
	}
	return r, c
}

func exampleOf(f definition.Field) string {
	if f.Secret() {
		return "[" + f.Name + "]"
	}
	if f.Default == "" && f.Example == "" && len(f.Options) > 0 {
		return f.Options[0].Value
	}
	return cmp.Or(f.Default, f.Example, "["+f.Name+"]")
}

// shown takes a request apart as it goes over the wire.
func shown(title string, req *http.Request) ExplainedRequest {
	address, mark, _ := strings.Cut(req.URL.String(), "#")
	switch {
	case strings.Contains(mark, "?"): // of a page that is a program, which has its parameters there
		address += "#" + mark
		mark = ""
	case mark != "":
		mark = "#" + mark
	}
	where, query, _ := strings.Cut(address, "?")
	out := ExplainedRequest{Title: title, Method: req.Method, URL: bracketed(where + mark)}
	for p := range strings.SplitSeq(query, "&") {
		if p != "" {
			out.Query = append(out.Query, bracketed(p))
		}
	}
	for k := range req.Header {
		out.Headers = append(out.Headers, ExplainedHeader{Name: k, Value: readable(req, k)})
	}
	slices.SortFunc(out.Headers, func(a, b ExplainedHeader) int { return cmp.Compare(a.Name, b.Name) })
	if req.Body == nil {
		return out
	}
	if body, err := io.ReadAll(req.Body); err == nil {
		out.Body = bracketed(string(body))
	}
	return out
}

// readable shows what is inside a Basic header.
func readable(req *http.Request, key string) string {
	if user, password, ok := req.BasicAuth(); ok && key == "Authorization" {
		return "Basic base64(" + bracketed(user) + ":" + bracketed(password) + ")"
	}
	return bracketed(req.Header.Get(key))
}

// bracketed undoes the escaping of the brackets around names, which stand for values not yet known.
func bracketed(s string) string {
	const verifier = "[code_verifier]"
	sum := sha256.Sum256([]byte(verifier))
	return strings.NewReplacer(
		"%5B", "[", "%5D", "]", "%255B", "[", "%255D", "]",
		oauth2.S256ChallengeFromVerifier(verifier), "[code_challenge]", hex.EncodeToString(sum[:]), "[code_challenge]",
	).Replace(s)
}
