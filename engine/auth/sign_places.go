package auth

import (
	"net/http"

	"dowel/engine/definition"
)

// signPlaces puts a signature where the definition wants it. What does not carry the signature is put on
// the request first, so that what is signed can be made of it.
func (r Request) signPlaces(out *http.Request, s *definition.Sign, env definition.Env, o occasion, sign func(definition.Env) (string, error)) error {
	places := s.Places()
	before, after := parted(places.Headers)
	queryBefore, queryAfter := parted(places.Query)
	for _, p := range after {
		out.Header.Del(p.Name) // of an earlier signing
	}
	out.URL.RawQuery = withParams(out.URL.RawQuery, emptied(queryAfter))
	c, err := r.contentOf(out)
	if err != nil {
		return err
	}
	if c.withheld && s.ReadsBody() {
		return errWithheld
	}
	env = withRoot(env, "request", o.signedRequest(out, c))
	if err := setPlaces(out, before, queryBefore, env); err != nil {
		return err
	}
	env["request"] = o.signedRequest(out, c)
	signature, err := sign(env)
	if err != nil {
		return err
	}
	env["signature"] = signature
	return setPlaces(out, after, queryAfter, env)
}

// parted tells the parameters that carry the signature from the others.
func parted(ps definition.Params) (before, after definition.Params) {
	for _, p := range ps {
		if p.ReadsSignature() {
			after = append(after, p)
		} else {
			before = append(before, p)
		}
	}
	return before, after
}

func emptied(ps definition.Params) []pair {
	out := make([]pair, len(ps))
	for i := range ps {
		out[i].name = ps[i].Name
	}
	return out
}

func setPlaces(out *http.Request, headers, query definition.Params, env definition.Env) error {
	if err := setHeaders(out, headers, env); err != nil {
		return err
	}
	return setQuery(out, query, env)
}

// withRoot is a copy of env with one more name.
func withRoot(env definition.Env, root string, value any) definition.Env {
	out := make(definition.Env, len(env)+2)
	for k, v := range env {
		out[k] = v
	}
	out[root] = value
	return out
}

// signJWT signs with a token that is made for this request alone, whatever it says of it.
func (r Request) signJWT(out *http.Request, s *definition.Sign, env definition.Env, o occasion) error {
	return r.signPlaces(out, s, env, o, func(env definition.Env) (string, error) {
		return r.jwt("signature", &s.JWT.JWT, nil, env)
	})
}
