package auth

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// push hands the authorization request to the provider before the browser goes there, and returns the
// address that stands for it (RFC 9126): the browser, and whoever sees its address, learns nothing of the
// request and can change nothing in it.
func (r Request) push(ctx context.Context, p Pending) (*url.URL, error) {
	env := r.env(nil)
	req, err := r.pushRequest(ctx, p, env)
	if err != nil {
		return nil, err
	}
	a, _, err := r.answer(ctx, req, definition.Outcome{}, env, nil, true)
	if err != nil {
		return nil, err
	}
	body, _ := a.body.(map[string]any)
	uri, _ := body["request_uri"].(string)
	if uri == "" || len(uri) > maxRequestURI || strings.ContainsFunc(uri, isControl) {
		return nil, r.unreadable(errors.New("the answer has no request_uri that can be used"))
	}
	return r.pushedPage(uri, env)
}

// maxRequestURI bounds what goes into an address.
const maxRequestURI = 2000

// pushRequest makes the pushed authorization request (RFC 9126 §2.1): the authorization request as a form,
// with the client's authentication.
func (r Request) pushRequest(ctx context.Context, p Pending, env definition.Env) (*http.Request, error) {
	standard, err := r.authorizeParams(p, env)
	if err != nil {
		return nil, err
	}
	a := r.Auth.Authorize
	q := definition.ClientRequest{
		URL: a.PAR.URL, ClientAuth: r.Auth.PushAuth(), Headers: a.PAR.Headers, Names: r.pushNames(), Params: slices.Concat(a.Params, a.PAR.Params),
	}
	return r.clientRequest(ctx, "pushed authorization request", &q, standard, env)
}

// pushNames are the names of the authorization request, and those of the token request for what only that
// knows.
func (r Request) pushNames() definition.Names {
	out := definition.Names{}
	if r.Auth.Token != nil {
		maps.Copy(out, r.Auth.Token.Names)
	}
	for _, standard := range []string{"client_id", "redirect_uri", "scope"} {
		delete(out, standard)
	}
	maps.Copy(out, r.Auth.Authorize.Names)
	return out
}

// pushedPage is the address of the authorization endpoint for a request that was pushed (RFC 9126 §4).
func (r Request) pushedPage(uri string, env definition.Env) (*url.URL, error) {
	u, err := r.Auth.Authorize.URL.FillPage(env)
	if err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	id, _ := r.client(env)
	params, err := merged([]pair{{"client_id", id}, {"request_uri", uri}}, r.Auth.Authorize.Names, nil, env)
	if err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	if u, err = definition.AddQuery(u, encode(params)); err != nil {
		return nil, invalidRequest("authorization request", err)
	}
	return u, nil
}
