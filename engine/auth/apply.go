package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"dowel/engine/definition"
)

// applied puts c on a request as the definition's apply block says; every kind has one, its own or
// the usual one. Doing it twice is doing it once, but that a signature is made anew.
type applied struct{}

// Apply implements Method.
func (applied) Apply(out *http.Request, r Request, c Credential) error {
	env := r.callEnv(&c)
	if err := apply(out, r.Auth.Apply, env); err != nil {
		return err
	}
	if err := setBody(out, r.Auth.Apply.Body, env); err != nil {
		return err
	}
	return r.sign(out, r.Auth.Apply.Sign, env)
}

func apply(out *http.Request, a *definition.Apply, env definition.Env) error {
	if err := setHeaders(out, a.Headers, env); err != nil {
		return err
	}
	if err := setBasic(out, a.Basic, env); err != nil {
		return err
	}
	if err := setQuery(out, a.Query, env); err != nil {
		return err
	}
	return setCookies(out, a.Cookies, env)
}

// setBasic is RFC 7617 §2: a colon would end the user name, and neither part may hold a control
// character.
func setBasic(out *http.Request, b *definition.UserPass, env definition.Env) error {
	if b == nil {
		return nil
	}
	user, err := b.Username.Fill(env)
	if err != nil {
		return invalidRequest("header", err)
	}
	password, err := b.Password.Fill(env)
	if err != nil {
		return invalidRequest("header", err)
	}
	if strings.Contains(user, ":") || strings.ContainsFunc(user+password, isControl) {
		return invalidRequest("header", errors.New("the user name contains a colon, or one of the parts a control character"))
	}
	out.SetBasicAuth(user, password)
	return nil
}

func setQuery(out *http.Request, ps definition.Params, env definition.Env) error {
	if len(ps) == 0 {
		return nil
	}
	filled, err := fill(ps, env)
	if err != nil {
		return invalidRequest("query", err)
	}
	out.URL.RawQuery = withParams(out.URL.RawQuery, filled)
	return nil
}

// setCookies sets each cookie once, whatever was there.
func setCookies(out *http.Request, ps definition.Params, env definition.Env) error {
	if len(ps) == 0 {
		return nil
	}
	filled, err := fill(ps, env)
	if err != nil {
		return invalidRequest("cookie", err)
	}
	var cookies []string
	for part := range strings.SplitSeq(strings.Join(out.Header.Values("Cookie"), ";"), ";") {
		part = strings.TrimSpace(part)
		if name, _, _ := strings.Cut(part, "="); part != "" && !named(filled, name) {
			cookies = append(cookies, part)
		}
	}
	for _, p := range present(filled) {
		if strings.ContainsFunc(p.value, func(c rune) bool { return isControl(c) || c == ';' }) {
			return invalidRequest("cookie", fmt.Errorf("cookie %s would be cut", p.name))
		}
		cookies = append(cookies, p.name+"="+p.value)
	}
	if len(cookies) > 0 {
		out.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	return nil
}

// Attachment is what a program adds to its own requests to use a credential.
type Attachment struct {
	BaseURL string            `json:"base_url,omitempty"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	// Body holds members for the body: fields of a form, or members of a JSON object.
	Body map[string]string `json:"body,omitempty"`
	// Signed says that every request has to be signed besides, see Sign.
	Signed bool `json:"signed,omitempty"`
}

// Attach says what a program adds to its own requests: the credential where the definition puts it,
// and the headers every call to this API needs.
func Attach(r Request, c Credential) (Attachment, error) {
	env := r.callEnv(&c)
	out := Attachment{Headers: map[string]string{}, Query: map[string]string{}}
	req := &http.Request{Method: http.MethodGet, Header: http.Header{}, URL: &url.URL{}}
	var err error
	if out.BaseURL, err = r.baseURL(env); err != nil {
		return Attachment{}, err
	}
	if err := setHeaders(req, r.Connector.APIFor(r.Auth).Headers, env); err != nil {
		return Attachment{}, err
	}
	if err := setQuery(req, r.Connector.APIFor(r.Auth).Query, env); err != nil {
		return Attachment{}, err
	}
	if err := apply(req, r.Auth.Apply, env); err != nil {
		return Attachment{}, err
	}
	if out.Body, err = attachedBody(r.Auth.Apply.Body, env); err != nil {
		return Attachment{}, err
	}
	out.Signed = r.Auth.Apply.Sign != nil
	for k, v := range req.Header {
		out.Headers[k] = v[0]
	}
	if req.URL.RawQuery != "" {
		for k, v := range req.URL.Query() {
			out.Query[k] = v[0]
		}
	}
	return out, nil
}

func attachedBody(ps definition.Params, env definition.Env) (map[string]string, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	filled, err := fill(ps, env)
	if err != nil {
		return nil, invalidRequest("body", err)
	}
	out := map[string]string{}
	for _, p := range present(filled) {
		out[p.name] = p.value
	}
	return out, nil
}

// baseURL is the address that calls to the API begin with; empty if the definition has none.
func (r Request) baseURL(env definition.Env) (string, error) {
	t := r.Connector.APIFor(r.Auth).BaseURL
	if t == nil {
		return "", nil
	}
	path := r.Auth.Apply.Path
	if t.Literal() && path == nil {
		return t.Source, nil // checked when the definition was loaded
	}
	base, err := t.FillURL(env)
	if err == nil && path != nil {
		base, err = path.FillUnder(base, env)
	}
	if err != nil {
		return "", invalidRequest("base URL", err)
	}
	return base.String(), nil
}
