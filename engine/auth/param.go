package auth

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// pair is one parameter of a request, by its RFC name or by the name it is sent under.
type pair struct{ name, value string }

// merged renames the standard parameters and lays the definition's own over them. Empty ones are not
// sent. A standard parameter may come several times (RFC 8693 §2.1); the definition's own stands for all
// of them.
func merged(standard []pair, names definition.Names, own definition.Params, env definition.Env) ([]pair, error) {
	var out []pair
	for _, p := range standard {
		if name, send := names.Name(p.name); send {
			out = append(out, pair{name, p.value})
		}
	}
	filled, err := fill(own, env)
	if err != nil {
		return nil, err
	}
	for i, p := range own {
		if p.Drop {
			out = set(out, p.Name, "")
			continue
		}
		out = set(out, p.Name, filled[i].value)
	}
	return present(out), nil
}

func set(ps []pair, name, value string) []pair {
	i := slices.IndexFunc(ps, func(p pair) bool { return p.name == name })
	if i < 0 {
		return append(ps, pair{name, value})
	}
	ps[i].value = value
	rest := slices.DeleteFunc(ps[i+1:], func(p pair) bool { return p.name == name })
	return ps[:i+1+len(rest)]
}

// fill fills every template; dropped ones are empty.
func fill(ps definition.Params, env definition.Env) ([]pair, error) {
	out := make([]pair, len(ps))
	for i := range ps {
		out[i].name = ps[i].Name
		if ps[i].Drop {
			continue
		}
		v, err := ps[i].Value.Fill(env)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", ps[i].Name, err)
		}
		out[i].value = v
	}
	return out, nil
}

// encode writes parameters in their order, as a form does.
func encode(ps []pair) string { return encodeWith(ps, nil) }

// encodeWith is encode with as little escaped of the parameters in raw as an address allows.
func encodeWith(ps []pair, raw []string) string {
	var b strings.Builder
	for _, p := range ps {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		value := url.QueryEscape(p.value)
		if slices.Contains(raw, p.name) {
			value = escapeLittle(p.value)
		}
		b.WriteString(url.QueryEscape(p.name) + "=" + value)
	}
	return b.String()
}

// inQuery are the characters, besides letters and digits, that a parameter's value can hold as they are
// (RFC 3986 §3.4): those of a query without & and #.
const inQuery = "-._~!$'()*+,;=:@/?"

// escapeLittle escapes what cannot stand in a query as it is.
func escapeLittle(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(inQuery, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

func named(ps []pair, name string) bool {
	return slices.ContainsFunc(ps, func(p pair) bool { return p.name == name })
}

// present leaves out what is empty.
func present(ps []pair) []pair {
	var out []pair
	for _, p := range ps {
		if p.value != "" {
			out = append(out, p)
		}
	}
	return out
}
