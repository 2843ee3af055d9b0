package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"dowel/engine/definition"
	"dowel/engine/egress"
)

// response is a provider's answer, read.
type response struct {
	*egress.Response
	// body is the JSON value or the form; nil if there is none or it cannot be read.
	body any
	// page says that the body is a page or something else for people, which providers' front doors
	// (firewalls, gateways) answer with.
	page bool
}

// env returns the answer as formulas see it. Fields of the header that came several times are joined
// with a comma (RFC 9110 §5.3), except for cookies, which each have a name.
func (a *response) env() map[string]any {
	headers := map[string]any{}
	for k, v := range a.Header {
		headers[strings.ToLower(k)] = strings.Join(v, ", ")
	}
	cookies := map[string]any{}
	for _, k := range (&http.Response{Header: a.Header}).Cookies() {
		if k.MaxAge >= 0 { // less takes a cookie back (RFC 6265 §5.2.2)
			cookies[k.Name] = k.Value
		}
	}
	return map[string]any{"status": a.Status, "headers": headers, "cookies": cookies, "body": a.body, "text": string(a.Body)}
}

// answering adds an answer to env.
func answering(env definition.Env, a *response) definition.Env {
	out := make(definition.Env, len(env)+1)
	for k, v := range env {
		out[k] = v
	}
	out["response"] = a.env()
	return out
}

// What can be wrong with an answer's body. The texts never hold a part of it.
var (
	errNotUTF8   = errors.New("the answer is not UTF-8")
	errPage      = errors.New("the answer is a page, not data")
	errNeither   = errors.New("the answer is neither JSON nor a form")
	errNotJSON   = errors.New("the answer is not JSON")
	errTrailing  = errors.New("the answer has something after its JSON")
	errDeep      = errors.New("the answer's JSON is nested too deeply")
	errDuplicate = errors.New("the answer says the same thing twice")
)

// read reads an answer, its body as the definition says.
func read(a *egress.Response, how definition.Reading) (*response, error) {
	body, err := parse(how, a.Body)
	return &response{Response: a, body: body, page: errors.Is(err, errPage)}, err
}

func decodeForm(body string) (any, error) {
	form, err := url.ParseQuery(body)
	if err != nil || !strings.Contains(body, "=") {
		return nil, errNeither
	}
	m := make(map[string]any, len(form))
	for k, v := range form {
		if len(v) > 1 {
			return nil, errDuplicate
		}
		m[k] = v[0]
	}
	return m, nil
}

// maxDepth bounds the nesting of an answer; the deepest real ones have a dozen levels.
const maxDepth = 100

// decodeJSON decodes one value. Whole numbers stay whole, so that long ids are not rounded. A member
// that is there twice is refused: which of the two counts is a matter of opinion (RFC 8259 §4), and
// ours need not be the provider's.
func decodeJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errTrailing
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	switch {
	case err != nil:
		return nil, errNotJSON // its own text quotes a character of the body
	case depth > maxDepth:
		return nil, errDeep
	case t == json.Delim('{'):
		return decodeObject(d, depth)
	case t == json.Delim('['):
		return decodeArray(d, depth)
	}
	if n, ok := t.(json.Number); ok {
		return number(n), nil
	}
	return t, nil
}

func decodeObject(d *json.Decoder, depth int) (any, error) {
	out := map[string]any{}
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, errNotJSON
		}
		if _, twice := out[name]; twice {
			return nil, errDuplicate
		}
		if out[name], err = decodeValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	return out, closed(d)
}

func decodeArray(d *json.Decoder, depth int) (any, error) {
	out := []any{}
	for d.More() {
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, closed(d)
}

func closed(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errNotJSON
	}
	return nil
}

// number is an int if that holds it. A longer whole number stays as it is written: it is an id.
func number(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return int(i)
	}
	f, err := n.Float64()
	if err != nil || !strings.ContainsAny(n.String(), ".eE") {
		return n
	}
	return f
}
