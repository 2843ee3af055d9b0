package auth_test

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
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"dowel/engine/auth"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

const openID = `
id: acme
name: Acme
hosts: [id.example.com]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: https://id.example.com/authorize}
    token: {url: https://id.example.com/token, client_auth: body}
    id_token: {issuer: "https://id.example.com/t/${id_token.tid}", jwks_url: "https://id.example.com/keys", algs: [RS256, ES256]}
    revoke: none
identity: {from: id_token, subject: response.body.sub, email: id_token.email, name: fromJSON(callback.query.user).name}
`

// The keys of the provider and of somebody else.
var (
	theirKey = sync.OnceValue(func() *rsa.PrivateKey { return newRSA() })
	evilKey  = sync.OnceValue(func() *rsa.PrivateKey { return newRSA() })
	theirEC  = sync.OnceValue(func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	})
)

func newRSA() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

type claims = map[string]any

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func segment(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b64(b)
}

// sign makes a token without any library, so that none of its opinions stand between the test and the
// verification.
func sign(head claims, payload string, key any) string {
	input := segment(head) + "." + payload
	sum := sha256.Sum256([]byte(input))
	var signature []byte
	switch key := key.(type) {
	case *rsa.PrivateKey:
		signature, _ = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	case *ecdsa.PrivateKey:
		r, s, _ := ecdsa.Sign(rand.Reader, key, sum[:])
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case []byte:
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(input))
		signature = mac.Sum(nil)
	}
	return input + "." + b64(signature)
}

func rsaJWK(kid string, k *rsa.PrivateKey, more claims) claims {
	out := claims{"kty": "RSA", "kid": kid, "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
	maps.Copy(out, more)
	return out
}

func keySet(keys ...claims) string { return object("keys", keys) }

// theirKeys is the key set with decoys: a shared secret, a key for encryption with the same name, a kind
// nobody knows.
func theirKeys() string {
	ec := theirEC().PublicKey
	point, _ := ec.Bytes()
	return keySet(
		claims{"kty": "oct", "kid": "rsa", "k": b64([]byte("a shared secret of at least 32 bytes"))}, claims{"kty": "NEW", "kid": "rsa"},
		rsaJWK("rsa", evilKey(), claims{"use": "enc"}), rsaJWK("rsa", theirKey(), claims{"use": "sig", "alg": "RS256"}),
		claims{"kty": "EC", "kid": "ec", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
	)
}

func goodClaims(nonce string) claims {
	now := time.Now()
	return claims{
		"iss": "https://id.example.com/t/t1", "tid": "t1", "aud": "client", "sub": "u1", "email": "ana@example.com", "nonce": nonce,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// proveWith runs a flow that is answered with the ID token that make makes of the nonce.
func proveWith(t *testing.T, r auth.Request, p *provider, make func(nonce string) string) (auth.Done, error) {
	t.Helper()
	m := methodOf(t, r)
	step, pending, err := m.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	nonce := step.(auth.Redirect).URL.Query().Get("nonce")
	if len(nonce) < 43 || nonce != pending.Nonce || nonce == pending.State || nonce == pending.Verifier {
		t.Fatalf("nonce %q", nonce)
	}
	answer := claims{"access_token": "CANARY-access"}
	if token := make(nonce); token != "" {
		answer["id_token"] = token
	}
	p.mu.Lock()
	p.answers["POST https://id.example.com/token"] = segmentless(answer)
	p.mu.Unlock()
	step, err = m.Complete(t.Context(), r, pending, auth.Answer{Query: map[string][]string{"code": {"c"}, "user": {`{"name":"Ana"}`}}})
	done, _ := step.(auth.Done)
	return done, err
}

func segmentless(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestIDTokensAreVerified(t *testing.T) {
	rs, es := claims{"alg": "RS256", "kid": "rsa"}, claims{"alg": "ES256", "kid": "ec"}
	half := func(s string) string { sum := sha256.Sum256([]byte(s)); return b64(sum[:16]) }
	der, err := x509.MarshalPKIXPublicKey(&theirKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	// with changes one claim; without takes one away.
	with := func(name string, v any) func(claims) { return func(c claims) { c[name] = v } }
	without := func(name string) func(claims) { return func(c claims) { delete(c, name) } }
	soon := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, tt := range []struct {
		name   string
		head   claims
		change func(claims)
		key    any
		good   bool
	}{
		{"as it should be", rs, nil, theirKey(), true},
		{"another algorithm of the list", es, nil, theirEC(), true},
		{"without the name of a key", claims{"alg": "RS256"}, nil, theirKey(), true},
		{"for several, of whom we asked", rs, func(c claims) { c["aud"], c["azp"] = []string{"other", "client"}, "client" }, theirKey(), true},
		{"of a clock a minute ahead", rs, func(c claims) { c["iat"], c["nbf"] = soon(time.Minute), soon(time.Minute) }, theirKey(), true},
		{"ended a minute ago", rs, with("exp", soon(-time.Minute)), theirKey(), true},
		{"with the digest of the access token", rs, with("at_hash", half("CANARY-access")), theirKey(), true},
		{"times with a fraction", rs, with("exp", float64(soon(time.Hour))+0.5), theirKey(), true},

		{"not signed", claims{"alg": "none"}, nil, nil, false},
		{"not signed, and spelt otherwise", claims{"alg": "nOnE"}, nil, nil, false},
		{"signed with the public key as a shared secret", claims{"alg": "HS256", "kid": "rsa"}, nil, asPEM, false},
		{"signed with a shared secret of the key set", claims{"alg": "HS256", "kid": "rsa"}, nil, []byte("a shared secret of at least 32 bytes"), false},
		{"signed with the client secret", claims{"alg": "HS256"}, nil, []byte("CANARY-secret"), false},
		{"signed with an algorithm that is not listed", claims{"alg": "RS512", "kid": "rsa"}, nil, theirKey(), false},
		{"signed by somebody else", rs, nil, evilKey(), false},
		{"signed by somebody else, who says so", claims{"alg": "RS256", "kid": "evil"}, nil, evilKey(), false},
		{"with a key of its own", claims{"alg": "RS256", "jwk": rsaJWK("x", evilKey(), nil)}, nil, evilKey(), false},
		{"with something critical that nobody knows", claims{"alg": "RS256", "kid": "rsa", "crit": []string{"x"}, "x": 1}, nil, theirKey(), false},
		{"signed with a key for something else", claims{"alg": "RS256", "kid": "ec"}, nil, theirKey(), false},

		{"from another issuer", rs, with("iss", "https://evil.example.com"), theirKey(), false},
		{"from another tenant", rs, with("iss", "https://id.example.com/t/t2"), theirKey(), false},
		{"from an issuer that is nearly right", rs, with("iss", "https://id.example.com/t/t1/"), theirKey(), false},
		{"from nobody", rs, without("iss"), theirKey(), false},
		{"for another client", rs, with("aud", "other"), theirKey(), false},
		{"for nobody", rs, without("aud"), theirKey(), false},
		{"for several, and nobody knows who asked", rs, with("aud", []string{"other", "client"}), theirKey(), false},
		{"asked for by another client", rs, with("azp", "other"), theirKey(), false},
		{"ended", rs, with("exp", soon(-10*time.Minute)), theirKey(), false},
		{"without an end", rs, without("exp"), theirKey(), false},
		{"without a beginning", rs, without("iat"), theirKey(), false},
		{"made tomorrow", rs, with("iat", soon(24*time.Hour)), theirKey(), false},
		{"not good yet", rs, with("nbf", soon(24*time.Hour)), theirKey(), false},
		{"of another flow", rs, with("nonce", "other"), theirKey(), false},
		{"of no flow", rs, without("nonce"), theirKey(), false},
		{"of a flow that is a number", rs, with("nonce", 7), theirKey(), false},
		{"about nobody", rs, without("sub"), theirKey(), false},
		{"about an empty subject", rs, with("sub", ""), theirKey(), false},
		{"about a number", rs, with("sub", 7), theirKey(), false},
		{"with the digest of another access token", rs, with("at_hash", half("other")), theirKey(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, p := connect(t, openID, map[string]string{"GET https://id.example.com/keys": theirKeys()})
			done, err := proveWith(t, r, p, func(nonce string) string {
				c := goodClaims(nonce)
				if tt.change != nil {
					tt.change(c)
				}
				return sign(tt.head, segment(c), tt.key)
			})
			if !tt.good {
				if f := fault.As(err); f == nil || f.Kind != fault.Refused || f.Code != "issuer-mismatch" {
					t.Errorf("Complete: %v, want it refused", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			id, err := auth.Identify(t.Context(), methodOf(t, r), r, done.Credential, nil)
			if want := (auth.Identity{Subject: "u1", Email: "ana@example.com", Name: "Ana"}); err != nil || id != want {
				t.Errorf("Identify = %+v, %v; want %+v", id, err, want)
			}
		})
	}
}

func TestWhatIsNoIDTokenIsRefused(t *testing.T) {
	head := segment(claims{"alg": "RS256", "kid": "rsa"})
	for name, token := range map[string]string{
		"nothing": "", "words": "not a token", "two parts": head + "." + head, "five parts": strings.Repeat(head+".", 4) + head,
		"JSON":          `{"payload":"e30","signatures":[{"protected":"e30","signature":""}]}`,
		"a list":        sign(claims{"alg": "RS256", "kid": "rsa"}, segment([]int{1}), theirKey()),
		"no JSON":       sign(claims{"alg": "RS256", "kid": "rsa"}, b64([]byte("sub=u1")), theirKey()),
		"a claim twice": sign(claims{"alg": "RS256", "kid": "rsa"}, b64([]byte(`{"iss":"https://id.example.com/t/","aud":"client","sub":"u1","sub":"u2","iat":1,"exp":99999999999}`)), theirKey()),
	} {
		r, p := connect(t, openID, map[string]string{"GET https://id.example.com/keys": theirKeys()})
		_, err := proveWith(t, r, p, func(string) string { return token })
		if f := fault.As(err); f == nil || f.Kind != fault.Refused || f.Code != "issuer-mismatch" {
			t.Errorf("%s: %v, want it refused", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: a secret is in %v", name, err)
		}
	}
}

func TestANonceThatProvidersDoNotKnow(t *testing.T) {
	source := strings.Replace(openID, "algs: [RS256, ES256]", "nonce: optional", 1)
	for name, tt := range map[string]struct {
		nonce any
		good  bool
	}{"comes back": {"same", true}, "does not": {nil, true}, "is another": {"other", false}, "is a number": {7, false}} {
		r, p := connect(t, source, map[string]string{"GET https://id.example.com/keys": theirKeys()})
		_, err := proveWith(t, r, p, func(nonce string) string {
			c := goodClaims(nonce)
			if c["nonce"] = tt.nonce; tt.nonce == "same" {
				c["nonce"] = nonce
			}
			return sign(claims{"alg": "RS256", "kid": "rsa"}, segment(c), theirKey())
		})
		if (err == nil) != tt.good {
			t.Errorf("a nonce that %s: %v", name, err)
		}
	}
}

func TestTheClientSecretVerifiesWhereTheDefinitionSaysSo(t *testing.T) {
	source := strings.Replace(openID, `jwks_url: "https://id.example.com/keys", algs: [RS256, ES256]`, "algs: [HS256]", 1)
	hmacKey := []byte(strings.Repeat("CANARY-secret", 3))
	for name, tt := range map[string]struct {
		key  any
		alg  string
		good bool
	}{"right": {hmacKey, "HS256", true}, "wrong": {[]byte(strings.Repeat("x", 39)), "HS256", false}, "a key of its own": {evilKey(), "RS256", false}} {
		r, p := connect(t, source, map[string]string{})
		r.App.ClientSecret = secret.New(string(hmacKey))
		_, err := proveWith(t, r, p, func(nonce string) string {
			return sign(claims{"alg": tt.alg}, segment(goodClaims(nonce)), tt.key)
		})
		if (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// keyFetches counts how often the key set was fetched since the last time.
func keyFetches(p *provider) int {
	n := 0
	for _, line := range p.requests() {
		if strings.HasPrefix(line, "GET https://id.example.com/keys") {
			n++
		}
	}
	return n
}

func TestKeysAreKeptAndFetchedAgainForANewOne(t *testing.T) {
	r, p := connect(t, openID, map[string]string{"GET https://id.example.com/keys": keySet(rsaJWK("old", evilKey(), nil))})
	r.Outlet.Documents = &auth.Documents{}
	token := func(kid string, key any) func(string) string {
		return func(nonce string) string {
			return sign(claims{"alg": "RS256", "kid": kid}, segment(goodClaims(nonce)), key)
		}
	}
	for range 3 {
		if _, err := proveWith(t, r, p, token("old", evilKey())); err != nil {
			t.Fatal(err)
		}
	}
	if n := keyFetches(p); n != 1 {
		t.Errorf("the keys were fetched %d times, want once", n)
	}
	// A name that no key has does not have them fetched all the time.
	for range 5 {
		if _, err := proveWith(t, r, p, token("unknown", theirKey())); err == nil {
			t.Fatal("a key that nobody has is accepted")
		}
	}
	if n := keyFetches(p); n != 0 {
		t.Errorf("within a minute the keys were fetched %d times, want not at all", n)
	}
	auth.Age(r.Outlet.Documents, 2*time.Minute)
	p.answers["GET https://id.example.com/keys"] = keySet(rsaJWK("old", evilKey(), nil), rsaJWK("new", theirKey(), nil))
	if _, err := proveWith(t, r, p, token("new", theirKey())); err != nil {
		t.Errorf("a key that has just come: %v", err)
	}
	if n := keyFetches(p); n != 1 {
		t.Errorf("for a new key the keys were fetched %d times, want once", n)
	}
	// While they cannot be fetched, those that are known go on being good.
	auth.Age(r.Outlet.Documents, 2*time.Hour)
	p.answers["GET https://id.example.com/keys"] = "503 {}"
	if _, err := proveWith(t, r, p, token("new", theirKey())); err != nil {
		t.Errorf("while the keys cannot be had: %v", err)
	}
	auth.Age(r.Outlet.Documents, 48*time.Hour)
	_, err := proveWith(t, r, p, token("new", theirKey()))
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("with keys of two days ago: %v, want unavailable", err)
	}
}

func TestKeysThatCannotBeHadAccuseNobody(t *testing.T) {
	for _, answer := range []string{"503 {}", "404 {}", "<html>", `{"keys":"none"}`, "[]", strings.Repeat(" ", 300<<10) + theirKeys()} {
		r, p := connect(t, openID, map[string]string{"GET https://id.example.com/keys": answer})
		_, err := proveWith(t, r, p, func(nonce string) string {
			return sign(claims{"alg": "RS256", "kid": "rsa"}, segment(goodClaims(nonce)), theirKey())
		})
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%.40s: %v, want unavailable", answer, err)
		}
	}
}

func TestASignedAnswerIsVerifiedLikeAnIDToken(t *testing.T) {
	source := strings.Replace(openID, "identity: {from: id_token, subject: response.body.sub", `identity: {request: {get: "https://id.example.com/me", parse: jwt}, subject: response.body.sub`, 1)
	now := time.Now()
	head := claims{"alg": "RS256", "kid": "rsa"}
	about := func(more claims) claims {
		c := claims{"sub": "u1", "tid": "t1"}
		maps.Copy(c, more)
		return c
	}
	for name, tt := range map[string]struct {
		answer string
		good   bool
	}{
		"as it should be":     {sign(head, segment(about(claims{"iss": "https://id.example.com/t/t1", "aud": "client"})), theirKey()), true},
		"without iss and aud": {sign(head, segment(about(nil)), theirKey()), true},
		"by somebody else":    {sign(head, segment(about(nil)), evilKey()), false},
		"not signed":          {sign(claims{"alg": "none"}, segment(about(nil)), nil), false},
		"JSON all the same":   {object("sub", "u1"), false},
		"from another issuer": {sign(head, segment(about(claims{"iss": "https://id.example.com/t/t2"})), theirKey()), false},
		"for another client":  {sign(head, segment(about(claims{"aud": []string{"other"}})), theirKey()), false},
		"ended":               {sign(head, segment(about(claims{"exp": now.Add(-time.Hour).Unix()})), theirKey()), false},
		"about somebody else": {sign(head, segment(about(claims{"sub": "u2"})), theirKey()), false},
	} {
		r, p := connect(t, source, map[string]string{"GET https://id.example.com/keys": theirKeys(), "GET https://id.example.com/me": tt.answer})
		done, err := proveWith(t, r, p, func(nonce string) string { return sign(head, segment(goodClaims(nonce)), theirKey()) })
		if err != nil {
			t.Fatal(err)
		}
		id, err := auth.Identify(t.Context(), methodOf(t, r), r, done.Credential, nil)
		if (err == nil) != tt.good || err == nil && id.Subject != "u1" {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}
