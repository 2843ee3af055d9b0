package auth

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// signing is a request of a definition with the given apply.sign, whose fields have the given values.
func signing(t *testing.T, sign string, fields map[string]string, o occasion) Request {
	t.Helper()
	source := "id: acme\nname: Acme\nhosts: [example.com, \"*.example.com\", example.amazonaws.com]\nauth:\n  - id: k\n    kind: custom\n    fields: {id: {label: ID}, key: {label: Key, type: password}, token: {label: Token}, secret: {label: Secret, type: password}}\n    apply:\n      sign:\n        " + sign
	k, findings := definition.Parse("acme.yaml", []byte(source))
	if k == nil {
		t.Fatal(findings)
	}
	return Request{Connector: k, Auth: k.Auth[0], Fields: Values(fields), occasion: &o}
}

func outgoing(t *testing.T, method, address, contentType, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

// TestOAuth1SignsAsTheRFC plays the requests of RFC 5849 §1.2, which have no oauth_version.
func TestOAuth1SignsAsTheRFC(t *testing.T) {
	at := func(second int64, nonce string) occasion { return occasion{at: time.Unix(second, 0), nonce: nonce} }
	for _, tt := range []struct {
		name, method, address string
		s                     oauth1Signer
		o                     occasion
		want                  string
	}{
		{
			"temporary credentials", "POST", "https://photos.example.net/initiate",
			oauth1Signer{more: []pair{{"oauth_callback", "http://printer.example.com/ready"}}},
			at(137131200, "wIjqoS"), "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
		},
		{
			"token credentials", "POST", "https://photos.example.net/token",
			oauth1Signer{token: "hh5s93j4hdidpola", tokenSecret: "hdhd0244k9j7ao03", more: []pair{{"oauth_verifier", "hfdp7dh39dks9884"}}},
			at(137131201, "walatlh"), "gKgrFCywp7rO0OXSjdot/IHF7IU=",
		},
		{
			"a call", "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original",
			oauth1Signer{token: "nnch734d00sl2jdk", tokenSecret: "pfkkdhi9sl3r4s00"},
			at(137131202, "chapoH"), "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
		},
	} {
		s := tt.s
		s.consumerKey, s.consumerSecret, s.method = "dpf43f3p2l4k3l03", "kd94hf93k423kf44", "HMAC-SHA1"
		req := outgoing(t, tt.method, tt.address, "", "")
		params, err := parsedPairs(req.URL.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append(s.params(tt.o), s.more...) {
			if p.name != "oauth_version" {
				params = append(params, p)
			}
		}
		got, err := s.signature(baseString(req, params))
		if err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

// TestTheBaseStringIsTheRFCs is RFC 5849 §3.4.1.1.
func TestTheBaseStringIsTheRFCs(t *testing.T) {
	req := outgoing(t, "POST", "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", typeForm, "c2&a3=2+q")
	params, err := parsedPairs(req.URL.RawQuery, "c2&a3=2+q")
	if err != nil {
		t.Fatal(err)
	}
	params = append(params, pair{"oauth_consumer_key", "9djdj82h48djs9d2"}, pair{"oauth_token", "kkk9d7dh3k39sjv7"},
		pair{"oauth_signature_method", "HMAC-SHA1"}, pair{"oauth_timestamp", "137131201"}, pair{"oauth_nonce", "7d8f3e4a"})
	const want = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D" +
		"%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if got := baseString(req, params); got != want {
		t.Errorf("base string\n%s\nwant\n%s", got, want)
	}
}

const oauth1Sign = `oauth1: {consumer_key: "${fields.id}", consumer_secret: "${fields.key}", token: "${fields.token}", token_secret: "${fields.secret}"`

// TestOAuth1SignsAForm is the example of X's "Creating a signature", which has a form and oauth_version.
func TestOAuth1SignsAForm(t *testing.T) {
	fields := map[string]string{
		"id": "xvz1evFS4wEEPTGEFPHBog", "key": "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
		"token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "secret": "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
	}
	o := occasion{at: time.Unix(1318622958, 0), nonce: "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"}
	const body = "status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21"
	const want = "hCtSmYh+iHYCEqBWrE7C7hYmtUk="
	const address = "https://api.twitter.com/1.1/statuses/update.json?include_entities=true"

	req := outgoing(t, "POST", address, typeForm, body)
	r := signing(t, oauth1Sign+`, realm: "a \"b\""}`, fields, o)
	for range 2 { // the second takes the place of the first
		if err := apply1(req, r); err != nil {
			t.Fatal(err)
		}
	}
	header := req.Header.Get("Authorization")
	if !strings.HasPrefix(header, `OAuth realm="a \"b\"", oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", `) || !strings.HasSuffix(header, `, oauth_signature="`+percentEncoded(want)+`"`) {
		t.Errorf("Authorization: %s", header)
	}
	if got := read1(t, req); got != body {
		t.Errorf("body = %q", got)
	}

	req = outgoing(t, "POST", address, typeForm, body)
	r = signing(t, oauth1Sign+`, in: query}`, fields, o)
	for range 2 {
		if err := apply1(req, r); err != nil {
			t.Fatal(err)
		}
	}
	if q := req.URL.Query(); q.Get("oauth_signature") != want || len(q["oauth_signature"]) != 1 || !strings.HasPrefix(req.URL.RawQuery, "include_entities=true&") || req.Header.Get("Authorization") != "" {
		t.Errorf("query: %s", req.URL.RawQuery)
	}

	req = outgoing(t, "POST", address, typeForm, body)
	r = signing(t, oauth1Sign+`, in: form}`, fields, o)
	for range 2 {
		if err := apply1(req, r); err != nil {
			t.Fatal(err)
		}
	}
	form, err := url.ParseQuery(read1(t, req))
	if err != nil || form.Get("oauth_signature") != want || len(form["oauth_signature"]) != 1 || len(form["status"]) != 1 {
		t.Errorf("form: %v, %v", form, err)
	}
	req = outgoing(t, "GET", "https://example.com/x", "", "")
	if err := apply1(req, r); err != nil || !strings.HasPrefix(req.Header.Get("Authorization"), "OAuth ") {
		t.Errorf("a call without a form: %v, %v", req.Header, err)
	}
}

func TestOAuth1OtherMethods(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	o := occasion{at: time.Unix(137131201, 0), nonce: "n"}
	for name, block := range map[string]*pem.Block{
		"PKCS #1": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
		"PKCS #8": {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		r := signing(t, `oauth1: {consumer_key: "${fields.id}", private_key: "${fields.key}", method: RSA-SHA1}`,
			map[string]string{"id": "me", "key": string(pem.EncodeToMemory(block))}, o)
		req := outgoing(t, "GET", "https://example.com/x", "", "")
		if err := apply1(req, r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, rest, _ := strings.Cut(req.Header.Get("Authorization"), `oauth_signature="`)
		text, _ := url.PathUnescape(strings.TrimSuffix(rest, `"`))
		signature, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		const base = "GET&https%3A%2F%2Fexample.com%2Fx&oauth_consumer_key%3Dme%26oauth_nonce%3Dn%26oauth_signature_method%3DRSA-SHA1%26oauth_timestamp%3D137131201%26oauth_version%3D1.0"
		sum := sha1.Sum([]byte(base))
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA1, sum[:], signature); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := signing(t, oauth1Sign+`, method: PLAINTEXT}`, map[string]string{"id": "me", "key": "a b&c", "secret": "d%e"}, o)
	req := outgoing(t, "GET", "https://example.com/x", "", "")
	if err := apply1(req, plain); err != nil || !strings.HasSuffix(req.Header.Get("Authorization"), `oauth_signature="a%2520b%2526c%26d%2525e"`) {
		t.Errorf("PLAINTEXT: %v, %v", req.Header, err)
	}
	if err := apply1(outgoing(t, "GET", "http://example.com/x", "", ""), plain); err == nil {
		t.Error("PLAINTEXT over http is not refused")
	}
	bad := signing(t, `oauth1: {consumer_key: "${fields.id}", private_key: "${fields.key}", method: RSA-SHA1}`, map[string]string{"id": "me", "key": "CANARY"}, o)
	if err := apply1(req, bad); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a key that is none: %v", err)
	}
}

// TestAWSSignsAsItsTestSuite plays requests of AWS's published suite for Signature Version 4: those that
// HTTP clients can send.
func TestAWSSignsAsItsTestSuite(t *testing.T) {
	const unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	o := occasion{at: time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)}
	for _, tt := range []struct{ name, method, target, session, want string }{
		{"get-vanilla", "GET", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-vanilla-query-order-encoded", "GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "", "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
		{"get-vanilla-utf8-query", "GET", "/?ሴ=bar", "", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{"get-vanilla-empty-query-key", "GET", "/?Param1=value1", "", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		{"get-vanilla-query-unreserved", "GET", "/?" + unreserved + "=" + unreserved, "", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		{"get-vanilla-with-session-token", "GET", "/", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267", "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
		{"post-vanilla", "POST", "/", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-vanilla-query", "POST", "/?Param1=value1", "", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
	} {
		fields := map[string]string{"id": "AKIDEXAMPLE", "key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "secret": tt.session}
		r := signing(t, `aws_sigv4: {access_key: "${fields.id}", secret_key: "${fields.key}", session_token: "${fields.secret}", region: us-east-1, service: service}`, fields, o)
		req := outgoing(t, tt.method, "https://example.amazonaws.com"+tt.target, "", "")
		req.Header.Set("User-Agent", "is not signed")
		for range 2 {
			if err := apply1(req, r); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		signed := "host;x-amz-date"
		if tt.session != "" {
			signed += ";x-amz-security-token"
		}
		want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" + signed + ", Signature=" + tt.want
		if got := req.Header.Get("Authorization"); got != want || req.Header.Get("X-Amz-Date") != "20150830T123600Z" || req.Header.Get("Host") != "" {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, want)
		}
	}
}

// TestAWSSignsForS3 is the example of the Amazon S3 API Reference, "Signature Calculations for the
// Authorization Header", GET Bucket (List Objects).
func TestAWSSignsForS3(t *testing.T) {
	o := occasion{at: time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)}
	r := signing(t, `aws_sigv4: {access_key: "${fields.id}", secret_key: "${fields.key}", region: us-east-1, service: "${split(request.host, '.')[1]}"}`,
		map[string]string{"id": "AKIAIOSFODNN7EXAMPLE", "key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, o)
	req := outgoing(t, "GET", "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", "", "")
	if err := apply1(req, r); err != nil {
		t.Fatal(err)
	}
	const want = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
	if got := req.Header.Get("Authorization"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAWSRefusesWhatWouldMeanSomethingElse(t *testing.T) {
	for name, fields := range map[string]map[string]string{
		"no access key":           {"key": "k"},
		"no secret key":           {"id": "AKID"},
		"a slash in the key's id": {"id": "AKID/20150830/eu", "key": "k"},
		"a line break":            {"id": "AKID\n", "key": "k"},
	} {
		r := signing(t, `aws_sigv4: {access_key: "${fields.id}", secret_key: "${fields.key}", region: us-east-1, service: sts}`, fields, occasion{at: time.Now()})
		if err := apply1(outgoing(t, "GET", "https://example.amazonaws.com/", "", ""), r); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestWSSEIsTheProfile is the example of M. Pilgrim, "Atom Authentication" (2003), whose nonce is written
// as it is.
func TestWSSEIsTheProfile(t *testing.T) {
	o := occasion{at: time.Date(2003, 12, 15, 14, 43, 7, 0, time.UTC), nonce: "d36e316282959a9ed4c89851497a717f"}
	fields := map[string]string{"id": "bob", "key": "taadtaadpstcsm"}
	for _, tt := range []struct{ how, header, digest, nonce string }{
		{"nonce: text", "X-WSSE", "quR/EWLAV4xLf9Zqyw4pDmfV9OY=", o.nonce},
		{"header: X-Auth", "X-Auth", "quR/EWLAV4xLf9Zqyw4pDmfV9OY=", "ZDM2ZTMxNjI4Mjk1OWE5ZWQ0Yzg5ODUxNDk3YTcxN2Y="},
		{"nonce: text, digest: hex", "X-WSSE", "YWFlNDdmMTE2MmMwNTc4YzRiN2ZkNjZhY2IwZTI5MGU2N2Q1ZjRlNg==", o.nonce},
	} {
		r := signing(t, `wsse: {username: "${fields.id}", secret: "${fields.key}", `+tt.how+`}`, fields, o)
		req := outgoing(t, "GET", "https://example.com/", "", "")
		if err := apply1(req, r); err != nil {
			t.Fatal(err)
		}
		want := `UsernameToken Username="bob", PasswordDigest="` + tt.digest + `", Nonce="` + tt.nonce + `", Created="2003-12-15T14:43:07Z"`
		if got := req.Header.Get(tt.header); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.how, got, want)
		}
	}
	r := signing(t, `wsse: {username: "${fields.id}", secret: "${fields.key}"}`, map[string]string{"id": `a", Nonce="`, "key": "k"}, o)
	if err := apply1(outgoing(t, "GET", "https://example.com/", "", ""), r); err == nil {
		t.Error("a user name that ends its quotation is not refused")
	}
}

func TestADigestIsMadeOfTheRequest(t *testing.T) {
	o := occasion{at: time.Unix(1700000000, 5e6).UTC(), nonce: "n0nce"}
	jefe := map[string]string{"id": "me", "key": "Jefe"}
	// RFC 4231 §4.3 and RFC 2202 §3 give the digests of this text under this key.
	const message = `message: "what do ya want for nothing?"`
	for _, tt := range []struct{ sign, header, want string }{
		{`hmac: {alg: sha256, key: "${fields.key}", ` + message + `, headers: {X-S: "me:${signature}"}}`, "X-S", "me:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{`hmac: {alg: sha256, key: "4a656665", key_encoding: hex, ` + message + `, encoding: base64, headers: {X-S: "${signature}"}}`, "X-S", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
		{`hmac: {alg: sha1, key: SmVmZQ, key_encoding: base64, ` + message + `, encoding: base64url, headers: {X-S: "${signature}"}}`, "X-S", "7_zfauXrL6LSdBbV8YTfnCWafHk"},
		{`hmac: {alg: md5, key: "${fields.key}", ` + message + `, headers: {X-S: "${signature}"}}`, "X-S", "750c783e6ab0b503eaa86e310a5db738"},
		{`hash: {alg: sha1, message: abc, headers: {X-S: "${signature}"}}`, "X-S", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{`hash: {alg: sha512, message: "", headers: {X-S: "${signature}"}}`, "X-S", "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
	} {
		req := outgoing(t, "GET", "https://example.com/", "", "")
		if err := apply1(req, signing(t, tt.sign, jefe, o)); err != nil {
			t.Errorf("%s: %v", tt.sign, err)
		}
		if got := req.Header.Get(tt.header); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.sign, got, tt.want)
		}
	}
	// What the message sees: a digest that does not hide it.
	for _, tt := range []struct{ formula, want string }{
		{"request.method", "PUT"},
		{"request.url", "https://example.com/a%2Fb?z=1&y=2&z=3"},
		{"request.host", "example.com"},
		{"request.path", "/a%2Fb"},
		{"request.query", "z=1&y=2&z=3"},
		{"request.params.z", "1,3"},
		{"join(sort(keys(request.params)), '+')", "y+z"},
		{"request.headers['content-type']", "text/plain"},
		{"request.body", "é"},
		{"string(request.size)", "2"},
		{"request.body_sha256", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"},
		{"string(request.timestamp)", "1700000000"},
		{"string(request.timestamp_ms)", "1700000000005"},
		{"request.date", "Tue, 14 Nov 2023 22:13:20 GMT"},
		{"request.time", "2023-11-14T22:13:20Z"},
		{"request.nonce", "n0nce"},
	} {
		req := outgoing(t, "PUT", "https://EXAMPLE.com:443/a%2Fb?z=1&y=2&z=3", "text/plain", "é")
		req.URL.Host = "example.com"
		r := signing(t, `hash: {alg: sha1, message: x, headers: {X-S: "${signature}", X-Seen: '${`+strings.ReplaceAll(tt.formula, "'", "''")+`}'}}`, jefe, o)
		if err := apply1(req, r); err != nil {
			t.Errorf("%s: %v", tt.formula, err)
		}
		if got := req.Header.Get("X-Seen"); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.formula, got, tt.want)
		}
	}
}

// TestASignatureCoversWhatBelongsToIt signs twice: what carries the signature is not a part of what is
// signed, what goes along with it is.
func TestASignatureCoversWhatBelongsToIt(t *testing.T) {
	o := occasion{at: time.Unix(1700000000, 0).UTC(), nonce: "n0nce"}
	const sign = `hash: {alg: sha256, message: "${request.query} ${request.headers['x-time']} ${request.headers['x-sig'] ?? 'none'}", ` +
		`headers: {X-Sig: "${signature}", X-Time: "${request.timestamp}"}, query: {nonce: "${request.nonce}", sig: "${signature}"}}`
	r := signing(t, sign, nil, o)
	req := outgoing(t, "GET", "https://example.com/?a=1&sig=old", "", "")
	for range 2 {
		if err := apply1(req, r); err != nil {
			t.Fatal(err)
		}
		if got := req.URL.Query(); req.URL.RawQuery != "a=1&nonce=n0nce&sig="+got.Get("sig") || got.Get("sig") != req.Header.Get("X-Sig") || len(got.Get("sig")) != 64 {
			t.Errorf("query %s, header %v", req.URL.RawQuery, req.Header)
		}
	}
	first := req.Header.Get("X-Sig")
	plain := signing(t, `hash: {alg: sha256, message: "a=1&nonce=n0nce 1700000000 none", headers: {X-Sig: "${signature}"}}`, nil, o)
	req = outgoing(t, "GET", "https://example.com/", "", "")
	if err := apply1(req, plain); err != nil || req.Header.Get("X-Sig") != first {
		t.Errorf("signed as %s, want %s; %v", first, req.Header.Get("X-Sig"), err)
	}
}

func TestATokenIsMadeForOneRequest(t *testing.T) {
	key := strings.Repeat("0123456789abcdef", 4)
	const sign = `jwt: {alg: HS256, key: "${after_first(fields.key, ':')}", key_encoding: hex, kid: "${before_first(fields.key, ':')}", claims: {aud: /admin/, uri: "${request.path}?${request.query}", sum: "${request.body_sha256}", jti: null}, lifetime: 2m, headers: {Authorization: "Ghost ${signature}"}}`
	r := signing(t, sign, map[string]string{"key": "key-1:" + key}, occasion{at: time.Now()})
	req := outgoing(t, "POST", "https://example.com/a/b?c=1", typeJSON, "{}")
	before := time.Now().Unix()
	for range 2 {
		if err := apply1(req, r); err != nil {
			t.Fatal(err)
		}
	}
	token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Ghost ")
	s, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.HS256})
	if !ok || err != nil {
		t.Fatalf("%q: %v", req.Header.Get("Authorization"), err)
	}
	secret, err := hex.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := s.Verify(secret)
	if err != nil || s.Signatures[0].Header.KeyID != "key-1" {
		t.Fatalf("header %+v: %v", s.Signatures[0].Header, err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	iat, exp := int64(claims["iat"].(float64)), int64(claims["exp"].(float64))
	if iat < before || iat > time.Now().Unix() || exp != iat+120 {
		t.Errorf("iat %d, exp %d", iat, exp)
	}
	delete(claims, "iat")
	delete(claims, "exp")
	want := map[string]any{"aud": "/admin/", "uri": "/a/b?c=1", "sum": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

// TestAKeyThatCannotSignIsAComplaintBeforeAnythingIsMadeOfIt connects with keys that only look right.
func TestAKeyThatCannotSignIsAComplaintBeforeAnythingIsMadeOfIt(t *testing.T) {
	for name, sign := range map[string]string{
		"hmac":   `hmac: {alg: sha256, key: "${fields.key}", key_encoding: hex, message: "${request.url}", headers: {X-S: "${signature}"}}`,
		"jwt":    `jwt: {alg: HS512, key: "${fields.key}", headers: {X-S: "${signature}"}}`,
		"oauth1": `oauth1: {consumer_key: "${fields.id}", private_key: "${fields.key}", method: RSA-SHA1}`,
	} {
		r := signing(t, sign, map[string]string{"key": "CANARY", "id": "me"}, occasion{at: time.Now()})
		_, _, err := Custom().Begin(t.Context(), r)
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Field != "key" || !strings.HasPrefix(f.Public, "Key is ") || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v, want a complaint about key", name, err)
		}
	}
}

func TestKeysThatAreNoneAreRefused(t *testing.T) {
	for name, tt := range map[string]struct{ encoding, key string }{
		"empty":         {"text", ""},
		"not hex":       {"hex", "CANARY"},
		"not base64":    {"base64", "CANARY%"},
		"nothing coded": {"base64", "=="},
	} {
		r := signing(t, `hmac: {alg: sha256, key: "${fields.key}", key_encoding: `+tt.encoding+`, message: x, headers: {X-S: "${signature}"}}`, map[string]string{"key": tt.key}, occasion{at: time.Now()})
		if err := apply1(outgoing(t, "GET", "https://example.com/", "", ""), r); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheBodyIsReadAndStays(t *testing.T) {
	r := signing(t, `hash: {alg: sha256, message: "${request.body}", headers: {X-S: "${signature}"}}`, nil, occasion{at: time.Now()})
	req := outgoing(t, "POST", "https://example.com/", "", "")
	req.Body, req.GetBody = io.NopCloser(bytes.NewReader([]byte("abc"))), nil // somebody else's stream
	if err := apply1(req, r); err != nil {
		t.Fatal(err)
	}
	if got := req.Header.Get("X-S"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("signed %s", got)
	}
	if got := read1(t, req); got != "abc" || req.ContentLength != 3 {
		t.Errorf("body = %q, %d bytes", got, req.ContentLength)
	}
	req.Body, req.GetBody = io.NopCloser(io.LimitReader(endless{}, maxBody+1)), nil
	if err := apply1(req, r); err == nil {
		t.Error("a body without end is read")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// apply1 puts a credential of what was typed on req.
func apply1(req *http.Request, r Request) error {
	return Custom().Apply(req, r, Credential{Fields: r.Fields, AccessToken: secret.New("")})
}

func read1(t *testing.T, req *http.Request) string {
	t.Helper()
	b, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
