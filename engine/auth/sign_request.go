package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// Unsigned is a request that a program is about to make itself.
type Unsigned struct {
	Method  string
	URL     *url.URL
	Headers map[string]string
	Body    []byte
	// BodySHA256 stands for a body that the program keeps to itself; nil if Body is all of it.
	BodySHA256 *[sha256.Size]byte
}

// Signed is what makes it a request of the credential's.
type Signed struct {
	// URL is the address to call, with Query in it. The order of its query may be part of what is signed.
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	// Body is to be sent instead of the program's own; nil if that stays as it is.
	Body *string `json:"body,omitempty"`
}

// SignRequest puts the credential on a request that a program makes itself, signed where the definition
// says so, and sends nothing. The address has to be at the definition's hosts, by the rules of our own
// calls. What is wrong with the request is Invalid, and names its field.
func SignRequest(ctx context.Context, m Method, r Request, c Credential, u Unsigned) (Signed, error) {
	if c.Fields != nil {
		r.Fields = c.Fields // hosts may name what the method asked
	}
	out, err := r.scoped()
	if err != nil {
		return Signed{}, err
	}
	if err := out.Check(u.URL); err != nil {
		return Signed{}, fault.Field("url", "is not an address of "+r.Connector.Name+" that the connector may call")
	}
	if u.BodySHA256 != nil {
		if len(r.Auth.Apply.Body) > 0 {
			return Signed{}, fault.Field("body_sha256", "a part of the credential goes into the body: give the body itself")
		}
		r.content = &content{sum: *u.BodySHA256, withheld: true}
	}
	env := r.env(&c)
	req, err := r.unsigned(ctx, u, env)
	if err != nil {
		return Signed{}, err
	}
	query := req.URL.Query()
	if err := setQuery(req, r.Connector.APIFor(r.Auth).Query, env); err != nil {
		return Signed{}, err
	}
	if err := m.Apply(req, r, c); errors.Is(err, errWithheld) {
		return Signed{}, fault.Field("body_sha256", "the signature is made of the body itself: give the body")
	} else if err != nil {
		return Signed{}, err
	}
	return u.signed(req, query)
}

// unsigned makes the program's request, with the headers that every call has and the program's own.
func (r Request) unsigned(ctx context.Context, u Unsigned, env definition.Env) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, u.Method, u.URL.String(), bytes.NewReader(u.Body))
	if err != nil {
		return nil, fault.Field("method", "is not an HTTP method")
	}
	if err := setHeaders(req, r.Connector.APIFor(r.Auth).Headers, env); err != nil {
		return nil, err
	}
	for name, value := range u.Headers {
		switch {
		case !tokenForm(name):
			return nil, fault.Field("headers", fmt.Sprintf("%q cannot be the name of a header", clean(name, 40)))
		case strings.EqualFold(name, "Host"):
			return nil, fault.Field("headers", "Host is the one in the url")
		case hasControl(value):
			return nil, fault.Field("headers", name+" contains a control character")
		}
		req.Header.Set(name, value)
	}
	return req, nil
}

// signed compares what has become of the program's request with what it was.
func (u Unsigned) signed(req *http.Request, query url.Values) (Signed, error) {
	out := Signed{URL: req.URL.String(), Headers: map[string]string{}, Query: map[string]string{}}
	given := http.Header{}
	for name, value := range u.Headers {
		given.Set(name, value)
	}
	for name, v := range req.Header {
		if !slices.Equal(given[name], v) {
			out.Headers[name] = v[0]
		}
	}
	for name, v := range req.URL.Query() {
		if !slices.Equal(query[name], v) {
			out.Query[name] = v[0]
		}
	}
	if u.BodySHA256 != nil {
		return out, nil
	}
	body, err := bodyOf(req)
	if err != nil {
		return Signed{}, invalidRequest("body", err)
	}
	if !bytes.Equal(body, u.Body) {
		text := string(body)
		out.Body = &text
	}
	return out, nil
}

// tokenForm reports whether s can be the name of a header (RFC 9110 §5.6.2).
func tokenForm(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	})
}
