package simulator

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"hash"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dowel/engine/definition"
)

// oauth1Signature is a call signed as RFC 5849 §3 says.
type oauth1Signature struct{ *definition.OAuth1Signature }

func (s oauth1Signature) found(c *call, out slots) bool {
	q, p := c.oauth1()
	if p != nil || q == nil {
		return q != nil // what is wrong with it is for check to say
	}
	return matched(&s.ConsumerKey, q.params["oauth_consumer_key"], out) && matched(&s.Token, q.params["oauth_token"], out)
}

func (s oauth1Signature) check(c *call, _ slots, env definition.Env) *problem {
	q, p := c.oauth1()
	if p != nil {
		return p
	}
	secrets := make([]string, 4)
	for i, t := range []*definition.Template{&s.ConsumerSecret, &s.TokenSecret, &s.PrivateKey, &s.Realm} {
		if t.IsZero() {
			continue
		}
		var err error
		if secrets[i], err = t.Fill(env); err != nil {
			return badSignature(err.Error())
		}
	}
	return c.verifyOAuth1(q, oauth1Rules{method: s.Method, in: s.In, realm: secrets[3], key: secrets[2]}, secrets[0], secrets[1])
}

// oauth1Rules are what a provider wants of signed requests.
type oauth1Rules struct {
	method, in, realm string
	key               string // of RSA-SHA1: the client's private key, which has the public one in it
}

// oauth1Request is what a request says under RFC 5849.
type oauth1Request struct {
	in     string // header, query, form
	realm  string
	params map[string]string // protocol parameters
	others []string          // query and form, each pair encoded as §3.6 says
}

// oauth1 reads a signed request; nil if it is none. The parameters stand in one place, each once (§3.1,
// §3.5).
func (c *call) oauth1() (*oauth1Request, *problem) {
	q := &oauth1Request{params: map[string]string{}}
	if p := q.readHeader(c.r.Header.Get("Authorization")); p != nil {
		return q, p
	}
	texts := map[string]string{"query": c.r.URL.RawQuery}
	if c.hasForm() {
		texts["form"] = string(c.body)
	}
	for in, text := range texts {
		if p := q.readPairs(in, text); p != nil {
			return q, p
		}
	}
	if q.params["oauth_signature"] == "" || q.params["oauth_consumer_key"] == "" {
		return nil, nil
	}
	return q, nil
}

func (c *call) hasForm() bool {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}

func (q *oauth1Request) take(in, name, value string) *problem {
	if _, twice := q.params[name]; twice || q.in != "" && q.in != in {
		return badSignature(name + " is sent more than once, or the parameters stand in several places")
	}
	q.in, q.params[name] = in, value
	return nil
}

// readHeader reads the Authorization header (§3.5.1).
func (q *oauth1Request) readHeader(header string) *problem {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "OAuth") {
		return nil
	}
	for rest != "" {
		name, after, ok := strings.Cut(strings.TrimLeft(rest, ", \t"), `="`)
		value, next, closed := quotedString(after)
		if !ok || !closed {
			return badSignature("the Authorization header cannot be read")
		}
		rest = next
		if name == "realm" {
			q.realm = value
			continue
		}
		n, err1 := url.PathUnescape(name)
		v, err2 := url.PathUnescape(value)
		if err1 != nil || err2 != nil || rfc3986(v) != value {
			return badSignature(name + " is not encoded as RFC 5849 §3.6 says")
		}
		if p := q.take("header", n, v); p != nil {
			return p
		}
	}
	return nil
}

// quotedString reads up to the quotation mark that ends s (RFC 9110 §5.6.4).
func quotedString(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
		case s[i] == '"':
			return b.String(), s[i+1:], true
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

func (q *oauth1Request) readPairs(in, text string) *problem {
	for _, part := range strings.Split(text, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return badSignature("a parameter is not well encoded")
		}
		if strings.HasPrefix(n, "oauth_") {
			if p := q.take(in, n, v); p != nil {
				return p
			}
			continue
		}
		q.others = append(q.others, rfc3986(n)+"="+rfc3986(v))
	}
	return nil
}

// verifyOAuth1 checks a request as §3.2 says.
func (c *call) verifyOAuth1(q *oauth1Request, rules oauth1Rules, clientSecret, tokenSecret string) *problem {
	n, err := strconv.ParseInt(q.params["oauth_timestamp"], 10, 64)
	version := q.params["oauth_version"]
	in := rules.in
	if in == "form" && !c.hasForm() {
		in = "header"
	}
	switch {
	case q.in != in:
		return badSignature("the parameters must be in the " + in)
	case q.params["oauth_signature_method"] != rules.method:
		return badSignature("oauth_signature_method must be " + rules.method)
	case version != "" && version != "1.0":
		return badSignature("oauth_version must be 1.0")
	case rules.realm != q.realm:
		return badSignature("the realm must be " + rules.realm)
	case err != nil || n <= 0:
		return badSignature("oauth_timestamp is not a number of seconds")
	case len(q.params["oauth_nonce"]) < 8:
		return badSignature("oauth_nonce is missing or too short to be used once")
	}
	if p := timely(time.Unix(n, 0)); p != nil {
		return p
	}
	if !q.signedBy(c, rules, clientSecret, tokenSecret) {
		return badSignature("oauth_signature is not that of this request and these secrets")
	}
	return c.once(strings.Join([]string{q.params["oauth_consumer_key"], q.params["oauth_token"], q.params["oauth_timestamp"], q.params["oauth_nonce"]}, "&"))
}

func (q *oauth1Request) signedBy(c *call, rules oauth1Rules, clientSecret, tokenSecret string) bool {
	got := q.params["oauth_signature"]
	key := rfc3986(clientSecret) + "&" + rfc3986(tokenSecret)
	var newHash func() hash.Hash
	switch rules.method {
	case "PLAINTEXT":
		return same(key, got)
	case "RSA-SHA1":
		return rsaSigned(rules.key, q.base(c), got)
	case "HMAC-SHA1":
		newHash = sha1.New
	case "HMAC-SHA256":
		newHash = sha256.New
	default:
		return false
	}
	h := hmac.New(newHash, []byte(key))
	h.Write([]byte(q.base(c)))
	return same(base64.StdEncoding.EncodeToString(h.Sum(nil)), got)
}

// base is the signature base string (§3.4.1).
func (q *oauth1Request) base(c *call) string {
	pairs := slices.Clone(q.others)
	for name, v := range q.params {
		if name != "oauth_signature" {
			pairs = append(pairs, rfc3986(name)+"="+rfc3986(v))
		}
	}
	// §3.4.1.3.2 sorts by name, then by value: "a=1" stands before "a-b=1", although "-" is before "=".
	slices.SortFunc(pairs, func(x, y string) int {
		xn, xv, _ := strings.Cut(x, "=")
		yn, yv, _ := strings.Cut(y, "=")
		if xn != yn {
			return strings.Compare(xn, yn)
		}
		return strings.Compare(xv, yv)
	})
	return strings.ToUpper(c.r.Method) + "&" + rfc3986("https://"+strings.ToLower(c.host)+c.path) + "&" + rfc3986(strings.Join(pairs, "&"))
}

// rsaSigned checks RSASSA-PKCS1-v1_5 with SHA-1 (§3.4.3).
func rsaSigned(privateKey, text, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	block, _ := pem.Decode([]byte(privateKey))
	if err != nil || block == nil {
		return false
	}
	var public *rsa.PublicKey
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		public = &k.PublicKey
	} else if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if r, ok := k.(*rsa.PrivateKey); ok {
			public = &r.PublicKey
		}
	}
	if public == nil {
		return false
	}
	sum := sha1.Sum([]byte(text))
	return rsa.VerifyPKCS1v15(public, crypto.SHA1, sum[:], raw) == nil
}
