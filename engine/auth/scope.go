package auth

import (
	"cmp"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// scopeGroups are the lists of scopes of a definition that has one or several.
func (r Request) scopeGroups() definition.ScopeGroups {
	if r.Auth.Scopes != nil {
		return definition.ScopeGroups{{Scopes: *r.Auth.Scopes}}
	}
	return r.Auth.ScopeGroups
}

// scopeParams are the parameters that ask for scopes (RFC 6749 §3.3).
func (r Request) scopeParams(env definition.Env) ([]pair, error) {
	var out []pair
	for _, g := range r.scopeGroups() {
		scopes, err := r.scopesOf(&g.Scopes, env)
		if err != nil {
			return nil, err
		}
		out = append(out, pair{cmp.Or(g.Parameter, "scope"), strings.Join(scopes, g.Sep())})
	}
	return out, nil
}

// rawParams are the names of the scope parameters that are escaped as little as can be.
func (r Request) rawParams() []string {
	var out []string
	for _, g := range r.scopeGroups() {
		if !g.Raw() {
			continue
		}
		if name, sent := r.Auth.Authorize.Names.Name(cmp.Or(g.Parameter, "scope")); sent {
			out = append(out, name)
		}
	}
	return out
}

// scopesOf is what to ask for in one group: the app's own choice or the defaults, and always the
// required ones.
func (r Request) scopesOf(s *definition.Scopes, env definition.Env) ([]string, error) {
	out := slices.Clone(r.App.Scopes)
	if len(out) == 0 || len(r.Auth.ScopeGroups) > 0 {
		filled, err := fillScopes(s, s.Default, env)
		if err != nil {
			return nil, err
		}
		out = filled
	}
	required, err := fillScopes(s, s.Required, env)
	if err != nil {
		return nil, err
	}
	for _, q := range required {
		if !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	return out, nil
}

// fillScopes fills scopes of a list. What a formula yields may be several, such as those that were
// discovered.
func fillScopes(list *definition.Scopes, ts []definition.Template, env definition.Env) ([]string, error) {
	var out []string
	for i := range ts {
		s, err := ts[i].Fill(env)
		if err != nil {
			return nil, invalidRequest("scope", err)
		}
		for one := range strings.SplitSeq(s, list.Sep()) {
			if one != "" {
				out = append(out, one)
			}
		}
	}
	return out, nil
}

// requestedScopes lists every scope asked for, of all groups. A scope that cannot be filled is not in
// it: scopeParams has failed with the same error, and nothing is asked for.
func (r Request) requestedScopes() []string {
	var all []string
	env := r.env(nil)
	for _, g := range r.scopeGroups() {
		s, _ := r.scopesOf(&g.Scopes, env)
		all = append(all, s...)
	}
	return all
}

// RequiredScopes lists the scopes without which a connection is of no use. It is for credentials that
// were granted: a scope that cannot be filled has failed the request that asked for it.
func (r Request) RequiredScopes() []string {
	var all []string
	env := r.env(nil)
	for _, g := range r.scopeGroups() {
		s, _ := fillScopes(&g.Scopes, g.Required, env)
		all = append(all, s...)
	}
	return all
}

// granted reads the granted scopes of all groups; nil if the answer does not say.
func (r Request) granted(t *definition.TokenAnswer, body map[string]any, env definition.Env) []string {
	if t.Scopes != nil {
		return scopeList(t.Scopes.Value(env), "")
	}
	var all []string
	told, separator := false, ""
	for _, g := range r.scopeGroups() {
		if s := g.Sep(); !strings.ContainsAny(s, " ,") {
			separator = s // one that a list would not be cut at otherwise
		}
		if g.Granted != nil {
			told = true
			all = append(all, scopeList(g.Granted.Value(env), g.Sep())...)
		}
	}
	if !told {
		all = scopeList(body["scope"], separator)
	}
	return all[:min(len(all), maxScopes)]
}

// maxScopes bounds a list that is kept with the connection.
const maxScopes = 1000

// scopeList reads a list of scopes: a list, or a text cut at spaces (RFC 6749 §3.3) and at the
// separator, which without one may be a comma.
func scopeList(v any, separator string) []string {
	var words []string
	switch v := v.(type) {
	case string:
		words = strings.FieldsFunc(v, func(c rune) bool {
			return c == ' ' || separator == "" && c == ',' || strings.ContainsRune(separator, c)
		})
	case []string:
		words = v
	case []any:
		for _, s := range v {
			words = append(words, definition.Text(s))
		}
	}
	var out []string
	for _, s := range words {
		if s = clean(s, 200); s != "" {
			out = append(out, s)
		}
	}
	return out
}
