package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"dowel/engine/egress"
)

// read parses an answer's body: JSON whatever its declared type, else a form (RFC 6749 leaves no
// choice, but some providers answer so), else nothing.
func read(a *egress.Response) (*response, error) {
	body := bytes.TrimPrefix(bytes.TrimSpace(a.Body), []byte("\xef\xbb\xbf"))
	out := &response{Response: a}
	switch {
	case len(body) == 0:
		return out, nil
	case !utf8.Valid(body):
		return out, fmt.Errorf("the answer is not UTF-8")
	case body[0] == '{' || body[0] == '[' || body[0] == '"':
		v, err := decodeJSON(body)
		out.body = v
		return out, err
	case body[0] == '<':
		return out, fmt.Errorf("the answer is a page, not data")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !strings.Contains(string(body), "=") {
		return out, fmt.Errorf("the answer is neither JSON nor a form")
	}
	m := make(map[string]any, len(form))
	for k, v := range form {
		m[k] = v[0]
	}
	out.body = m
	return out, nil
}

// decodeJSON decodes one value; whole numbers stay whole, so that long ids are not rounded.
func decodeJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("the answer is not JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("the answer has something after its JSON")
	}
	return numbers(v), nil
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		for k, m := range v {
			v[k] = numbers(m)
		}
	case []any:
		for i, m := range v {
			v[i] = numbers(m)
		}
	}
	return v
}
