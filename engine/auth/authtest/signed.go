package authtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

// sha256Algs are the algorithms that the suite can check, with how to make a key and how to verify. The
// longer digests differ in nothing that a Method decides.
var sha256Algs = map[string]struct {
	make   func() (crypto.Signer, error)
	verify func(public crypto.PublicKey, input string, signature []byte) bool
}{
	"RS256": {rsaKey, func(public crypto.PublicKey, input string, signature []byte) bool {
		sum := sha256.Sum256([]byte(input))
		return rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature) == nil
	}},
	"PS256": {rsaKey, func(public crypto.PublicKey, input string, signature []byte) bool {
		sum := sha256.Sum256([]byte(input))
		return rsa.VerifyPSS(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: 32}) == nil
	}},
	"ES256": {
		func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		func(public crypto.PublicKey, input string, signature []byte) bool {
			sum := sha256.Sum256([]byte(input))
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			return len(signature) == 64 && ecdsa.Verify(public.(*ecdsa.PublicKey), sum[:], r, s)
		},
	},
	"EdDSA": {
		func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
		func(public crypto.PublicKey, input string, signature []byte) bool {
			return ed25519.Verify(public.(ed25519.PublicKey), []byte(input), signature)
		},
	},
}

// rsaKey is made once: it takes a while.
var rsaKey = sync.OnceValues(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// giveKeys answers the questions for keys with keys that fit, and keeps their public halves.
func (b *bench) giveKeys(t *testing.T) {
	t.Helper()
	b.public = map[*definition.JWT]crypto.PublicKey{}
	for _, j := range b.request.Auth.JWTs() {
		alg, known := sha256Algs[j.Alg]
		if !known {
			continue // a shared secret, which the setting brings
		}
		key, err := alg.make()
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		// What stands before the first line of a PEM text is for people.
		text := Canary + "\n" + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		for _, asked := range b.request.Connector.Asked(b.request.Auth, &j.Key) {
			b.answers(asked)[asked.Field.Name] = secret.New(text)
			b.keys = append(b.keys, base64.StdEncoding.EncodeToString(der)[22:62])
		}
		b.public[j] = key.Public()
	}
	if b.request.Auth.TLS != nil {
		b.giveCertificate(t)
	}
}

// giveCertificate answers the questions for a client certificate and its key.
func (b *bench) giveCertificate(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for from, block := range map[*definition.Template]*pem.Block{
		&b.request.Auth.TLS.Certificate: {Type: "CERTIFICATE", Bytes: certificate}, &b.request.Auth.TLS.Key: {Type: "PRIVATE KEY", Bytes: der},
	} {
		asked := b.request.Connector.Asked(b.request.Auth, from)[0]
		b.answers(asked)[asked.Field.Name] = secret.New(Canary + "\n" + string(pem.EncodeToMemory(block)))
	}
	b.keys = append(b.keys, base64.StdEncoding.EncodeToString(der)[22:62])
}

// answers are those among which a key is.
func (b *bench) answers(asked definition.Asked) map[string]secret.Value {
	to := &b.request.Fields
	if asked.Root == "app" {
		to = &b.request.App.Fields
	}
	if *to == nil {
		*to = map[string]secret.Value{}
	}
	return *to
}

// clientSigned checks the authentication of a client that signs: with an assertion, or with a secret made
// anew, and with nothing beside it. It reports false for one that does not sign.
func (b *bench) clientSigned(t *testing.T, s *sent, got map[string]string, w wanted) bool {
	t.Helper()
	a := b.request.Auth
	id, key := b.client()
	standard := map[string]string{"iss": id, "sub": id, "aud": a.Token.URL.Source}
	what, text, j := "client_assertion", got["client_assertion"], a.ClientAssertion
	switch w.clientAuth {
	case definition.ClientAuthPrivateKeyJWT, definition.ClientAuthSecretJWT:
		if kind := got["client_assertion_type"]; kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			t.Errorf("client_assertion_type = %q", kind)
		}
		if s.Header.Get("Authorization") != "" {
			t.Error("there is an Authorization header beside the assertion")
		}
	case definition.ClientAuthHeader, definition.ClientAuthBody:
		if a.ClientSecret == nil {
			return false
		}
		what, text, j = "client_secret", got["client_secret"], a.ClientSecret
		if w.clientAuth == definition.ClientAuthHeader {
			user, password, _ := s.BasicAuth()
			if user != url.QueryEscape(id) || got["client_secret"] != "" {
				t.Errorf("the header is of %q, and the body has the secret %q", user, got["client_secret"])
			}
			text = password
		}
	default:
		return false
	}
	b.checkSigned(t, what, text, j, standard)
	if rest := s.body + s.URL.RawQuery; key != "" && strings.Contains(rest, url.QueryEscape(key)) {
		t.Error("the registered secret is sent as well")
	}
	return true
}

// checkSigned verifies a token that the client signed, and what RFC 7523 §3 wants in it unless the
// definition says otherwise.
func (b *bench) checkSigned(t *testing.T, what, text string, j *definition.JWT, standard map[string]string) {
	t.Helper()
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("%s is no signed token: %q", what, text)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	input := parts[0] + "." + parts[1]
	if public := b.public[j]; public != nil {
		if !sha256Algs[j.Alg].verify(public, input, signature) {
			t.Errorf("%s is not signed with the key", what)
		}
	} else {
		mac := hmac.New(sha256.New, []byte(b.shared(j)))
		mac.Write([]byte(input))
		if j.Alg != "HS256" || !hmac.Equal(mac.Sum(nil), signature) {
			t.Errorf("%s is not signed with the secret", what)
		}
	}
	header, claims := decoded(t, parts[0]), decoded(t, parts[1])
	if header["alg"] != j.Alg || header["typ"] != "JWT" {
		t.Errorf("%s: header %v", what, header)
	}
	for name, want := range standard {
		if own := ownClaims(j); !slices.Contains(own, name) && claims[name] != want {
			t.Errorf("%s: %s = %v, want %s", what, name, claims[name], want)
		}
	}
	iat, _ := claims["iat"].(float64)
	exp, _ := claims["exp"].(float64)
	if age := time.Since(time.Unix(int64(iat), 0)); age < -time.Second || age > time.Minute || time.Duration(exp-iat)*time.Second != time.Duration(j.Lifetime) {
		t.Errorf("%s: iat %v, exp %v, want now and %s later", what, claims["iat"], claims["exp"], time.Duration(j.Lifetime))
	}
	jti, _ := claims["jti"].(string)
	if len(jti) < 20 || slices.Contains(b.ids, jti) {
		t.Errorf("%s: jti %q is not a new one", what, jti)
	}
	b.ids = append(b.ids, jti)
}

// shared is the secret that signs j.
func (b *bench) shared(j *definition.JWT) string {
	for _, asked := range b.request.Connector.Asked(b.request.Auth, &j.Key) {
		return b.with.Fields[asked.Field.Name]
	}
	_, key := b.client()
	return key
}

func decoded(t *testing.T, part string) map[string]any {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func ownClaims(j *definition.JWT) []string {
	var out []string
	if j.Claims != nil {
		for name := range j.Claims.Members() {
			out = append(out, name)
		}
	}
	return out
}

// signs reports whether something of the method's is signed.
func signs(b *bench) bool { return len(b.request.Auth.JWTs()) > 0 }

// certified reports whether the client shows a certificate.
func certified(b *bench) bool { return b.request.Auth.TLS != nil }

// testUnfitCertificates gives certificates that cannot be shown: nothing may be sent, and what is said
// holds nothing of them.
func testUnfitCertificates(t *testing.T, b *bench) {
	for _, from := range []*definition.Template{&b.request.Auth.TLS.Certificate, &b.request.Auth.TLS.Key} {
		asked := b.request.Connector.Asked(b.request.Auth, from)[0]
		answers := b.answers(asked)
		good := answers[asked.Field.Name]
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(other)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"none": "", "neither": Canary + " neither", "cut off": good.Reveal()[:len(good.Reveal())/2],
			"another key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		} {
			answers[asked.Field.Name] = secret.New(text)
			_, err := b.obtain(t)
			if err == nil || strings.Contains(err.Error(), Canary) || len(b.provider.requests()) > 0 {
				t.Errorf("%s, %s: %v; %d requests were sent", asked.Field.Name, name, err, len(b.provider.requests()))
			}
		}
		answers[asked.Field.Name] = good
	}
}

// testUnfitKeys gives keys that cannot sign: nothing may be sent, and what is said holds nothing of them.
func testUnfitKeys(t *testing.T, b *bench) {
	for _, j := range b.request.Auth.JWTs() {
		for _, asked := range b.request.Connector.Asked(b.request.Auth, &j.Key) {
			answers := b.answers(asked)
			good := answers[asked.Field.Name]
			for name, key := range map[string]string{"none": "", "no key": Canary + " not a key", "cut off": good.Reveal()[:len(good.Reveal())/2]} {
				answers[asked.Field.Name] = secret.New(key)
				_, err := b.obtain(t)
				if err == nil || strings.Contains(err.Error(), Canary) || len(b.provider.requests()) > 0 {
					t.Errorf("%s: %v; %d requests were sent", name, err, len(b.provider.requests()))
				}
			}
			answers[asked.Field.Name] = good
		}
	}
}
