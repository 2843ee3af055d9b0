package simulator

import (
	"encoding/json"
	"net/http"
	"strings"

	"dowel/engine/definition"
)

// asked compares the request with the one a definition describes, and returns what stands where the
// definition has formulas.
func (c *call) asked(h hit) (slots, *problem) {
	q := h.request
	if c.r.Method != h.method {
		return nil, &problem{"invalid_request", "the method must be " + h.method, http.StatusMethodNotAllowed}
	}
	out := slots{}
	out.add(h.slots)
	got, p := c.query()
	if p == nil {
		p = c.present(q.Query, got, h.auth, out)
	}
	if p == nil {
		p = c.present(q.Headers, c.headers(q.Headers), h.auth, out)
	}
	if p == nil && len(q.Form) > 0 {
		if got, p = c.bodyParams("form"); p == nil {
			p = c.present(q.Form, got, h.auth, out)
		}
	}
	if p == nil && q.JSON != nil {
		p = c.tree(h, out)
	}
	for _, text := range []*definition.Template{q.XML, q.Raw} {
		if p == nil && text != nil {
			p = c.written(text, out)
		}
	}
	return out, p
}

// headers are those of the request that the definition writes.
func (c *call) headers(want definition.Params) params {
	out := params{}
	for _, w := range want {
		out[w.Name] = c.r.Header.Get(w.Name)
	}
	return out
}

// present checks that the parameters are there, except those that may come out empty.
func (c *call) present(want definition.Params, got params, a *definition.Auth, out slots) *problem {
	for _, w := range want {
		pattern := valuePattern(w.Value.Source)
		if w.Drop || got[w.Name] == "" && pattern.optional(a, c.connector.Inputs) {
			continue
		}
		m, ok := pattern.match(got[w.Name])
		if !ok || got[w.Name] == "" {
			return refuse("invalid_request", w.Name+" is missing or not what it should be")
		}
		out.add(m)
	}
	return nil
}

// written compares a body that is one text.
func (c *call) written(want *definition.Template, out slots) *problem {
	m, ok := valuePattern(want.Source).match(string(c.body))
	if !ok {
		return refuse("invalid_request", "the body is not what it should be")
	}
	out.add(m)
	return nil
}

// tree compares a JSON body with the one the definition describes.
func (c *call) tree(h hit, out slots) *problem {
	var got any
	if !strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/json") || json.Unmarshal(c.body, &got) != nil {
		return refuse("invalid_request", "the body must be JSON")
	}
	want, err := h.request.JSON.Fill(c.markers(h.auth))
	if err != nil {
		return nil // a formula that markers do not pass: anything goes
	}
	return c.compare("body", want, got, h.auth, out)
}

func (c *call) compare(at string, want, got any, a *definition.Auth, out slots) *problem {
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			return refuse("invalid_request", at+" must be an object")
		}
		for k, w := range want {
			if p := c.compare(at+"."+k, w, m[k], a, out); p != nil {
				return p
			}
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) < len(want) {
			return refuse("invalid_request", at+" must be a list")
		}
		for i, w := range want {
			if p := c.compare(at, w, list[i], a, out); p != nil {
				return p
			}
		}
	case string:
		pattern := valuePattern(unmark(want))
		text := definition.Text(got)
		if text == "" && pattern.optional(a, c.connector.Inputs) {
			return nil
		}
		m, ok := pattern.match(text)
		if !ok || text == "" && want != "" {
			return refuse("invalid_request", at+" is missing or not what it should be")
		}
		out.add(m)
	}
	return nil
}
