package definition

import "strings"

// IDToken says how the provider's ID token (OpenID Connect Core §2) is verified. A method that has it
// sends a nonce and wants an ID token in the answer of the token endpoint.
type IDToken struct {
	// Issuer is compared with iss, once the signature is known to be good; it may read the claims, for a
	// provider whose tenants each are an issuer.
	Issuer *Template `yaml:"issuer"`
	// JWKSURL is where the keys are (RFC 7517 §5); HS algorithms need none.
	JWKSURL *Template `yaml:"jwks_url"`
	// Audience must be among aud; nil: the client id.
	Audience *Template `yaml:"audience"`
	// Algs are the algorithms that are believed; empty: RS256.
	Algs []string `yaml:"algs"`
	// Nonce is required (the usual one), or optional for a provider that does not send it back.
	Nonce string `yaml:"nonce"`
}

// usualIDTokenAlg is what every provider of OpenID Connect signs with (OpenID Connect Discovery §3).
const usualIDTokenAlg = "RS256"

// Symmetric reports whether the client secret is the key (OpenID Connect Core §10.1).
func (t *IDToken) Symmetric() bool { return len(t.Algs) > 0 && strings.HasPrefix(t.Algs[0], "HS") }

func (k *compiler) idToken(t *IDToken) {
	if t == nil {
		return
	}
	if len(t.Algs) == 0 {
		t.Algs = []string{usualIDTokenAlg}
	}
	if t.Audience == nil {
		t.Audience = &Template{Source: "${app.client_id}"}
	}
	k.optional(t.Issuer, inProof)
	k.optional(t.JWKSURL, inHosts)
	k.optional(t.Audience, inProof)
}

// proves reports whether a's formulas can read the claims of an ID token.
func (a *Auth) proves() bool { return a.IDToken != nil }
