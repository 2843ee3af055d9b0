package simulator_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dowel/engine/definition"
)

func hmacOf(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

const netsuiteAPI = "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/record/v1/metadata-catalog"

// tba signs a GET request as Oracle documents it for token-based authentication.
func tba(realm, address string, query, params map[string]string, key string) request {
	all := maps.Clone(params)
	maps.Copy(all, query)
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, name+"="+url.PathEscape(all[name]))
	}
	base := "GET&" + url.QueryEscape(address) + "&" + url.QueryEscape(strings.Join(pairs, "&"))
	header := fmt.Sprintf(`OAuth realm="%s"`, realm)
	for name, v := range params {
		header += fmt.Sprintf(`,%s="%s"`, name, url.PathEscape(v))
	}
	header += `,oauth_signature="` + url.QueryEscape(base64.StdEncoding.EncodeToString(hmacOf([]byte(key), base))) + `"`
	values := url.Values{}
	for name, v := range query {
		values.Set(name, v)
	}
	if len(values) > 0 {
		address += "?" + values.Encode()
	}
	return request{url: address, header: map[string]string{"Authorization": header}}
}

func TestOAuth1CallsAreVerified(t *testing.T) {
	c := newClient(t, "netsuite", tokenOptions)
	c.sim.Know("netsuite", map[string]string{"account_id": "1234567_SB1", "consumer_key": "ck", "consumer_secret": "c s", "token_id": "tk", "token_secret": "t&s"})
	const key = "c%20s&t%26s"
	params := func(changes map[string]string) map[string]string {
		m := map[string]string{
			"oauth_consumer_key": "ck", "oauth_token": "tk", "oauth_signature_method": "HMAC-SHA256",
			"oauth_timestamp": strconv.FormatInt(time.Now().Unix(), 10), "oauth_nonce": rand.Text(),
		}
		for k, v := range changes {
			if m[k] = v; v == "" {
				delete(m, k)
			}
		}
		return m
	}
	good := tba("1234567_SB1", netsuiteAPI, map[string]string{"limit": "1"}, params(map[string]string{"oauth_version": "1.0"}), key)
	old := strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)
	twice := tba("1234567_SB1", netsuiteAPI, nil, params(nil), key)
	twice.url += "?oauth_nonce=another1"
	moved := tba("1234567_SB1", netsuiteAPI, map[string]string{"limit": "1"}, params(nil), key)
	moved.url = strings.Replace(moved.url, "limit=1", "limit=2", 1)
	other := tba("1234567_SB1", netsuiteAPI, nil, params(nil), key)
	other.method = "DELETE"
	for _, tt := range []struct {
		name string
		call request
		want int
	}{
		{"signed", good, 200},
		{"the same again", good, 401},
		{"without oauth_version", tba("1234567_SB1", netsuiteAPI, nil, params(nil), key), 200},
		{"oauth_version 2.0", tba("1234567_SB1", netsuiteAPI, nil, params(map[string]string{"oauth_version": "2.0"}), key), 401},
		{"another realm", tba("1234567", netsuiteAPI, nil, params(nil), key), 401},
		{"another method of signing", tba("1234567_SB1", netsuiteAPI, nil, params(map[string]string{"oauth_signature_method": "HMAC-SHA1"}), key), 401},
		{"PLAINTEXT", request{url: netsuiteAPI, header: map[string]string{"Authorization": `OAuth realm="1234567_SB1",oauth_consumer_key="ck",oauth_token="tk",oauth_signature_method="PLAINTEXT",oauth_signature="c%2520s%26t%2526s"`}}, 401},
		{"another secret", tba("1234567_SB1", netsuiteAPI, nil, params(nil), "c%20s&other"), 401},
		{"another token", tba("1234567_SB1", netsuiteAPI, nil, params(map[string]string{"oauth_token": "tx"}), key), 401},
		{"an old request", tba("1234567_SB1", netsuiteAPI, nil, params(map[string]string{"oauth_timestamp": old}), key), 401},
		{"no nonce", tba("1234567_SB1", netsuiteAPI, nil, params(map[string]string{"oauth_nonce": ""}), key), 401},
		{"no timestamp", tba("1234567_SB1", netsuiteAPI, nil, params(map[string]string{"oauth_timestamp": ""}), key), 401},
		{"a parameter in two places", twice, 401},
		{"another query", moved, 401},
		{"another verb", other, 401},
		{"not signed", request{url: netsuiteAPI}, 401},
		{"a token without a signature", request{url: netsuiteAPI, header: map[string]string{"Authorization": "Bearer tk"}}, 401},
	} {
		if r := c.send(tt.call); r.status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, r.status, r.text, tt.want)
		}
	}
}

// sts signs GetCallerIdentity as the AWS documentation's steps say.
func sts(at time.Time, region, secret, session string) request {
	stamp, date := at.UTC().Format("20060102T150405Z"), at.UTC().Format("20060102")
	headers := map[string]string{"host": "sts.us-east-1.amazonaws.com", "x-amz-date": stamp}
	if session != "" {
		headers["x-amz-security-token"] = session
	}
	names := slices.Sorted(maps.Keys(headers))
	canonical := "GET\n/\nAction=GetCallerIdentity&Version=2011-06-15\n"
	for _, n := range names {
		canonical += n + ":" + headers[n] + "\n"
	}
	canonical += "\n" + strings.Join(names, ";") + "\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	sum := sha256.Sum256([]byte(canonical))
	scope := date + "/" + region + "/sts/aws4_request"
	key := hmacOf(hmacOf(hmacOf(hmacOf([]byte("AWS4"+secret), date), region), "sts"), "aws4_request")
	signature := hex.EncodeToString(hmacOf(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
	delete(headers, "host")
	headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/" + scope + ", SignedHeaders=" + strings.Join(names, ";") + ", Signature=" + signature
	return request{url: "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15", header: headers}
}

// A login that shows its secret by a signature, and not the secret.
func TestASignedLoginIsVerified(t *testing.T) {
	k, findings := definition.Parse("vault.yaml", []byte(`id: vault
name: Vault
hosts: [vault.example.com]
auth:
  - id: key
    kind: custom
    fields:
      id: {label: ID}
      key: {label: Key, type: password}
    login:
      - id: open
        request: {post: https://vault.example.com/session}
        sign:
          hmac:
            alg: sha256
            key: ${fields.key}
            message: ${request.method} ${request.path} ${request.timestamp}
            headers: {X-Time: "${request.timestamp}", X-Key: "${fields.id}", X-Signature: "${signature}"}
        credential: {session: response.body.session}
    apply: {headers: {X-Session: "${credential.session}"}}
api: {base_url: https://vault.example.com}
test: {get: /me}
`))
	if k == nil {
		t.Fatal(findings)
	}
	c := newClientOf(t, definition.NewCatalog([]*definition.Connector{k}), "vault", tokenOptions)
	login := func(at time.Time, secret string) request {
		stamp := strconv.FormatInt(at.Unix(), 10)
		mark := hex.EncodeToString(hmacOf([]byte(secret), "POST /session "+stamp))
		return request{method: "POST", url: "https://vault.example.com/session", header: map[string]string{"X-Time": stamp, "X-Key": "ana", "X-Signature": mark}}
	}
	for name, call := range map[string]request{
		"not signed":     {method: "POST", url: "https://vault.example.com/session", header: map[string]string{"X-Key": "ana"}},
		"another secret": login(time.Now(), "other"),
		"yesterday":      login(time.Now().Add(-24*time.Hour), "secret"),
	} {
		if r := c.send(call); r.status != http.StatusUnauthorized || r.at("session") != nil {
			t.Errorf("%s: %d %s", name, r.status, r.text)
		}
	}
	session, _ := c.send(login(time.Now(), "secret")).at("session").(string)
	if r := c.send(request{url: "https://vault.example.com/me", header: map[string]string{"X-Session": session}}); r.status != http.StatusOK {
		t.Errorf("a call with the session %q: %d %s", session, r.status, r.text)
	}
}

func TestAWSCallsAreVerified(t *testing.T) {
	c := newClient(t, "aws", tokenOptions)
	c.sim.Know("aws", map[string]string{"region": "us-east-1", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s3cret/+"})
	c.sim.Know("aws", map[string]string{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "temporary", "session_token": "session"})
	now := time.Now()
	with := func(q request, name, value string) request {
		q.header[name] = value
		return q
	}
	for _, tt := range []struct {
		name string
		call request
		want int
	}{
		{"signed", sts(now, "us-east-1", "s3cret/+", ""), 200},
		{"of a session", sts(now, "us-east-1", "temporary", "session"), 200},
		{"of another session", sts(now, "us-east-1", "temporary", "other"), 401},
		{"another secret", sts(now, "us-east-1", "other", ""), 401},
		{"another region", sts(now, "eu-west-1", "s3cret/+", ""), 401},
		{"yesterday", sts(now.Add(-24*time.Hour), "us-east-1", "s3cret/+", ""), 401},
		{"a date of one's own", with(sts(now, "us-east-1", "s3cret/+", ""), "x-amz-date", now.UTC().Add(time.Minute).Format("20060102T150405Z")), 401},
		{"a header of Amazon's that is not signed", with(sts(now, "us-east-1", "s3cret/+", ""), "x-amz-meta", "x"), 401},
		{"another payload", with(sts(now, "us-east-1", "s3cret/+", ""), "x-amz-content-sha256", strings.Repeat("0", 64)), 401},
		{"not signed", request{url: "https://sts.us-east-1.amazonaws.com/"}, 401},
	} {
		r := c.send(tt.call)
		if r.status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, r.status, r.text, tt.want)
		}
		if arn := r.at("GetCallerIdentityResponse.GetCallerIdentityResult.UserId"); tt.want == 200 && arn != "1001" {
			t.Errorf("%s: %s", tt.name, r.text)
		}
	}
}

func TestWSSECallsAreVerified(t *testing.T) {
	c := newClient(t, "emarsys", tokenOptions)
	c.sim.Know("emarsys", map[string]string{"username": "acme001", "secret": "s3cret"})
	token := func(nonce string, at time.Time, secret string) request {
		created := at.UTC().Format("2006-01-02T15:04:05Z")
		sum := sha1.Sum([]byte(nonce + created + secret))
		digest := base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(sum[:])))
		return request{url: "https://api.emarsys.net/api/v2/settings", header: map[string]string{
			"X-WSSE": fmt.Sprintf(`UsernameToken Username="acme001", PasswordDigest="%s", Nonce="%s", Created="%s"`, digest, nonce, created),
		}}
	}
	now := time.Now()
	for _, tt := range []struct {
		name string
		call request
		want int
	}{
		{"signed", token("0123456789abcdef", now, "s3cret"), 200},
		{"the nonce again", token("0123456789abcdef", now, "s3cret"), 401},
		{"another secret", token("0123456789abcdee", now, "other"), 401},
		{"an hour ago", token("0123456789abcded", now.Add(-time.Hour), "s3cret"), 401},
		{"a short nonce", token("1", now, "s3cret"), 401},
		{"the secret itself", request{url: "https://api.emarsys.net/api/v2/settings", header: map[string]string{"X-WSSE": `UsernameToken Username="acme001", Password="s3cret"`}}, 401},
	} {
		if r := c.send(tt.call); r.status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, r.status, r.text, tt.want)
		}
	}
}

// TestWithoutAnybodyKnownTheConventionalSecretSigns is dev mode, where a person types what they like.
func TestWithoutAnybodyKnownTheConventionalSecretSigns(t *testing.T) {
	c := newClient(t, "aws", tokenOptions)
	if r := c.send(sts(time.Now(), "us-east-1", "secret", "")); r.status != 200 {
		t.Errorf("the conventional secret: %d %s", r.status, r.text)
	}
	r := c.send(sts(time.Now(), "us-east-1", "what I have", ""))
	if said, _ := r.at("Error.Message").(string); r.status != 401 || !strings.Contains(said, "“secret”") {
		t.Errorf("another: %d %s; want it to say which secret is known", r.status, r.text)
	}
}

// TestAKeyThatIsGivenOutSignsRequests is dev mode for methods that sign with a private key.
func TestAKeyThatIsGivenOutSignsRequests(t *testing.T) {
	c := newClient(t, "wechat-pay", tokenOptions)
	const at = "https://api.mch.weixin.qq.com/v3/certificates"
	call := func(key *rsa.PrivateKey, nonce, message string) request {
		sum := sha256.Sum256([]byte(message))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		stamp := strings.Split(message, "\n")[2]
		return request{url: at, header: map[string]string{"Authorization": fmt.Sprintf(
			`WECHATPAY2-SHA256-RSA2048 mchid="1900009191",nonce_str="%s",signature="%s",timestamp="%s",serial_no="1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"`,
			nonce, base64.StdEncoding.EncodeToString(signature), stamp)}}
	}
	message := func(path, nonce string, at time.Time) string {
		return "GET\n" + path + "\n" + strconv.FormatInt(at.Unix(), 10) + "\n" + nonce + "\n\n"
	}
	strange, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	nobody := c.send(call(strange, "a", message("/v3/certificates", "a", time.Now())))
	if nobody.status != 401 || !strings.Contains(nobody.text, "/wechat-pay/_key?method=key") {
		t.Errorf("a key that is not known: %d %s; want it to say where there is one", nobody.status, nobody.text)
	}
	given := c.send(request{url: c.base.String() + "/wechat-pay/_key?method=key"})
	block, _ := pem.Decode([]byte(given.text))
	if block == nil {
		t.Fatalf("the key that is given out: %d %s", given.status, given.text)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		t.Fatalf("%T, %v; want an RSA key", parsed, err)
	}
	good := call(key, "b", message("/v3/certificates", "b", time.Now()))
	for _, tt := range []struct {
		name string
		call request
		want int
	}{
		{"signed", good, 200},
		{"the same again", good, 401},
		{"another key", call(strange, "c", message("/v3/certificates", "c", time.Now())), 401},
		{"another path", call(key, "d", message("/v3/other", "d", time.Now())), 401},
		{"another nonce", call(key, "e", message("/v3/certificates", "f", time.Now())), 401},
		{"an old request", call(key, "g", message("/v3/certificates", "g", time.Now().Add(-time.Hour))), 401},
		{"not signed", request{url: at}, 401},
	} {
		if r := c.send(tt.call); r.status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, r.status, r.text, tt.want)
		}
	}
}
