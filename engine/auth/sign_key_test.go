package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"dowel/connectors"
	"dowel/engine/definition"
)

func pkcs8PEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// keyed is signing with a field for a private key.
func keyed(t *testing.T, sign, key string, o occasion) Request {
	t.Helper()
	k, findings := definition.Parse("acme.yaml", []byte("id: acme\nname: Acme\nhosts: [example.com]\nauth:\n  - id: k\n    kind: custom\n    fields: {key: {label: Key, type: textarea, format: key}}\n    apply:\n      sign:\n        "+sign))
	if k == nil {
		t.Fatal(findings)
	}
	return Request{Connector: k, Auth: k.Auth[0], Fields: Values(map[string]string{"key": key}), occasion: &o}
}

func TestAPrivateKeySignsTheMessage(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, curve, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const message = "POST\n/a?b=1\n1700000000\nn0nce\n{}\n"
	sum256, sum512 := sha256.Sum256([]byte(message)), sha512.Sum512([]byte(message))
	for _, tt := range []struct {
		alg, encoding, key string
		decode             func(string) ([]byte, error)
		verify             func(signature []byte) bool
	}{
		{"RS256", "", pkcs8PEM(t, key), base64.StdEncoding.DecodeString, func(s []byte) bool {
			return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum256[:], s) == nil
		}},
		{"RS512", "hex", pkcs8PEM(t, key), hex.DecodeString, func(s []byte) bool {
			return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA512, sum512[:], s) == nil
		}},
		{"PS256", "base64url", pkcs8PEM(t, key), base64.RawURLEncoding.DecodeString, func(s []byte) bool {
			return rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, sum256[:], s, &rsa.PSSOptions{SaltLength: 32}) == nil
		}},
		{"EdDSA", "base64", pkcs8PEM(t, curve), base64.StdEncoding.DecodeString, func(s []byte) bool {
			return ed25519.Verify(public, []byte(message), s)
		}},
	} {
		sign := `private_key: {alg: ` + tt.alg + `, key: "${fields.key}", message: "${request.method}\n${request.path}?${request.query}\n${request.timestamp}\n${request.nonce}\n${request.body}\n", headers: {X-S: "id=me,sig=${signature}"}`
		if tt.encoding != "" {
			sign += `, encoding: ` + tt.encoding
		}
		r := keyed(t, sign+`}`, tt.key, occasion{at: time.Unix(1700000000, 0).UTC(), nonce: "n0nce"})
		req := outgoing(t, "POST", "https://example.com/a?b=1", "application/json", "{}")
		if err := apply1(req, r); err != nil {
			t.Errorf("%s: %v", tt.alg, err)
			continue
		}
		text, ok := strings.CutPrefix(req.Header.Get("X-S"), "id=me,sig=")
		signature, err := tt.decode(text)
		if !ok || err != nil || !tt.verify(signature) {
			t.Errorf("%s: %s does not verify (%v)", tt.alg, req.Header.Get("X-S"), err)
		}
		r = keyed(t, sign+`}`, "CANARY", occasion{at: time.Now()})
		if err := apply1(outgoing(t, "GET", "https://example.com/", "", ""), r); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s, a key that is none: %v", tt.alg, err)
		}
	}
}

// TestShippedDefinitionsSignAsTheirProvidersShow plays the examples in the documentation of providers.
func TestShippedDefinitionsSignAsTheirProvidersShow(t *testing.T) {
	for _, tt := range []struct {
		connector, method, address string
		at                         time.Time
		inputs, fields, want       map[string]string
	}{
		{
			"ovh", "keys", "https://eu.api.ovh.com/1.0/domains/", time.Unix(1366560945, 0).UTC(),
			map[string]string{"region": "eu"},
			map[string]string{
				"application_key": "7kbG7Bk7S9Nt7ZSV", "application_secret": "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF",
				"consumer_key": "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1",
			},
			map[string]string{
				"X-Ovh-Application": "7kbG7Bk7S9Nt7ZSV", "X-Ovh-Timestamp": "1366560945", "X-Ovh-Consumer": "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1",
				"X-Ovh-Signature": "$1$d3705e8afb27a0d2970a322b96550abfc67bb798",
			},
		},
		{
			"azure-cosmos-db", "key", "https://acme.documents.azure.com/dbs/ToDoList", time.Date(2017, 4, 27, 0, 51, 12, 0, time.UTC),
			map[string]string{"account": "acme"},
			map[string]string{"key": "dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw=="},
			map[string]string{
				"x-ms-date":     "Thu, 27 Apr 2017 00:51:12 GMT",
				"Authorization": "type%3Dmaster%26ver%3D1.0%26sig%3Dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2Bc%2Bc%3D",
			},
		},
	} {
		source, err := connectors.FS.ReadFile(tt.connector + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		k, findings := definition.Parse(tt.connector+".yaml", source)
		if k == nil {
			t.Fatal(findings)
		}
		r := Request{Connector: k, Auth: k.Method(tt.method), Inputs: tt.inputs, Fields: Values(tt.fields), occasion: &occasion{at: tt.at}}
		req := outgoing(t, "GET", tt.address, "", "")
		if err := apply1(req, r); err != nil {
			t.Errorf("%s: %v", tt.connector, err)
		}
		for name, want := range tt.want {
			if got := req.Header.Get(name); got != want {
				t.Errorf("%s: %s is %s, want %s", tt.connector, name, got, want)
			}
		}
	}
}
