package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"dowel/engine/definition"
)

const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

// maxBody bounds a body that is read to be signed, or to have something put in.
const maxBody = 10 << 20

// bodyOf reads the body of a request, which stays as it was.
func bodyOf(out *http.Request) ([]byte, error) {
	if out.Body == nil || out.Body == http.NoBody {
		return nil, nil
	}
	body := out.Body
	if out.GetBody != nil {
		var err error
		if body, err = out.GetBody(); err != nil {
			return nil, fmt.Errorf("read body: %w", err)
		}
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if len(b) > maxBody {
		return nil, fmt.Errorf("the body is larger than %d bytes", maxBody)
	}
	if out.GetBody == nil {
		replaceBody(out, b)
	}
	return b, nil
}

func replaceBody(out *http.Request, b []byte) {
	out.ContentLength = int64(len(b))
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	out.Body, _ = out.GetBody()
}

// mediaType is what kind of body a request has.
func mediaType(out *http.Request) string {
	kind, _, _ := mime.ParseMediaType(out.Header.Get("Content-Type"))
	return kind
}

// setBody puts values into the body of a call. GET and HEAD have no body to put anything in; a call that
// could have one and has none gets a JSON object.
func setBody(out *http.Request, ps definition.Params, env definition.Env) error {
	if len(ps) == 0 || out.Method == http.MethodGet || out.Method == http.MethodHead {
		return nil
	}
	filled, err := fill(ps, env)
	if err != nil {
		return invalidRequest("body", err)
	}
	before, err := bodyOf(out)
	if err != nil {
		return invalidRequest("body", err)
	}
	kind := mediaType(out)
	if kind == "" && len(before) == 0 {
		kind = typeJSON
		out.Header.Set("Content-Type", kind)
	}
	after, err := withMembers(kind, before, filled)
	if err != nil {
		return invalidRequest("body", err)
	}
	replaceBody(out, after)
	return nil
}

// withMembers is a body of the given kind with the values in it, each once.
func withMembers(kind string, body []byte, values []pair) ([]byte, error) {
	switch kind {
	case typeForm:
		return []byte(withParams(string(body), values)), nil
	case typeJSON:
		members := map[string]json.RawMessage{}
		if len(bytes.TrimSpace(body)) > 0 {
			if err := json.Unmarshal(body, &members); err != nil || members == nil {
				return nil, errors.New("the body is JSON, but no object that the credential could be put in")
			}
		}
		for _, v := range present(values) {
			text, err := json.Marshal(v.value)
			if err != nil {
				return nil, fmt.Errorf("encode %s: %w", v.name, err)
			}
			members[v.name] = text
		}
		b, err := json.Marshal(members)
		if err != nil {
			return nil, fmt.Errorf("encode body: %w", err)
		}
		return b, nil
	}
	return nil, errors.New("the credential goes into a form or a JSON object, and the body is neither")
}

// withParams is a query or a form with the given parameters in it. The rest stays as it is, byte for
// byte: it may be signed, and it is not ours.
func withParams(query string, ps []pair) string {
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(key); part != "" && (err != nil || !named(ps, name)) {
			kept = append(kept, part)
		}
	}
	return joinQuery(strings.Join(kept, "&"), encode(present(ps)))
}
