package auth_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// robot is a definition that signs with alg; more are further members of the assertion.
func robot(alg, more string) string {
	kind := "{label: Signing key, type: textarea, format: key}"
	if strings.HasPrefix(alg, "HS") {
		kind = "{label: Signing key, type: password}"
	}
	return `
id: acme
name: Acme
hosts: [acme.example]
auth:
  - id: robot
    kind: oauth2_jwt_bearer
    fields: {key: ` + kind + `, user: {required: false}}
    assertion: {alg: ` + alg + `, key: "${fields.key}"` + more + `}
    token: {url: https://acme.example/token, client_auth: none}
test: none
`
}

const tokenAnswer = `{"access_token": "CANARY-1", "expires_in": 60}`

// asserted connects with a key and returns the assertion that was sent, taken apart.
func asserted(t *testing.T, definition, key string, more map[string]string) (header, claims map[string]any, parts []string, err error) {
	t.Helper()
	r, p := connect(t, definition, map[string]string{"POST https://acme.example/token": tokenAnswer})
	r.Fields = auth.Values(more)
	if r.Fields == nil {
		r.Fields = map[string]secret.Value{}
	}
	r.Fields["key"] = secret.New(key)
	_, _, err = auth.JWTBearer().Begin(t.Context(), r)
	sent := p.requests()
	if err != nil {
		if len(sent) > 0 {
			t.Errorf("sent %v although it failed: %v", sent, err)
		}
		return nil, nil, nil, err
	}
	_, body, _ := strings.Cut(sent[0], " | ")
	form, err := url.ParseQuery(body)
	if err != nil {
		t.Fatal(err)
	}
	parts = strings.Split(form.Get("assertion"), ".")
	for i, into := range []*map[string]any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims, parts, nil
}

// The forms in which people have private keys.
func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func pkcs1(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func sec1(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func jwk(t *testing.T, key any) string {
	t.Helper()
	b, err := json.Marshal(jose.JSONWebKey{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func publicPEM(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeysSignInEveryFormPeopleHaveThemIn(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256, p384, p521 := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384()), ecKey(t, elliptic.P521())
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	word := strings.Repeat("0123456789abcdef", 5)
	params := "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
	for _, tt := range []struct {
		name, alg, more, key string
		verify               any
	}{
		{"PKCS #8", "RS256", "", pkcs8(t, rsaKey), rsaKey.Public()},
		{"PKCS #1", "RS512", "", pkcs1(rsaKey), rsaKey.Public()},
		{"line breaks of a JSON file", "RS384", "", strings.ReplaceAll(pkcs8(t, rsaKey), "\n", `\n`), rsaKey.Public()},
		{"line breaks of Windows", "PS256", "", strings.ReplaceAll(pkcs8(t, rsaKey), "\n", "\r\n"), rsaKey.Public()},
		{"JWK", "PS384", "", jwk(t, rsaKey), rsaKey.Public()},
		{"words around it", "PS512", "", "Our key:\n" + pkcs1(rsaKey) + "\nkeep it safe\n", rsaKey.Public()},
		{"SEC 1 after its parameters", "ES256", "", params + sec1(t, p256), p256.Public()},
		{"P-384", "ES384", "", pkcs8(t, p384), p384.Public()},
		{"P-521 as JWK", "ES512", "", jwk(t, p521), p521.Public()},
		{"Ed25519", "EdDSA", "", pkcs8(t, ed), ed.Public()},
		{"Ed25519 as JWK", "EdDSA", "", jwk(t, ed), ed.Public()},
		{"text", "HS256", "", word, []byte(word)},
		{"hex", "HS256", ", key_encoding: hex", word, unhex(word)},
		{"base64", "HS384", ", key_encoding: base64", base64.StdEncoding.EncodeToString([]byte(word)), []byte(word)},
		{"base64url without padding", "HS512", ", key_encoding: base64", base64.RawURLEncoding.EncodeToString([]byte(word)), []byte(word)},
		{"octets as JWK", "HS256", "", jwk(t, []byte(word)), []byte(word)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header, _, parts, err := asserted(t, robot(tt.alg, tt.more), tt.key, nil)
			if err != nil {
				t.Fatal(err)
			}
			if header["alg"] != tt.alg {
				t.Errorf("header = %v", header)
			}
			s, err := jose.ParseSigned(strings.Join(parts, "."), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(tt.alg)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Verify(tt.verify); err != nil {
				t.Error(err)
			}
		})
	}
}

func unhex(s string) []byte {
	b, _ := hex.DecodeString(s)
	return b
}

func TestAKeyThatCannotSignIsAComplaintAboutItsField(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p256 := ecKey(t, elliptic.P256())
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: p256.Public()}
	publicJWK, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, alg, more, key, want string }{
		{"nothing", "RS256", "", "", "Signing key is required"},
		{"a word", "RS256", "", "CANARY", "Signing key is not in PEM form"},
		{"a small key", "RS256", "", pkcs8(t, small), "Signing key is an RSA key of 1024 bits; at least 2048 are needed"},
		{"another kind", "RS256", "", pkcs8(t, p256), "Signing key is an EC key on P-256, and RS256 signs with an RSA key"},
		{"another curve", "ES384", "", sec1(t, p256), "Signing key is an EC key on P-256, and ES384 signs with an EC key on P-384"},
		{"not Ed25519", "EdDSA", "", pkcs8(t, p256), "Signing key is an EC key on P-256, and EdDSA signs with an Ed25519 key"},
		{"Ed25519", "ES256", "", pkcs8(t, ed), "Signing key is an Ed25519 key, and ES256 signs with an EC key on P-256"},
		{"a public key", "ES256", "", publicPEM(t, p256), "Signing key is a public key and not the private one"},
		{"a public JWK", "ES256", "", string(publicJWK), "Signing key is a public key and not the private one"},
		{"a certificate", "ES256", "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "Signing key is a certificate and not its private key"},
		{"a passphrase", "ES256", "", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "Signing key is protected by a passphrase; take it off first"},
		{"an old passphrase", "RS256", "", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "Signing key is protected by a passphrase; take it off first"},
		{"cut off", "ES256", "", "-----BEGIN PRIVATE KEY-----\nAAAA\n", "Signing key is cut off or damaged; copy the whole of it, with its line breaks"},
		{"damaged", "ES256", "", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "Signing key is damaged, or a key of a kind that is not known"},
		{"no JWK", "ES256", "", `{"kty": "EC"}`, "Signing key is neither in PEM form nor a JWK that can be read"},
		{"a short secret", "HS256", "", "CANARY of 30 bytes is too short", "Signing key is too short: HS256 signs with at least 32 bytes"},
		{"no hex", "HS256", ", key_encoding: hex", "CANARY", "Signing key is not written in hex"},
		{"no base64", "HS256", ", key_encoding: base64", "CANARY!", "Signing key is not written in base64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, _, err := asserted(t, robot(tt.alg, tt.more), tt.key, nil)
			f := fault.As(err)
			if f == nil || f.Kind != fault.Invalid || f.Field != "key" || f.Public != tt.want {
				t.Fatalf("error %v, want a complaint about key: %s", err, tt.want)
			}
		})
	}
}

func TestClaimsAreAsTheDefinitionSays(t *testing.T) {
	key := pkcs8(t, ecKey(t, elliptic.P256()))
	for _, tt := range []struct {
		name, more string
		fields     map[string]string
		header     map[string]any
		claims     map[string]any // those that are not a matter of time or chance
		absent     []string
	}{
		{
			"nothing said", "", nil,
			map[string]any{"alg": "ES256", "typ": "JWT"},
			map[string]any{"iss": "client", "aud": "https://acme.example/token"},
			[]string{"sub", "nbf"},
		},
		{
			"laid over", `, kid: k1, header: {typ: null, x5t: "${sha1(fields.user)}"}, claims: {iss: "${fields.user}", aud: [a, "${fields.user}"], n: 1, on: true, deep: {scope: "${split('a b', ' ')}"}}`,
			map[string]string{"user": "ana"},
			map[string]any{"alg": "ES256", "kid": "k1", "x5t": "72019bbac0b3dac88beac9ddfef0ca808919104f"},
			map[string]any{"iss": "ana", "aud": []any{"a", "ana"}, "n": json.Number("1"), "on": true, "deep": map[string]any{"scope": []any{"a", "b"}}},
			nil,
		},
		{
			"taken away", `, claims: {iss: null, aud: null, jti: null, sub: "${fields.user}", name: "${fields.user ?? ''}"}`, nil,
			map[string]any{"alg": "ES256", "typ": "JWT"},
			map[string]any{},
			[]string{"iss", "aud", "jti", "sub", "name"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header, claims, _, err := asserted(t, robot("ES256", tt.more), key, tt.fields)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.header, header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			for _, name := range tt.absent {
				if v, there := claims[name]; there {
					t.Errorf("%s = %v is there", name, v)
				}
			}
			for _, name := range []string{"iat", "exp", "jti"} {
				delete(claims, name)
			}
			if diff := cmp.Diff(tt.claims, claims); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
}
