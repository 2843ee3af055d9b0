package auth

import (
	"net/http"
	"net/url"

	"dowel/engine/definition"
)

// applied puts c on a request as the definition's apply block says; every kind has one, its own or
// the usual one. Doing it twice is doing it once.
type applied struct{}

// Apply implements Method.
func (applied) Apply(out *http.Request, r Request, c Credential) error {
	return apply(out, r.Auth.Apply, r.callEnv(&c))
}

func apply(out *http.Request, a *definition.Apply, env definition.Env) error {
	if err := setHeaders(out, a.Headers, env); err != nil {
		return err
	}
	if a.Basic != nil {
		user, err := a.Basic.Username.Fill(env)
		if err != nil {
			return invalidRequest("header", err)
		}
		password, err := a.Basic.Password.Fill(env)
		if err != nil {
			return invalidRequest("header", err)
		}
		out.SetBasicAuth(user, password)
	}
	if err := setQuery(out, a.Query, env); err != nil {
		return err
	}
	return setCookies(out, a.Cookies, env)
}

func setQuery(out *http.Request, ps definition.Params, env definition.Env) error {
	if len(ps) == 0 {
		return nil
	}
	filled, err := fill(ps, env)
	if err != nil {
		return invalidRequest("query", err)
	}
	q := out.URL.Query()
	for _, p := range present(filled) {
		q.Set(p.name, p.value)
	}
	out.URL.RawQuery = q.Encode()
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
	kept := out.Cookies()
	out.Header.Del("Cookie")
	for _, c := range kept {
		mine := false
		for _, p := range filled {
			mine = mine || p.name == c.Name
		}
		if !mine {
			out.AddCookie(c)
		}
	}
	for _, p := range present(filled) {
		out.AddCookie(&http.Cookie{Name: p.name, Value: p.value})
	}
	return nil
}

// Attachment is what a program adds to its own requests to use a credential.
type Attachment struct {
	BaseURL string            `json:"base_url,omitempty"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
}

// Attach says what a program adds to its own requests: the credential where the definition puts it,
// and the headers every call to this API needs.
func Attach(r Request, c Credential) (Attachment, error) {
	env := r.callEnv(&c)
	out := Attachment{Headers: map[string]string{}, Query: map[string]string{}}
	req := &http.Request{Method: http.MethodGet, Header: http.Header{}, URL: &url.URL{}}
	if r.Connector.API.BaseURL != nil {
		base, err := r.Connector.API.BaseURL.FillURL(env)
		if err != nil {
			return Attachment{}, invalidRequest("base URL", err)
		}
		out.BaseURL = base.String()
	}
	if err := setHeaders(req, r.Connector.API.Headers, env); err != nil {
		return Attachment{}, err
	}
	if err := setQuery(req, r.Connector.API.Query, env); err != nil {
		return Attachment{}, err
	}
	if err := apply(req, r.Auth.Apply, env); err != nil {
		return Attachment{}, err
	}
	for k := range req.Header {
		out.Headers[k] = req.Header.Get(k)
	}
	if req.URL.RawQuery != "" {
		for k, v := range req.URL.Query() {
			out.Query[k] = v[0]
		}
	}
	return out, nil
}
