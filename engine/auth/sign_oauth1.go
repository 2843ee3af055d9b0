package auth

import (
	"cmp"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RFC 5849 §3.4.2 knows no other digest
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dowel/engine/definition"
)

// oauth1Signer makes the signatures of RFC 5849 §3.
type oauth1Signer struct {
	consumerKey, consumerSecret string
	token, tokenSecret          string
	realm, method, in           string
	privateKey                  *rsa.PrivateKey // of RSA-SHA1
	// more are the parameters of a request for credentials: oauth_callback or oauth_verifier.
	more []pair
}

// signOAuth1 signs a call.
func (r Request) signOAuth1(out *http.Request, s *definition.OAuth1Signature, env definition.Env, o occasion) error {
	signer, err := r.oauth1Signer(s, env)
	if err != nil {
		return err
	}
	c, err := r.contentOf(out)
	if err != nil {
		return err
	}
	return signer.sign(out, c, o)
}

// oauth1Signer is the signer that the definition describes.
func (r Request) oauth1Signer(s *definition.OAuth1Signature, env definition.Env) (oauth1Signer, error) {
	parts, err := filledTemplates(env, &s.ConsumerKey, &s.ConsumerSecret, &s.Token, &s.TokenSecret, &s.Realm)
	if err != nil {
		return oauth1Signer{}, err
	}
	key, err := r.rsaKey(s, env)
	if err != nil {
		return oauth1Signer{}, err
	}
	return oauth1Signer{
		consumerKey: parts[0], consumerSecret: parts[1], token: parts[2], tokenSecret: parts[3],
		realm: parts[4], privateKey: key, method: s.Method, in: s.In,
	}, nil
}

// sign puts the protocol parameters and the signature on out (§3.5), in the place of earlier ones.
func (s oauth1Signer) sign(out *http.Request, c content, o occasion) error {
	if s.consumerKey == "" {
		return errors.New("the consumer key is empty")
	}
	if s.method == "PLAINTEXT" && out.URL.Scheme != "https" {
		return errors.New("PLAINTEXT would send the secrets over a connection that others can read (RFC 5849 §3.4.4)")
	}
	form := mediaType(out) == typeForm
	if form && c.withheld {
		return errWithheld
	}
	body := ""
	if form {
		body = withoutOAuth(string(c.body))
	}
	out.URL.RawQuery = withoutOAuth(out.URL.RawQuery)
	params := append(s.params(o), s.more...)
	signature, err := o.signature(func() (string, error) {
		sent, err := parsedPairs(out.URL.RawQuery, body)
		if err != nil {
			return "", err
		}
		return s.signature(baseString(out, append(sent, params...)))
	})
	if err != nil {
		return err
	}
	params = append(params, pair{"oauth_signature", signature})
	switch {
	case s.in == "query":
		out.URL.RawQuery = joinQuery(out.URL.RawQuery, encode(params))
	case s.in == "form" && form:
		replaceBody(out, []byte(joinQuery(body, encode(params))))
	default:
		out.Header.Set("Authorization", s.header(params))
	}
	return nil
}

// params are the protocol parameters (§3.1), without the signature.
func (s oauth1Signer) params(o occasion) []pair {
	out := []pair{
		{"oauth_consumer_key", s.consumerKey},
		{"oauth_nonce", o.text("nonce", o.nonce)},
		{"oauth_signature_method", s.method},
		{"oauth_timestamp", o.text("timestamp", strconv.FormatInt(o.at.Unix(), 10))},
		{"oauth_version", "1.0"},
	}
	if s.token != "" {
		out = append(out, pair{"oauth_token", s.token})
	}
	return out
}

// header is the Authorization header (§3.5.1). The realm is named in it and not signed.
func (s oauth1Signer) header(params []pair) string {
	var b strings.Builder
	b.WriteString("OAuth ")
	if s.realm != "" {
		fmt.Fprintf(&b, `realm="%s", `, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s.realm))
	}
	for i, p := range params {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `%s="%s"`, percentEncoded(p.name), percentEncoded(p.value))
	}
	return b.String()
}

// signature signs the base string (§3.4.2 to §3.4.4).
func (s oauth1Signer) signature(base string) (string, error) {
	key := percentEncoded(s.consumerSecret) + "&" + percentEncoded(s.tokenSecret)
	newHash := sha1.New
	switch s.method {
	case "PLAINTEXT":
		return key, nil
	case "RSA-SHA1":
		return s.rsa(base)
	case "HMAC-SHA256":
		newHash = sha256.New
	}
	return macOf(newHash, key, base), nil
}

func macOf(newHash func() hash.Hash, key, text string) string {
	h := hmac.New(newHash, []byte(key))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// rsa is RSASSA-PKCS1-v1_5 with SHA-1 (§3.4.3).
func (s oauth1Signer) rsa(base string) (string, error) {
	sum := sha1.Sum([]byte(base)) //nolint:gosec // the method is called RSA-SHA1
	b, err := rsa.SignPKCS1v15(rand.Reader, s.privateKey, crypto.SHA1, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// rsaKey reads the private key of RSA-SHA1. An explanation has none.
func (r Request) rsaKey(s *definition.OAuth1Signature, env definition.Env) (*rsa.PrivateKey, error) {
	if s.Method != "RSA-SHA1" || r.explained != nil {
		return nil, nil
	}
	text, err := s.PrivateKey.Fill(env)
	if err != nil {
		return nil, err
	}
	signer, err := definition.PrivateKey(text)
	if err != nil {
		return nil, r.badKey(&s.PrivateKey, env, err)
	}
	key, ok := signer.(*rsa.PrivateKey)
	if !ok {
		return nil, r.badKey(&s.PrivateKey, env, errors.New("is not an RSA key"))
	}
	return key, nil
}

// baseString is what is signed (§3.4.1).
func baseString(out *http.Request, params []pair) string {
	encoded := make([]pair, len(params))
	for i, p := range params {
		encoded[i] = pair{percentEncoded(p.name), percentEncoded(p.value)}
	}
	slices.SortFunc(encoded, func(a, b pair) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value)) })
	var b strings.Builder
	for i, p := range encoded {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
	}
	u := strings.ToLower(out.URL.Scheme) + "://" + hostPort(out.URL) + escapedPath(out.URL)
	return strings.ToUpper(out.Method) + "&" + percentEncoded(u) + "&" + percentEncoded(b.String())
}

// parsedPairs reads queries and forms as §3.4.1.3.1 wants it: every parameter, as often as it is there.
func parsedPairs(texts ...string) ([]pair, error) {
	var out []pair
	for _, text := range texts {
		for part := range strings.SplitSeq(text, "&") {
			if part == "" {
				continue
			}
			name, value, _ := strings.Cut(part, "=")
			name, err := url.QueryUnescape(name)
			if err != nil {
				return nil, errors.New("a parameter's name is not well encoded")
			}
			if value, err = url.QueryUnescape(value); err != nil {
				return nil, errors.New("a parameter's value is not well encoded")
			}
			out = append(out, pair{name, value})
		}
	}
	return out, nil
}

// withoutOAuth is a query or a form without protocol parameters of an earlier signing.
func withoutOAuth(text string) string {
	var kept []string
	for part := range strings.SplitSeq(text, "&") {
		if part != "" && !slices.ContainsFunc(protocolParams, func(name string) bool { return strings.HasPrefix(part, name+"=") }) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

var protocolParams = []string{
	"oauth_consumer_key", "oauth_nonce", "oauth_signature_method", "oauth_timestamp", "oauth_version", "oauth_token",
	"oauth_signature", "oauth_callback", "oauth_verifier",
}

// percentEncoded is the encoding of §3.6: everything but letters, digits and -._~ as %XX.
func percentEncoded(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
