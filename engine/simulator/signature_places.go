package simulator

import (
	"strings"

	"dowel/engine/definition"
)

// placed reads what stands in the places of a signature; false if one of them is empty or something else.
func (c *call) placed(places definition.SignedPlaces, out slots) bool {
	return eachPlace(c, places, func(p *definition.Param, values []string) bool {
		if len(values) != 1 {
			return false
		}
		m, ok := valuePattern(p.Value.Source).match(values[0])
		out.add(m)
		return ok
	})
}

// asWritten reports whether every place holds what env makes of it.
func (c *call) asWritten(places definition.SignedPlaces, env definition.Env) bool {
	return eachPlace(c, places, func(p *definition.Param, values []string) bool {
		text, err := p.Value.Fill(env)
		return err == nil && same(text, values[0])
	})
}

// eachPlace calls f with every place and what is there, until f is not content.
func eachPlace(c *call, places definition.SignedPlaces, f func(p *definition.Param, values []string) bool) bool {
	query := c.r.URL.Query()
	for i := range places.Headers {
		if p := &places.Headers[i]; !p.Drop && !f(p, c.r.Header.Values(p.Name)) {
			return false
		}
	}
	for i := range places.Query {
		if p := &places.Query[i]; !p.Drop && !f(p, query[p.Name]) {
			return false
		}
	}
	return true
}

// carriers are the places that carry the signature itself, which cannot be a part of what is signed.
func carriers(places definition.SignedPlaces) definition.SignedPlaces {
	pick := func(ps definition.Params) (out definition.Params) {
		for _, p := range ps {
			if strings.Contains(p.Value.Source, "signature") {
				out = append(out, p)
			}
		}
		return out
	}
	return definition.SignedPlaces{Headers: pick(places.Headers), Query: pick(places.Query)}
}
