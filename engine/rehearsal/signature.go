package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"dowel/engine/auth"
	"dowel/engine/connection"
	"dowel/engine/token"
)

// program is what a workflow does: it has its own calls signed and sends them.
type program struct {
	*play
	attachment auth.Attachment // what the token answer says
}

// signature has the calls of a program signed and sent. The provider has to take each, and none that is
// not signed, or was changed on the way.
func (p *play) signature(ctx context.Context) (bool, error) {
	if p.a.Apply.Sign == nil {
		return false, nil
	}
	live, err := p.engine.Connections.Token(ctx, p.operator, p.id, token.Wish{})
	if err != nil {
		return true, plainly(err)
	}
	var answer struct {
		Request auth.Attachment `json:"request"`
	}
	if err := json.Unmarshal(live.AppendJSON(nil), &answer); err != nil {
		return true, fmt.Errorf("read the token answer: %w", err)
	}
	if !answer.Request.Signed {
		return true, errors.New("the token answer does not say that requests are signed")
	}
	if answer.Request.BaseURL == "" {
		return false, nil // nothing says where a program would call
	}
	text, form := `{"text":"ä"}`, "b=2&a=%20+1"
	for _, q := range []connection.SignRequest{
		{URL: "/rehearsal/a%20b?x=1&y=%2F&x=0"},
		{Method: http.MethodPost, URL: "/rehearsal", Headers: map[string]string{"Content-Type": "application/json"}, Body: &text},
		{Method: http.MethodPut, URL: "/rehearsal", Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Body: &form},
	} {
		q.URL = strings.TrimRight(answer.Request.BaseURL, "/") + q.URL
		if err := (program{p, answer.Request}).try(ctx, q); err != nil {
			return true, fmt.Errorf("%s %s: %w", q.Method, q.URL, err)
		}
	}
	return true, nil
}

func (p program) try(ctx context.Context, q connection.SignRequest) error {
	if status, err := p.call(ctx, q, q.URL, p.attachment.Headers, p.attachment.Query, nil); err != nil || status != http.StatusUnauthorized {
		return fmt.Errorf("a call that is not signed is answered with %d, want 401; %w", status, orNothing(err))
	}
	signed, err := p.engine.Connections.Sign(ctx, p.operator, p.id, q)
	if err != nil {
		return plainly(err)
	}
	if err := p.spoiltCalls(ctx, q, signed); err != nil {
		return err
	}
	status, err := p.call(ctx, q, signed.URL, signed.Headers, nil, signed.Body)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("a signed call is answered with %d, want 200; %w", status, orNothing(err))
	}
	return nil
}

var errNothing = errors.New("nothing else went wrong")

func orNothing(err error) error {
	if err == nil {
		return errNothing
	}
	return err
}

// spoiltCalls changes one part after the other of what was added to a call: the provider must not take
// any of them.
func (p program) spoiltCalls(ctx context.Context, q connection.SignRequest, signed connection.Signed) error {
	try := func(what, address string, headers map[string]string) error {
		status, err := p.call(ctx, q, address, headers, nil, signed.Body)
		if err == nil && status < 400 {
			err = fmt.Errorf("a call is taken although %s was changed", what)
		}
		return err
	}
	for name, value := range signed.Headers {
		if value == p.attachment.Headers[name] {
			continue
		}
		for _, bad := range spoiltTexts(value) {
			headers := map[string]string{}
			for k, v := range signed.Headers {
				headers[k] = v
			}
			headers[name] = bad
			if err := try("the header "+name, signed.URL, headers); err != nil {
				return err
			}
		}
	}
	for name, value := range signed.Query {
		if value == p.attachment.Query[name] {
			continue
		}
		for _, bad := range spoiltTexts(url.QueryEscape(value)) {
			if err := try("the parameter "+name, strings.Replace(signed.URL, url.QueryEscape(value), bad, 1), signed.Headers); err != nil {
				return err
			}
		}
	}
	return nil
}

// long finds what may be a signature, or has to be one with it: a key's id, a nonce, a digest.
var long = regexp.MustCompile(`[A-Za-z0-9+/_=.%-]{16,}`)

// spoiltTexts are s with another letter in one of its long parts.
func spoiltTexts(s string) []string {
	var out []string
	for _, at := range long.FindAllStringIndex(s, -1) {
		i := at[0] + (at[1]-at[0])/3
		other := "A"
		if s[i] == 'A' {
			other = "B"
		}
		out = append(out, s[:i]+other+s[i+1:])
	}
	return out
}

// call sends a program's call to the simulated provider and returns the status of the answer.
func (p program) call(ctx context.Context, q connection.SignRequest, address string, headers, query map[string]string, body *string) (int, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	for name, v := range query {
		u.RawQuery += "&" + url.QueryEscape(name) + "=" + url.QueryEscape(v)
	}
	u.RawQuery = strings.TrimPrefix(u.RawQuery, "&")
	if body == nil {
		body = q.Body
	}
	if body == nil {
		body = new(string)
	}
	method := q.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, p.reroute(p.k.ID)(u).String(), strings.NewReader(*body))
	if err != nil {
		return 0, err
	}
	for _, list := range []map[string]string{q.Headers, headers} {
		for name, v := range list {
			req.Header.Set(name, v)
		}
	}
	resp, err := p.visitor.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxPage)) // so that the connection serves again
	return resp.StatusCode, nil
}
