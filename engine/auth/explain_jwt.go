package auth

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"dowel/engine/definition"
)

// ExplainedToken is a signed token that a request carries: its name in the request, and what is in it.
type ExplainedToken struct{ Name, Header, Claims string }

// explainedTokens are the tokens that a request being explained carries.
type explainedTokens []ExplainedToken

// token notes what j would sign, and returns what stands for it. There is no key, so what is computed
// from one has a name in brackets, as the moment and what is random have.
func (ts *explainedTokens) token(name string, j *definition.JWT, standard map[string]any, env definition.Env) string {
	d := draft{name: name, jwt: j, claims: maps.Clone(standard)}
	if d.claims == nil {
		d.claims = map[string]any{}
	}
	d.claims["iat"], d.claims["exp"], d.claims["jti"] = "[now]", "[now + "+written(j.Lifetime)+"]", "[random]"
	if j.Claims != nil {
		for claim, tree := range j.Claims.Members() {
			v, err := tree.Fill(env)
			if err != nil {
				v = "[" + claim + "]"
			}
			d.claim(claim, v)
		}
	}
	header := map[string]any{"alg": j.Alg}
	for _, p := range d.explainedHeader(env) {
		header[p.name] = p.value
	}
	*ts = append(*ts, ExplainedToken{"[" + name + "]", oneLine(header), oneLine(d.claims)})
	return "[" + name + "]"
}

func (d *draft) explainedHeader(env definition.Env) []pair {
	kid, err := d.jwt.KeyID.Fill(env)
	if err != nil {
		kid = "[kid]"
	}
	out := usualHeader(kid)
	for _, p := range d.jwt.Header {
		v, err := p.Value.Fill(env)
		if err != nil {
			v = "[" + p.Name + "]"
		}
		out = set(out, p.Name, v)
	}
	return present(out)
}

// written is a duration as a definition writes it: 10m and not 10m0s.
func written(d definition.Duration) string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// oneLine writes v as JSON for people.
func oneLine(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
