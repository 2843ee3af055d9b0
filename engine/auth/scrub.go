package auth

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"dowel/engine/definition"
)

// scrubber takes the secrets that one request carried out of the texts of its answer: providers like
// to quote what they refuse.
type scrubber []string

// scrubber returns one for req, which was made from env; more are further secrets it carried.
func (r Request) scrubber(env definition.Env, req *http.Request, more ...string) scrubber {
	all := append(more, members(env["callback"], "code")...)
	all = append(all, members(env["credential"], "")...)
	all = append(all, r.typedSecrets(env)...)
	all = append(all, signedTokens(env)...)
	if _, payload, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok {
		all = append(all, payload)
	}
	var out scrubber
	for _, s := range all {
		if len(s) < 4 {
			continue // a text that short stands in every sentence
		}
		signs := percentEncoded(s) // as it stands in a signature of RFC 5849 §3.4.4, which is escaped once more
		out = append(out, s, url.QueryEscape(s), url.PathEscape(s), signs, url.QueryEscape(signs))
		if b, err := json.Marshal(s); err == nil {
			out = append(out, string(b[1:len(b)-1]))
		}
	}
	// The longest first: a secret may be the beginning of another.
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(out)
}

// typedSecrets are the answers of the person and the operator that are secret.
func (r Request) typedSecrets(env definition.Env) []string {
	var out []string
	for _, place := range []string{"fields", "inputs", "app"} {
		asked := r.Auth.AppFields
		if place != "app" {
			asked = slices.Concat(r.Auth.Fields, r.Connector.Inputs)
		}
		m, _ := env[place].(map[string]any)
		for name, v := range m {
			f, known := asked.Named(name)
			if s, ok := v.(string); ok && (!known || f.Secret()) && name != "client_id" {
				out = append(out, s)
			}
		}
	}
	return out
}

// members returns the texts of a mapping: the one with that name, or all of them but those that are
// not secret.
func members(v any, name string) []string {
	var out []string
	m, _ := v.(map[string]any)
	for k, v := range m {
		switch v := v.(type) {
		case string:
			if k == name || name == "" && k != "token_type" {
				out = append(out, v)
			}
		case map[string]any:
			out = append(out, members(v, name)...)
		}
	}
	return out
}

func (s scrubber) scrub(text string) string {
	for _, v := range s {
		text = strings.ReplaceAll(text, v, "[secret]")
	}
	return text
}

// clean cuts a provider's text to n characters on one line.
func clean(s string, n int) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar || unicode.Is(unicode.Cf, c) {
			return ' '
		}
		return c
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
