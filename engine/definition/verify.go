package definition

// Verify says how the provider signs what a browser brings, so that nobody else can have written it.
// Exactly one of the two is given.
type Verify struct {
	HMAC *VerifyHMAC `yaml:"hmac"`
	JWT  *VerifyJWT  `yaml:"jwt"`
}

// VerifyHMAC is a keyed hash of the parameters (RFC 2104) in one of them.
type VerifyHMAC struct {
	Alg string   `yaml:"alg"` // sha256 (default), sha512, sha1
	Key Template `yaml:"key"`
	// Param brings the hash, written in Encoding: hex (default) or base64.
	Param    string `yaml:"param"`
	Encoding string `yaml:"encoding"`
	// Over is what is hashed: OverSortedQuery, or a text with formulas.
	Over Template `yaml:"over"`
	// Timestamp names the parameter that says when it was signed, in seconds since 1970; empty: none.
	Timestamp string `yaml:"timestamp"`
}

// OverSortedQuery stands for all parameters but the one with the hash, sorted by name and encoded as a
// form.
const OverSortedQuery = "sorted_query"

// VerifyJWT is a signed token (RFC 7519) in one of the parameters.
type VerifyJWT struct {
	Param string   `yaml:"param"`
	Alg   string   `yaml:"alg"` // HS256 (default), HS384, HS512
	Key   Template `yaml:"key"`
	// Issuer and Audience are what iss and aud have to be; nil: anything.
	Issuer   *Template `yaml:"issuer"`
	Audience *Template `yaml:"audience"`
}

// Param is the parameter that brings the signature.
func (v *Verify) Param() string {
	if v.HMAC != nil {
		return v.HMAC.Param
	}
	return v.JWT.Param
}

// Params are the parameters that are there because of the signature.
func (v *Verify) Params() []string {
	out := []string{v.Param()}
	if v.HMAC != nil && v.HMAC.Timestamp != "" {
		out = append(out, v.HMAC.Timestamp)
	}
	return out
}

// Key is what the provider signs with, and only the two of us know.
func (v *Verify) Key() *Template {
	if v.HMAC != nil {
		return &v.HMAC.Key
	}
	return &v.JWT.Key
}

// verify compiles v.
func (k *compiler) verify(v *Verify) {
	switch {
	case v == nil:
	case v.HMAC != nil:
		k.template(&v.HMAC.Key, inVerify)
		if v.HMAC.Over.Source != OverSortedQuery {
			k.template(&v.HMAC.Over, inCallback)
		}
	case v.JWT != nil:
		k.template(&v.JWT.Key, inVerify)
		k.optional(v.JWT.Issuer, inSigner)
		k.optional(v.JWT.Audience, inSigner)
	}
}
