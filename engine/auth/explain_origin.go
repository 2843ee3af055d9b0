package auth

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// origins say where the values of one request come from.
type origins struct {
	// standard are the parameters that the grant brings, by the names they are sent under.
	standard map[string]string
	// lists are the definition's own parameters and headers, the last of which counts.
	lists []originList
	// url is where the address stands.
	url string
	// authorization says what the Authorization header is, if no list has it; format what the body is.
	authorization, format string
}

// originList is a list of parameters of the definition and where it stands.
type originList struct {
	at     string
	params definition.Params
	header bool
}

// standards are the parameters that Dowel brings by itself, with the section that asks for them.
var standards = map[string]string{
	"response_type": "RFC 6749 §4.1.1", "client_id": "the app", "client_secret": "the app", "redirect_uri": "Dowel's callback address",
	"state": "256 random bits (RFC 6749 §10.12)", "code_challenge": "pkce (RFC 7636 §4.3)", "code_challenge_method": "pkce (RFC 7636 §4.3)",
	"nonce": "random bits (OpenID Connect Core §3.1.2.1)", "grant_type": "the grant (RFC 6749 §4)", "code": "the callback (RFC 6749 §4.1.3)",
	"code_verifier": "pkce (RFC 7636 §4.5)", "refresh_token": "the credential (RFC 6749 §6)", "device_code": "the device authorization (RFC 8628 §3.4)",
	"assertion": "assertion (RFC 7523 §2.1)", "client_assertion": "client_assertion (RFC 7523 §2.2)", "client_assertion_type": "client_auth (RFC 7523 §2.2)",
	"username": "username (RFC 6749 §4.3)", "password": "password (RFC 6749 §4.3)", "subject_token": "exchange (RFC 8693 §2.1)",
	"subject_token_type": "exchange (RFC 8693 §2.1)", "actor_token": "exchange (RFC 8693 §2.1)", "actor_token_type": "exchange (RFC 8693 §2.1)",
	"requested_token_type": "exchange (RFC 8693 §2.1)", "audience": "exchange (RFC 8693 §2.1)", "resource": "RFC 8707", "request_uri": "authorize.par (RFC 9126)",
}

// standardNames are the standard parameters under the names that the definition gives them, and those
// that carry scopes.
func (x explanation) standardNames(at string, names definition.Names) map[string]string {
	out := maps.Clone(standards)
	for standard, name := range names {
		if name != "" {
			out[name] = standards[standard] + ", named by " + at + ".names"
		}
	}
	if x.a.Scopes != nil {
		out[cmp.Or(x.a.Scopes.Parameter, "scope")] = "scopes"
	}
	for _, g := range x.a.ScopeGroups {
		out[cmp.Or(g.Parameter, "scope")] = "scope_groups." + g.Name
	}
	return out
}

// from has the requests that follow say where their values come from.
func (x explanation) from(o origins) explanation {
	x.origins = o
	return x
}

// fromAuthorize is the origin of the authorization request.
func (x explanation) fromAuthorize() explanation {
	a := x.a.Authorize
	return x.from(origins{url: "authorize.url", standard: x.standardNames("authorize", a.Names), lists: []originList{{"authorize.params", a.Params, false}}})
}

// fromToken is the origin of a token request that stands at a place of the method.
func (x explanation) fromToken(at string, t *definition.TokenRequest) explanation {
	headers, auth, address := at, at, at
	if f := x.a.Refresh; at == "refresh" && (f == nil || f.URL == nil) {
		address = "token"
	}
	if f := x.a.Refresh; at == "refresh" && (f == nil || f.Headers == nil) {
		headers = "token"
	}
	if f := x.a.Refresh; at == "refresh" && (f == nil || f.ClientAuth == "") {
		auth = "token"
	}
	return x.from(origins{
		url: address + ".url", standard: x.standardNames(at, t.Names),
		lists:  []originList{{at + ".params", t.Params, false}, {headers + ".headers", t.Headers, true}},
		format: at + ".format", authorization: auth + ".client_auth",
	})
}

// fromPAR is the origin of the pushed authorization request.
func (x explanation) fromPAR() explanation {
	a := x.a.Authorize
	auth := "authorize.par.client_auth"
	if a.PAR.ClientAuth == "" {
		auth = "token.client_auth"
	}
	return x.from(origins{
		url: "authorize.par.url", standard: x.standardNames("authorize", a.Names), authorization: auth, format: "RFC 9126 §2.1",
		lists: []originList{
			{"authorize.par.params", a.PAR.Params, false}, {"authorize.params", a.Params, false}, {"authorize.par.headers", a.PAR.Headers, true},
		},
	})
}

// fromDevice is the origin of the device authorization request.
func (x explanation) fromDevice() explanation {
	d := x.a.Device
	return x.from(origins{
		url: "device.url", standard: x.standardNames("device", d.Names),
		lists:  []originList{{"device.params", d.Params, false}, {"device.headers", d.Headers, true}},
		format: "device.format", authorization: "device.client_auth",
	})
}

// fromRequest is the origin of any other request of the definition.
func (x explanation) fromRequest(at string, q *definition.Request) explanation {
	api := x.k.APIFor(x.a)
	o := origins{url: at, lists: []originList{{"api.headers", api.Headers, true}, {at + ".query", q.Query, false}, {at + ".form", q.Form, false}, {at + ".headers", q.Headers, true}}}
	switch {
	case q.JSON != nil:
		o.format = at + ".json"
	case q.XML != nil:
		o.format = at + ".xml"
	case len(q.Form) > 0:
		o.format = at + ".form"
	}
	switch q.Auth {
	case "client":
		o.authorization, o.standard = "the app, as client_auth says", map[string]string{
			"client_id": "the app", "client_secret": "the app", "client_assertion_type": "client_auth (RFC 7523 §2.2)", "client_assertion": "client_assertion (RFC 7523 §2.2)",
		}
	case "credential":
		apply := x.a.Apply
		o.lists = append(o.lists, originList{"api.query", api.Query, false}, originList{"apply.headers", apply.Headers, true}, originList{"apply.query", apply.Query, false}, originList{"apply.body", apply.Body, false})
		o.authorization = "apply"
	}
	if q.Sign != nil {
		places := q.Sign.Places()
		o.lists = append(o.lists, originList{at + ".sign.headers", places.Headers, true}, originList{at + ".sign.query", places.Query, false})
		o.authorization = at + ".sign"
	}
	return x.from(o)
}

// of says where a parameter or a header comes from; empty if nothing is known.
func (o origins) of(name string, header bool) string {
	for _, l := range slices.Backward(o.lists) {
		if l.header == header && slices.ContainsFunc(l.params, func(p definition.Param) bool {
			return p.Name == name || header && strings.EqualFold(p.Name, name)
		}) {
			return l.at
		}
	}
	if !header {
		return o.standard[name]
	}
	switch name {
	case "Accept":
		return "Dowel"
	case "Content-Type":
		return o.format
	case "Authorization":
		return o.authorization
	}
	return ""
}

// tell writes the origins into a request that is taken apart.
func (o origins) tell(out *ExplainedRequest, contentType string) {
	if o.lists == nil && o.standard == nil {
		return
	}
	out.URLFrom = o.url
	for _, p := range out.Query {
		name, _, _ := strings.Cut(p, "=")
		out.QueryFrom = append(out.QueryFrom, o.of(unescaped(name), false))
	}
	for i := range out.Headers {
		out.Headers[i].From = o.of(out.Headers[i].Name, true)
	}
	for _, name := range bodyNames(out.Body, contentType) {
		if from := o.of(name, false); from != "" {
			out.BodyFrom = append(out.BodyFrom, ExplainedHeader{Name: name, Value: from})
		}
	}
}

// bodyNames are the fields of a form, or the members of a JSON object.
func bodyNames(body, contentType string) []string {
	var out []string
	switch {
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		for p := range strings.SplitSeq(body, "&") {
			name, _, _ := strings.Cut(p, "=")
			out = append(out, unescaped(name))
		}
	case strings.HasPrefix(contentType, "application/json"):
		var m map[string]any
		if json.Unmarshal([]byte(body), &m) == nil {
			out = slices.Sorted(maps.Keys(m))
		}
	}
	return out
}

func unescaped(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// contentType is the media type of a request's body.
func contentType(req *http.Request) string { return req.Header.Get("Content-Type") }
