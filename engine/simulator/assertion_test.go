package simulator_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"dowel/engine/definition"
)

// defined is a catalog of one definition.
func defined(t *testing.T, id, source string) *definition.Catalog {
	t.Helper()
	catalog, findings, err := definition.Load(fstest.MapFS{id + ".yaml": {Data: []byte(source)}})
	if err != nil || definition.HasErrors(findings) {
		t.Fatal(err, findings)
	}
	return catalog
}

const robots = `
id: robots
name: Robots
hosts: [robots.example]
auth:
  - id: ec
    kind: oauth2_jwt_bearer
    fields: {key: {type: textarea, format: key}, who: {format: email}}
    assertion: {alg: ES256, key: "${fields.key}", kid: k1, claims: {iss: "${fields.who}", scope: read}}
    token: {url: https://robots.example/ec, client_auth: none}
  - id: rsa
    kind: oauth2_jwt_bearer
    fields: {key: {type: textarea, format: key}}
    assertion: {alg: RS256, key: "${fields.key}", claims: {iss: "${app.client_id}"}}
    token: {url: https://robots.example/rsa, client_auth: none}
  - id: shared
    kind: oauth2_jwt_bearer
    fields: {key: {type: password}, who: {}}
    assertion: {alg: HS256, key: "${fields.key}", claims: {iss: "${fields.who}"}}
    token: {url: https://robots.example/shared, client_auth: none}
test: {get: https://robots.example/me}
`

// token is a token as a test writes it, sound until it is changed.
type token struct {
	header, claims map[string]any
	sign           func(input []byte) []byte
	text           func(string) string // changes the whole
}

func (k token) String() string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	input := part(k.header) + "." + part(k.claims)
	out := input + "." + base64.RawURLEncoding.EncodeToString(k.sign([]byte(input)))
	if k.text != nil {
		out = k.text(out)
	}
	return out
}

func es256(key *ecdsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		r, s, _ := ecdsa.Sign(rand.Reader, key, sum[:])
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
}

func rs256(key *rsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		out, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		return out
	}
}

func hs256(secret string) func([]byte) []byte {
	return func(input []byte) []byte {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write(input)
		return m.Sum(nil)
	}
}

func pkix(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func p256(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// trade trades an assertion at one of the addresses.
func (c *client) trade(at, assertion string, more url.Values) reply {
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	maps.Copy(form, more)
	return c.send(request{method: http.MethodPost, url: "https://robots.example/" + at, form: form})
}

func TestAssertionsThatTheRFCsForbidAreRefused(t *testing.T) {
	c := newClientOf(t, defined(t, "robots", robots), "robots", tokenOptions)
	key, other := p256(t), p256(t)
	if err := c.sim.RegisterKey("robots", "robot@acme.example", pkix(t, key.Public())); err != nil {
		t.Fatal(err)
	}
	sound := func() token {
		now := time.Now()
		return token{
			header: map[string]any{"alg": "ES256", "kid": "k1", "typ": "JWT"},
			claims: map[string]any{
				"iss": "robot@acme.example", "scope": "read", "aud": "https://robots.example/ec", "jti": rand.Text(),
				"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
			},
			sign: es256(key),
		}
	}
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, tt := range []struct {
		name   string
		change func(*token)
		want   string // in the description; empty: accepted
	}{
		{"sound", func(*token) {}, ""},
		{"no jti", func(k *token) { delete(k.claims, "jti") }, ""},
		{"several audiences", func(k *token) { k.claims["aud"] = []string{"https://other.example", "https://robots.example/ec"} }, ""},
		{"a clock that is a little ahead", func(k *token) { k.claims["iat"] = at(30 * time.Second) }, ""},
		{"alg none", func(k *token) { k.header["alg"] = "none"; k.sign = func([]byte) []byte { return nil } }, "its alg is none"},
		{"another alg", func(k *token) { k.header["alg"] = "ES384" }, "only ES256 is accepted"},
		{"the public key as a shared secret", func(k *token) { k.header["alg"] = "HS256"; k.sign = hs256(pkix(t, key.Public())) }, "only ES256 is accepted"},
		{"somebody else's key", func(k *token) { k.sign = es256(other) }, "has made the signature"},
		{"a changed claim", func(k *token) {
			k.text = func(s string) string {
				parts := strings.Split(s, ".")
				k.claims["admin"] = true
				return parts[0] + "." + strings.Split(token{k.header, k.claims, k.sign, nil}.String(), ".")[1] + "." + parts[2]
			}
		}, "has made the signature"},
		{"a key of its own", func(k *token) { k.header["jwk"] = map[string]any{"kty": "EC"} }, "its header has jwk"},
		{"critical extensions", func(k *token) { k.header["crit"] = []string{"b64"} }, "its header has crit"},
		{"another key id", func(k *token) { k.header["kid"] = "k2" }, "no kid, or not what it should be"},
		{"another type", func(k *token) { k.header["typ"] = "at+jwt" }, "its typ is at+jwt"},
		{"two parts", func(k *token) { k.text = func(s string) string { return s[:strings.LastIndex(s, ".")] } }, "three parts"},
		{"padding", func(k *token) { k.text = func(s string) string { return s + "=" } }, "base64url"},
		{"no exp", func(k *token) { delete(k.claims, "exp") }, "it has no exp"},
		{"exp as a text", func(k *token) { k.claims["exp"] = "2030-01-01" }, "it has no exp"},
		{"expired", func(k *token) { k.claims["exp"] = at(-2 * time.Minute) }, "it has expired"},
		{"good for a week", func(k *token) { k.claims["exp"] = at(7 * 24 * time.Hour) }, "further ahead"},
		{"from the future", func(k *token) { k.claims["iat"] = at(5 * time.Minute) }, "its iat"},
		{"not yet", func(k *token) { k.claims["nbf"] = at(5 * time.Minute) }, "its nbf"},
		{"for another provider", func(k *token) { k.claims["aud"] = "https://other.example/ec" }, "its aud"},
		{"for another address", func(k *token) { k.claims["aud"] = "https://robots.example/rsa" }, "its aud"},
		{"for nobody", func(k *token) { delete(k.claims, "aud") }, "its aud"},
		{"another issuer", func(k *token) { k.claims["iss"] = "eve@acme.example" }, "no key that is registered for eve@acme.example"},
		{"no issuer", func(k *token) { delete(k.claims, "iss") }, "no key that is registered"},
		{"a claim that the provider wants", func(k *token) { delete(k.claims, "scope") }, "scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := sound()
			tt.change(&k)
			r := c.trade("ec", k.String(), nil)
			if tt.want == "" {
				if r.status != http.StatusOK || r.text1("access_token") == "" {
					t.Errorf("%d %s", r.status, r.text)
				}
				return
			}
			if r.status != http.StatusBadRequest || r.text1("error") != "invalid_grant" || !strings.Contains(r.text1("error_description"), tt.want) {
				t.Errorf("%d %s; want invalid_grant with %q", r.status, r.text, tt.want)
			}
		})
	}
	t.Run("shown twice", func(t *testing.T) {
		text := sound().String()
		if r := c.trade("ec", text, nil); r.status != http.StatusOK {
			t.Fatal(r.text)
		}
		if r := c.trade("ec", text, nil); r.text1("error") != "invalid_grant" || !strings.Contains(r.text, "shown before") {
			t.Errorf("%d %s", r.status, r.text)
		}
	})
	t.Run("a secret beside it", func(t *testing.T) {
		if r := c.trade("ec", sound().String(), url.Values{"client_secret": {"x"}}); r.text1("error") != "invalid_request" {
			t.Errorf("%d %s", r.status, r.text)
		}
	})
	t.Run("in the address", func(t *testing.T) {
		form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}}
		r := c.send(request{method: http.MethodPost, url: "https://robots.example/ec?assertion=" + sound().String(), form: form})
		if r.text1("error") != "invalid_request" {
			t.Errorf("%d %s", r.status, r.text)
		}
	})
}

func TestAPublicKeyIsNeverASharedSecret(t *testing.T) {
	c := newClientOf(t, defined(t, "robots", robots), "robots", tokenOptions)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := pkix(t, key.Public())
	if err := c.sim.RegisterKey("robots", "", public); err != nil {
		t.Fatal(err)
	}
	claims := func(iss, at string) map[string]any {
		now := time.Now().Unix()
		return map[string]any{"iss": iss, "aud": "https://robots.example/" + at, "iat": now, "exp": now + 60, "jti": rand.Text()}
	}
	forged := token{header: map[string]any{"alg": "HS256"}, claims: claims("acme", "shared"), sign: hs256(public)}
	if r := c.trade("shared", forged.String(), nil); r.text1("error") != "invalid_grant" {
		t.Errorf("signed with the public key: %d %s", r.status, r.text)
	}
	for name, tt := range map[string]struct {
		iss  string
		good bool
	}{"registered client": {appID, true}, "unknown client": {"nobody", false}} {
		k := token{header: map[string]any{"alg": "RS256"}, claims: claims(tt.iss, "rsa"), sign: rs256(key)}
		if r := c.trade("rsa", k.String(), nil); (r.status == http.StatusOK) != tt.good {
			t.Errorf("%s: %d %s", name, r.status, r.text)
		}
	}
}

func TestAKeyThatTheSimulatorGivesOutIsKnown(t *testing.T) {
	c := newClientOf(t, defined(t, "robots", robots), "robots", tokenOptions)
	resp, err := c.http.Get(c.base.String() + "/robots/_key")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("no key: %d %s", resp.StatusCode, text)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	k := token{
		header: map[string]any{"alg": "ES256", "kid": "k1"},
		claims: map[string]any{"iss": "robot@acme.example", "scope": "read", "aud": "https://robots.example/ec", "exp": now + 60},
		sign:   es256(private.(*ecdsa.PrivateKey)),
	}
	if r := c.trade("ec", k.String(), nil); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.text)
	}
}

const signers = `
id: robots
name: Robots
hosts: [robots.example]
auth:
  - id: key
    kind: oauth2_client_credentials
    client_assertion: {alg: ES256}
    scopes: {default: [read]}
    token: {url: https://robots.example/key, client_auth: private_key_jwt}
  - id: secret
    kind: oauth2_client_credentials
    client_assertion: {alg: HS256}
    scopes: {default: [read]}
    token: {url: https://robots.example/secret, client_auth: client_secret_jwt}
  - id: minted
    kind: oauth2_client_credentials
    app_fields: {team: {label: Team}, private_key: {type: textarea, format: key}}
    client_secret: {alg: ES256, claims: {iss: "${app.team}", aud: https://robots.example}}
    scopes: {default: [read]}
    token: {url: https://robots.example/minted, client_auth: body}
test: {get: https://robots.example/me}
`

func TestClientAssertionsThatTheRFCsForbidAreRefused(t *testing.T) {
	const long = "a secret of the app that is long enough"
	c := newClientOf(t, defined(t, "robots", signers), "robots", tokenOptions)
	c.sim.Register("robots", "signer", long, redirectURI)
	c.sim.Register("robots", "other", "another secret that is long enough", redirectURI)
	c.sim.RegisterFields("robots", "signer", map[string]string{"team": "T1"})
	key, other := p256(t), p256(t)
	if err := c.sim.RegisterKey("robots", "signer", pkix(t, key.Public())); err != nil {
		t.Fatal(err)
	}
	if err := c.sim.RegisterKey("robots", "other", pkix(t, other.Public())); err != nil {
		t.Fatal(err)
	}
	assertion := func(alg, at string, sign func([]byte) []byte) token {
		now := time.Now().Unix()
		return token{header: map[string]any{"alg": alg}, sign: sign, claims: map[string]any{
			"iss": "signer", "sub": "signer", "aud": "https://robots.example/" + at, "jti": rand.Text(), "iat": now, "exp": now + 60,
		}}
	}
	form := func(text string, more ...string) url.Values {
		v := url.Values{
			"grant_type": {"client_credentials"}, "scope": {"read"}, "client_id": {"signer"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {text},
		}
		for i := 0; i < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	minted := func(change func(*token)) url.Values {
		k := assertion("ES256", "", es256(key))
		k.claims["iss"], k.claims["aud"] = "T1", "https://robots.example"
		change(&k)
		return url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}, "client_id": {"signer"}, "client_secret": {k.String()}}
	}
	signed := func(change func(*token)) url.Values {
		k := assertion("ES256", "key", es256(key))
		change(&k)
		return form(k.String())
	}
	for _, tt := range []struct {
		name, at string
		form     url.Values
		want     string // the error and a part of its description; empty: accepted
	}{
		{"a key", "key", signed(func(*token) {}), ""},
		{"a key, the client named by the assertion alone", "key", form(assertion("ES256", "key", es256(key)).String(), "client_id", ""), ""},
		{"a secret", "secret", form(assertion("HS256", "secret", hs256(long)).String()), ""},
		{"a minted secret", "minted", minted(func(*token) {}), ""},
		{"a minted secret for months", "minted", minted(func(k *token) { k.claims["exp"] = time.Now().Add(180 * 24 * time.Hour).Unix() }), ""},
		{"a secret beside the assertion", "key", form(assertion("ES256", "key", es256(key)).String(), "client_secret", long), "invalid_request nothing else"},
		{"no type", "key", form(assertion("ES256", "key", es256(key)).String(), "client_assertion_type", ""), "invalid_client client_assertion_type"},
		{"no assertion", "key", form(""), "invalid_client is missing"},
		{"another client's key", "key", form(assertion("ES256", "key", es256(other)).String()), "invalid_client has made the signature"},
		{"about another client", "key", signed(func(k *token) { k.claims["sub"] = "other" }), "invalid_client its sub"},
		{"from another client", "key", signed(func(k *token) { k.claims["iss"] = "other" }), "invalid_client its iss"},
		{"for another address", "key", signed(func(k *token) { k.claims["aud"] = "https://robots.example/secret" }), "invalid_client its aud"},
		{"alg none", "key", signed(func(k *token) { k.header["alg"] = "none" }), "invalid_client its alg is none"},
		{"another secret", "secret", form(assertion("HS256", "secret", hs256("another secret that is long enough")).String()), "invalid_client has made the signature"},
		{"the key where the secret signs", "secret", form(assertion("ES256", "secret", es256(key)).String()), "invalid_client only HS256"},
		{"the registered secret itself", "minted", url.Values{"grant_type": {"client_credentials"}, "client_id": {"signer"}, "client_secret": {long}}, "invalid_client three parts"},
		{"a minted secret for a year", "minted", minted(func(k *token) { k.claims["exp"] = time.Now().Add(365 * 24 * time.Hour).Unix() }), "invalid_client further ahead"},
		{"a minted secret about another client", "minted", minted(func(k *token) { k.claims["sub"] = "other" }), "invalid_client its sub"},
		{"a minted secret for another provider", "minted", minted(func(k *token) { k.claims["aud"] = "https://other.example" }), "invalid_client aud"},
		{"a minted secret of another team", "minted", minted(func(k *token) { k.claims["iss"] = "T2" }), "invalid_client team"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := c.send(request{method: http.MethodPost, url: "https://robots.example/" + tt.at, form: tt.form})
			code, part, _ := strings.Cut(tt.want, " ")
			if r.text1("error") != code || !strings.Contains(r.text1("error_description"), part) || (r.text1("access_token") != "") != (code == "") {
				t.Errorf("%d %s; want %s", r.status, r.text, tt.want)
			}
		})
	}
}
