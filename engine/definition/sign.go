package definition

import (
	"cmp"
	"slices"
)

// Sign says how every request with the credential is signed: exactly one of its members.
type Sign struct {
	OAuth1 *OAuth1Signature `yaml:"oauth1"`
	AWS    *AWSSignature    `yaml:"aws_sigv4"`
	HMAC   *HMACSignature   `yaml:"hmac"`
	Hash   *DigestSignature `yaml:"hash"`
	Key    *KeySignature    `yaml:"private_key"`
	WSSE   *WSSESignature   `yaml:"wsse"`
	JWT    *JWTSignature    `yaml:"jwt"`
}

// OAuth1Signature is RFC 5849 §3.
type OAuth1Signature struct {
	ConsumerKey    Template `yaml:"consumer_key"`
	ConsumerSecret Template `yaml:"consumer_secret"`
	// PrivateKey is what RSA-SHA1 signs with, instead of the secrets (§3.4.3).
	PrivateKey  Template `yaml:"private_key"`
	Token       Template `yaml:"token"`
	TokenSecret Template `yaml:"token_secret"`
	Method      string   `yaml:"method"` // HMAC-SHA1 (default), HMAC-SHA256, RSA-SHA1, PLAINTEXT
	Realm       Template `yaml:"realm"`
	// In is where the parameters go (§3.5): header (default), query, or form, which is the header for
	// requests whose body is no form.
	In string `yaml:"in"`
}

// AWSSignature is AWS Signature Version 4.
type AWSSignature struct {
	AccessKey    Template `yaml:"access_key"`
	SecretKey    Template `yaml:"secret_key"`
	SessionToken Template `yaml:"session_token"`
	Region       Template `yaml:"region"`
	Service      Template `yaml:"service"`
}

// HMACSignature is the HMAC (RFC 2104) of a message made of the request.
type HMACSignature struct {
	DigestSignature `yaml:",inline"`
	Key             Template `yaml:"key"`
	KeyEncoding     string   `yaml:"key_encoding"` // text (default), hex, base64
}

// KeySignature is a message made of the request, signed with a private key as RFC 7518 §3 signs the text of
// a token.
type KeySignature struct {
	DigestSignature `yaml:",inline"`
	Key             Template `yaml:"key"`
}

// DigestSignature is the digest of a message made of the request. Without a key, the message has to hold
// a secret.
type DigestSignature struct {
	Alg          string   `yaml:"alg"` // md5, sha1, sha256, sha512, or what the key signs with
	Message      Template `yaml:"message"`
	Encoding     string   `yaml:"encoding"` // hex (default; base64 with a private key), base64, base64url
	SignedPlaces `yaml:",inline"`
}

// SignedPlaces are where a signature goes, as ${signature}. What does not read the signature is put on
// the request before it is signed, so that the signature can cover it.
type SignedPlaces struct {
	Headers Params `yaml:"headers"`
	Query   Params `yaml:"query"`
}

// WSSESignature is the UsernameToken of OASIS Web Services Security (UsernameToken Profile 1.1 §3.1) in a
// header.
type WSSESignature struct {
	Username Template `yaml:"username"`
	Secret   Template `yaml:"secret"`
	Header   string   `yaml:"header"` // X-WSSE (default)
	// Digest says what of the SHA-1 is written in base64: its bytes (the profile's way), or their hex.
	Digest string `yaml:"digest"`
	// Nonce says how the nonce is written: in base64 (the profile's way), or as the text it is.
	Nonce string `yaml:"nonce"`
}

// JWTSignature is a token (RFC 7519) that is made anew for every request.
type JWTSignature struct {
	JWT          `yaml:",inline"`
	SignedPlaces `yaml:",inline"`
}

// defaults fills in what is usual.
func (s *Sign) defaults() {
	if s == nil {
		return
	}
	if o := s.OAuth1; o != nil {
		o.Method, o.In = cmp.Or(o.Method, "HMAC-SHA1"), cmp.Or(o.In, "header")
	}
	if h := s.HMAC; h != nil {
		h.KeyEncoding = cmp.Or(h.KeyEncoding, "text")
	}
	if k := s.Key; k != nil {
		k.Encoding = cmp.Or(k.Encoding, "base64")
	}
	if d := s.Digest(); d != nil {
		d.Encoding = cmp.Or(d.Encoding, "hex")
	}
	if w := s.WSSE; w != nil {
		w.Header, w.Digest, w.Nonce = cmp.Or(w.Header, "X-WSSE"), cmp.Or(w.Digest, "bytes"), cmp.Or(w.Nonce, "base64")
	}
}

// Digest returns the signer that is a message and what is made of it, with a key or without; nil if s is
// another.
func (s *Sign) Digest() *DigestSignature {
	switch {
	case s.HMAC != nil:
		return &s.HMAC.DigestSignature
	case s.Key != nil:
		return &s.Key.DigestSignature
	}
	return s.Hash
}

// Signing is what s signs with, as of a token: its key and its algorithm; nil if s has neither.
func (s *Sign) Signing() *JWT {
	switch {
	case s == nil:
		return nil
	case s.JWT != nil:
		return &s.JWT.JWT
	case s.Key != nil:
		return &JWT{Alg: s.Key.Alg, Key: s.Key.Key}
	}
	return nil
}

// Places are where the signature goes for the signers that say so; the others have their own.
func (s *Sign) Places() SignedPlaces {
	if d := s.Digest(); d != nil {
		return d.SignedPlaces
	}
	if s.JWT != nil {
		return s.JWT.SignedPlaces
	}
	return SignedPlaces{}
}

// ReadsSignature reports whether the parameter carries the signature, and so cannot be signed.
func (p *Param) ReadsSignature() bool { return p.Value.reads("signature", "") }

// ReadsBody reports whether what is signed is made of the body itself, of which the digest is not enough.
func (s *Sign) ReadsBody() bool {
	found := false
	look := func(t *Template) { found = found || t.reads("request", "body") || t.reads("request", "size") }
	if d := s.Digest(); d != nil {
		look(&d.Message)
	}
	if s.JWT != nil && s.JWT.Claims != nil {
		s.JWT.Claims.templates(look)
	}
	return found
}

// reads reports whether a formula of t reads a name, or all of its root.
func (t *Template) reads(root, name string) bool {
	return t.uses(func(u use) bool { return u.root == root && (u.name == name || u.name == "") })
}

// readsRoot reports whether a formula of t reads anything below a root.
func (t *Template) readsRoot(root string) bool {
	return t.uses(func(u use) bool { return u.root == root })
}

func (t *Template) uses(f func(use) bool) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.expr != nil && slices.ContainsFunc(p.expr.uses, f) })
}

// Signers are how requests of a are signed: those with the credential, and those of its login.
func (a *Auth) Signers() []*Sign {
	var out []*Sign
	if a.Apply != nil && a.Apply.Sign != nil {
		out = append(out, a.Apply.Sign)
	}
	for _, s := range a.Login {
		if s.Sign != nil {
			out = append(out, s.Sign)
		}
	}
	return out
}

// Signings are the tokens with which requests of a are signed.
func (a *Auth) Signings() []*JWT {
	var out []*JWT
	for _, s := range a.Signers() {
		if j := s.Signing(); j != nil {
			out = append(out, j)
		}
	}
	return out
}

// sign compiles what a signature is made of, and where it goes.
func (k *compiler) sign(s *Sign) {
	if s == nil {
		return
	}
	if o := s.OAuth1; o != nil {
		k.filled(inCall, &o.ConsumerKey, &o.Token, &o.Realm)
		k.filled(inSign, &o.ConsumerSecret, &o.TokenSecret, &o.PrivateKey)
	}
	if a := s.AWS; a != nil {
		k.filled(inCall.requesting(), &a.AccessKey, &a.SessionToken, &a.Region, &a.Service)
		k.filled(inSign, &a.SecretKey)
	}
	if h := s.HMAC; h != nil {
		k.filled(inSign, &h.Key)
	}
	if s.Key != nil {
		k.filled(inSign, &s.Key.Key)
	}
	if d := s.Digest(); d != nil {
		k.filled(inSign, &d.Message)
	}
	if w := s.WSSE; w != nil {
		k.filled(inCall, &w.Username)
		k.filled(inSign, &w.Secret)
	}
	if s.JWT != nil {
		k.jwt(&s.JWT.JWT, inSign)
	}
	places := s.Places()
	k.params(places.Headers, inSigned)
	k.params(places.Query, inSigned)
}

// filled compiles the templates that are there.
func (k *compiler) filled(p place, ts ...*Template) {
	for _, t := range ts {
		if !t.IsZero() {
			k.template(t, p)
		}
	}
}

// templates are those that what is put on a request is made of.
func (s *Sign) templates() []*Template {
	if s == nil {
		return nil
	}
	var out []*Template
	if o := s.OAuth1; o != nil {
		out = append(out, &o.ConsumerKey, &o.ConsumerSecret, &o.PrivateKey, &o.Token, &o.TokenSecret, &o.Realm)
	}
	if a := s.AWS; a != nil {
		out = append(out, &a.AccessKey, &a.SecretKey, &a.SessionToken, &a.Region, &a.Service)
	}
	if s.HMAC != nil {
		out = append(out, &s.HMAC.Key)
	}
	if s.Key != nil {
		out = append(out, &s.Key.Key)
	}
	if d := s.Digest(); d != nil {
		out = append(out, &d.Message)
	}
	if w := s.WSSE; w != nil {
		out = append(out, &w.Username, &w.Secret)
	}
	if j := s.JWT; j != nil {
		out = append(out, &j.Key, &j.KeyID)
		if j.Claims != nil {
			j.Claims.templates(func(t *Template) { out = append(out, t) })
		}
	}
	places := s.Places()
	for _, ps := range []Params{places.Headers, places.Query} {
		for i := range ps {
			out = append(out, &ps[i].Value)
		}
	}
	return out
}

// name is the signer's key in the definition.
func (s *Sign) name() string {
	switch {
	case s.OAuth1 != nil:
		return "oauth1"
	case s.AWS != nil:
		return "aws_sigv4"
	case s.HMAC != nil:
		return "hmac"
	case s.Hash != nil:
		return "hash"
	case s.Key != nil:
		return "private_key"
	case s.WSSE != nil:
		return "wsse"
	default:
		return "jwt"
	}
}

// header is the header that the signer writes by itself; empty if the definition names its headers, or
// there is none.
func (s *Sign) header() string {
	switch {
	case s.AWS != nil, s.OAuth1 != nil && s.OAuth1.In != "query":
		return "Authorization"
	case s.WSSE != nil:
		return s.WSSE.Header
	}
	return ""
}
