package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"dowel/engine/definition"
)

// awsSignature is AWS Signature Version 4, as the AWS Identity and Access Management User Guide describes
// it under "AWS Signature Version 4 for API requests".
type awsSignature struct{ *definition.AWSSignature }

var awsAuthorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/, ]+)/([0-9]{8})/([^/, ]+)/([^/, ]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$`)

// read takes the header apart: access key, date, region, service, signed headers, signature.
func (awsSignature) read(c *call) []string {
	return awsAuthorization.FindStringSubmatch(c.r.Header.Get("Authorization"))
}

func (s awsSignature) found(c *call, out slots) bool {
	parts := s.read(c)
	if parts == nil || !matched(&s.AccessKey, parts[1], out) {
		return false
	}
	session := c.r.Header.Get("X-Amz-Security-Token")
	return session == "" || matched(&s.SessionToken, session, out)
}

func (s awsSignature) check(c *call, got slots, env definition.Env) *problem {
	parts := s.read(c)
	date, region, service, signed := parts[2], parts[3], parts[4], strings.Split(parts[5], ";")
	stamp := c.r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", stamp)
	if err != nil || !strings.HasPrefix(stamp, date) {
		return badSignature("X-Amz-Date is not the time of the credential's scope")
	}
	if p := timely(at); p != nil {
		return p
	}
	env["request"] = c.signedRequest(definition.SignedPlaces{}, got)
	if p := s.scoped(env, region, service, c.r.Header.Get("X-Amz-Security-Token")); p != nil {
		return p
	}
	if p := c.awsHeaders(signed); p != nil {
		return p
	}
	payload := sha256.Sum256(c.body)
	sum := hex.EncodeToString(payload[:])
	if told := c.r.Header.Get("X-Amz-Content-Sha256"); told != "" && told != sum || told == "" && storage(service) {
		return badSignature("X-Amz-Content-Sha256 is not the body's")
	}
	secret, err := s.SecretKey.Fill(env)
	if err != nil {
		return badSignature(err.Error())
	}
	canonical := strings.Join([]string{c.r.Method, awsPath(c.path, service), awsQuery(c.r.URL.RawQuery), c.awsCanonicalHeaders(signed), strings.Join(signed, ";"), sum}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, date + "/" + region + "/" + service + "/aws4_request", hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, step := range []string{date, region, service, "aws4_request", text} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(step))
		key = m.Sum(nil)
	}
	if !same(hex.EncodeToString(key), parts[6]) {
		return badSignature("the signature is not that of this request and this secret key")
	}
	return nil
}

// scoped compares the credential's scope and the session with what the definition says.
func (s awsSignature) scoped(env definition.Env, region, service, session string) *problem {
	for _, part := range []struct {
		name string
		want *definition.Template
		got  string
	}{{"region", &s.Region, region}, {"service", &s.Service, service}, {"session token", &s.SessionToken, session}} {
		want := ""
		if !part.want.IsZero() {
			var err error
			if want, err = part.want.Fill(env); err != nil {
				return badSignature(err.Error())
			}
		}
		if want != part.got {
			return badSignature("the " + part.name + " is not the one that is wanted here")
		}
	}
	return nil
}

// awsHeaders checks which headers are signed: in order, the host and everything of Amazon's among them.
func (c *call) awsHeaders(signed []string) *problem {
	if !slices.IsSorted(signed) || !slices.Contains(signed, "host") {
		return badSignature("SignedHeaders is not sorted, or the host is not among them")
	}
	for name := range c.r.Header {
		name = strings.ToLower(name)
		if (strings.HasPrefix(name, "x-amz-") || name == "content-type") && !slices.Contains(signed, name) {
			return badSignature(name + " is not signed")
		}
	}
	return nil
}

func (c *call) awsCanonicalHeaders(signed []string) string {
	var b strings.Builder
	for _, name := range signed {
		value := strings.Join(strings.Fields(strings.Join(c.r.Header.Values(name), ",")), " ")
		if name == "host" {
			value = c.host
		}
		b.WriteString(name + ":" + value + "\n")
	}
	return b.String()
}

// awsPath encodes every segment of the path once more, except for S3.
func awsPath(path, service string) string {
	if storage(service) {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = rfc3986(s)
	}
	return strings.Join(segments, "/")
}

// storage reports whether a service is one of S3's, which sign a little differently.
func storage(service string) bool {
	return service == "s3" || strings.HasPrefix(service, "s3-") || service == "s3express"
}

func awsQuery(raw string) string {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return raw
	}
	var out []string
	for name, list := range values {
		for _, v := range list {
			out = append(out, rfc3986(name)+"="+rfc3986(v))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "&")
}

// rfc3986 escapes everything but the unreserved characters of RFC 3986 §2.3.
func rfc3986(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if strings.IndexByte(unreserved, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + string(digits[c>>4]) + string(digits[c&15]))
		}
	}
	return b.String()
}
