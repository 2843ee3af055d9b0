package definition

import (
	"slices"
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
	return dropNil([]*JWT{a.Assertion, a.ClientAssertion, a.ClientSecret})
}

// clientAuths lists how the client authenticates, wherever it does.
func (a *Auth) clientAuths() []ClientAuth {
	var out []ClientAuth
	if a.Token != nil {
		out = append(out, a.Token.ClientAuth)
		for _, next := range a.Token.Then {
			out = append(out, next.ClientAuth)
		}
	}
	if a.Authorize != nil && a.Authorize.PAR != nil {
		out = append(out, a.PushAuth())
	}
	if a.Device != nil {
		out = append(out, a.Device.ClientAuth)
	}
	if a.Refresh != nil {
		out = append(out, a.Refresh.ClientAuth)
	}
	if a.Revoke != nil {
		out = append(out, a.Revoke.ClientAuth)
	}
	if a.Introspect != nil && a.Introspect.Request != nil {
		out = append(out, a.Introspect.Request.ClientAuth)
	}
	return out
}

// defaultSigning fills in what signs for the client where the definition does not say: the app's private
// key, which an operator is then asked for, or its secret; of a client that the person brings, the
// person's.
func (a *Auth) defaultSigning() {
	how := a.clientAuths()
	usual := ""
	switch {
	case slices.Contains(how, ClientAuthPrivateKeyJWT):
		usual = "RS256"
	case slices.Contains(how, ClientAuthSecretJWT):
		usual = "HS256"
	}
	if a.ClientAssertion == nil && usual != "" {
		a.ClientAssertion = &JWT{Alg: usual}
	}
	for _, j := range []*JWT{a.ClientAssertion, a.ClientSecret} {
		if j != nil && j.Key.IsZero() {
			j.Key.Source = a.usualKey(j)
		}
	}
}

func (a *Auth) usualKey(j *JWT) string {
	name := "private_key"
	if j.Symmetric() && j != a.ClientSecret {
		name = "client_secret"
	}
	if _, brought := a.Fields.Named(name); brought {
		return "${fields." + name + "}"
	}
	if _, asked := a.AppFields.Named(name); !asked && name == "private_key" {
		a.AppFields = append(a.AppFields, Field{Name: name, Label: "Private key", Type: "textarea", Format: "key"})
	}
	return "${app." + name + "}"
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
