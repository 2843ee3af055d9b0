package auth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// tokenRequest makes the message of a token request.
func (r Request) tokenRequest(ctx context.Context, t *definition.TokenRequest, standard []pair, env definition.Env) (*http.Request, error) {
	return r.clientRequest(ctx, "token", &t.ClientRequest, standard, env)
}

// clientRequest makes the message of a request in which the client authenticates: the standard
// parameters under the names the definition gives them, the definition's own, and the client's
// authentication in one place. what names the request for people.
func (r Request) clientRequest(ctx context.Context, what string, q *definition.ClientRequest, standard []pair, env definition.Env) (*http.Request, error) {
	u, err := q.URL.FillURL(env)
	if err != nil {
		return nil, invalidRequest(what, err)
	}
	client, err := r.prove(q.ClientAuth, env)
	if err != nil {
		return nil, err
	}
	for _, p := range client.params {
		if !slices.Contains(standard, p) { // an authorization request has the client id already
			standard = append(standard, p)
		}
	}
	params, err := merged(standard, q.Names, q.Params, env)
	if err != nil {
		return nil, invalidRequest(what, err)
	}
	req, err := clientMessage(ctx, q, u, params)
	if err != nil {
		return nil, invalidRequest(what, err)
	}
	req.Header.Set("Accept", "application/json")
	if client.header != "" {
		req.Header.Set("Authorization", client.header)
	}
	if err := setHeaders(req, q.Headers, env); err != nil {
		return nil, err
	}
	return req, nil
}

func clientMessage(ctx context.Context, q *definition.ClientRequest, u *url.URL, params []pair) (*http.Request, error) {
	method := cmp.Or(q.Method, http.MethodPost)
	if q.Format == "query" || method == http.MethodGet {
		u.RawQuery = joinQuery(u.RawQuery, encode(params))
		return http.NewRequestWithContext(ctx, method, u.String(), http.NoBody)
	}
	body, contentType := encode(params), "application/x-www-form-urlencoded"
	if q.Format == "json" {
		m := make(map[string]any, len(params))
		for _, p := range params {
			switch before := m[p.name].(type) {
			case nil:
				m[p.name] = p.value
			case string:
				m[p.name] = []string{before, p.value}
			case []string:
				m[p.name] = append(before, p.value)
			}
		}
		b, err := json.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("encode body: %w", err)
		}
		body, contentType = string(b), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	return req, nil
}

// setHeaders fills headers; an empty one is not sent, a dropped one is removed.
func setHeaders(req *http.Request, ps definition.Params, env definition.Env) error {
	filled, err := fill(ps, env)
	if err != nil {
		return invalidRequest("header", err)
	}
	for i, p := range filled {
		switch {
		case ps[i].Drop:
			req.Header.Del(p.name)
		case hasControl(p.value):
			return invalidRequest("header", fmt.Errorf("header %s would contain a control character", p.name))
		case p.value != "":
			req.Header.Set(p.name, p.value)
		}
	}
	return nil
}

// hasControl reports whether s holds a control character other than a tab, which no header may. It
// looks at 32 printable characters at a time; anything else is looked at one by one.
func hasControl(s string) bool {
	for len(s) >= 32 && odd(s)|odd(s[8:])|odd(s[16:])|odd(s[24:]) == 0 {
		s = s[32:]
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// odd is zero if the first eight characters of s are printable ASCII.
func odd(s string) uint64 {
	_ = s[7]
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	return (w | (w - ones*' ') | (w + ones)) & tops
}

// message makes any other request of a definition, without its authentication.
func (r Request) message(ctx context.Context, q *definition.Request, env definition.Env) (*http.Request, error) {
	u, err := r.url(q, env)
	if err != nil {
		return nil, invalidRequest("request", err)
	}
	query, err := fill(q.Query, env)
	if err != nil {
		return nil, invalidRequest("request", err)
	}
	u.RawQuery = joinQuery(u.RawQuery, encode(present(query)))
	body, contentType, err := r.body(q, env)
	if err != nil {
		return nil, invalidRequest("request", err)
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, invalidRequest("request", err)
	}
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if err := setHeaders(req, r.Connector.APIFor(r.Auth).Headers, env); err != nil {
		return nil, err
	}
	return req, setHeaders(req, q.Headers, env)
}

// url fills an address; one that begins with a slash stands under the API's base.
func (r Request) url(q *definition.Request, env definition.Env) (*url.URL, error) {
	t := &q.URL
	if !strings.HasPrefix(t.Source, "/") || r.Connector.APIFor(r.Auth).BaseURL == nil {
		return t.FillURL(env)
	}
	base, err := r.Connector.APIFor(r.Auth).BaseURL.FillURL(env)
	if err != nil {
		return nil, err
	}
	if p := r.Auth.Apply.Path; p != nil && q.Auth == "credential" {
		if base, err = p.FillUnder(base, env); err != nil {
			return nil, err
		}
	}
	return t.FillUnder(base, env)
}

func (r Request) body(q *definition.Request, env definition.Env) (body []byte, contentType string, err error) {
	switch {
	case q.JSON != nil:
		v, err := q.JSON.Fill(env)
		if err != nil {
			return nil, "", err
		}
		b, err := json.Marshal(v)
		return b, "application/json", err
	case len(q.Form) > 0:
		form, err := r.form(q, env)
		return []byte(encode(form)), "application/x-www-form-urlencoded", err
	case q.XML != nil:
		s, err := q.XML.Fill(env)
		return []byte(s), "application/xml", err
	case q.Raw != nil:
		s, err := q.Raw.Fill(env)
		return []byte(s), "", err
	}
	return nil, "", nil
}

// form fills a form; a client that authenticates in the body does so here (RFC 6749 §2.3.1), unless
// the definition names the parameters itself.
func (r Request) form(q *definition.Request, env definition.Env) ([]pair, error) {
	own, err := fill(q.Form, env)
	if err != nil || q.Auth != "client" {
		return present(own), err
	}
	client, err := r.prove(r.clientAuth(q), env)
	if err != nil {
		return nil, err
	}
	var names definition.Names
	if r.Auth.Token != nil {
		names = r.Auth.Token.Names
	}
	for _, p := range client.params {
		if name, send := names.Name(p.name); send && !named(own, name) {
			own = append(own, pair{name, p.value})
		}
	}
	return present(own), nil
}

func invalidRequest(what string, cause error) error {
	return fault.E(fault.Invalid, "the "+what+" cannot be made from what was entered", cause)
}
