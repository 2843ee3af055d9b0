package definition

import (
	"strings"
	"time"
)

// JWT says how to make a signed token (RFC 7519) from a key and what is known of the app and the
// person: an assertion (RFC 7523), or a client secret that is made anew each time.
type JWT struct {
	Alg string   `yaml:"alg"` // RFC 7518 §3.1
	Key Template `yaml:"key"`
	// KeyEncoding says what the text of an HMAC key stands for: text (default), hex or base64.
	KeyEncoding string   `yaml:"key_encoding"`
	KeyID       Template `yaml:"kid"`
	Header      Params   `yaml:"header"`
	// Claims are laid over those that are set by themselves; null takes one of them away.
	Claims *Tree `yaml:"claims"`
	// Lifetime is how long after it is made the token ends.
	Lifetime Duration `yaml:"lifetime"`
}

// usualJWTLifetime is long enough for a clock that is wrong by minutes, and shorter than any provider's
// limit.
const usualJWTLifetime = Duration(5 * time.Minute)

// Symmetric reports whether the same key signs and verifies.
func (j *JWT) Symmetric() bool { return strings.HasPrefix(j.Alg, "HS") }

// Asked is a question whose answer a formula reads.
type Asked struct {
	Root  string // inputs, fields or app
	Field Field
}

// Asked lists the questions of c and a whose answers t reads, in the order in which it reads them.
func (c *Connector) Asked(a *Auth, t *Template) []Asked {
	var out []Asked
	for _, p := range t.parts {
		if p.expr == nil {
			continue
		}
		for _, u := range p.expr.uses {
			asked := map[string]Fields{"inputs": c.Inputs, "fields": a.Fields, "app": a.AppFields}[u.root]
			if f, ok := asked.Named(u.name); ok {
				out = append(out, Asked{u.root, f})
			}
		}
	}
	return out
}

// JWTs lists every token that a says how to make.
func (a *Auth) JWTs() []*JWT {
	if a.Assertion == nil {
		return nil
	}
	return []*JWT{a.Assertion}
}

// jwt compiles j.
func (k *compiler) jwt(j *JWT, p place) {
	if j == nil {
		return
	}
	if j.Lifetime == 0 {
		j.Lifetime = usualJWTLifetime
	}
	k.template(&j.Key, p)
	k.template(&j.KeyID, p)
	k.params(j.Header, p)
	if j.Claims != nil {
		j.Claims.templates(func(t *Template) { k.template(t, p) })
	}
}
