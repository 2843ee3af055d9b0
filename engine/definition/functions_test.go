package definition

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
)

// rfc8410 is the private key of RFC 8410 §10.3, as a formula's text.
const rfc8410 = `-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----`

func TestFunctionsDoAsTheyAreDocumented(t *testing.T) {
	const jefe = `"Jefe", "what do ya want for nothing?"` // RFC 2202 §3, RFC 4231 §4.3
	for _, tt := range []struct {
		source string
		want   any
	}{
		{`base64("fo+")`, "Zm8r"},
		{`base64_decode("Zm8r")`, "fo+"},
		{`base64_decode("_-8=")`, "\xff\xef"},
		{`base64_decode("/+8")`, "\xff\xef"},
		{`base64_decode("%")`, nil},
		{`hex("aä")`, "61c3a4"},
		{`hex_decode("61C3a4")`, "aä"},
		{`hex_decode("6")`, nil},
		{`sha1("abc")`, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{`sha256("abc")`, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{`sha512("")`, "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
		{`md5("abc")`, "900150983cd24fb0d6963f7d28e17f72"},
		{`hmac_sha1(` + jefe + `)`, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
		{`hmac_sha256(` + jefe + `)`, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{`hmac_sha512(` + jefe + `)`, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
		{`hmac_sha256_base64(` + jefe + `)`, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
		{`pem_der("-----BEGIN X-----\nQUJD\n-----END X-----")`, "ABC"},
		{`pem_der("ABC")`, nil},
		{`base64(public_der("` + rfc8410 + `"))`, "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="},
		{`public_der("ABC")`, nil},
		{`base64(hex_decode(md5("abc")))`, "kAFQmDzST7DWlj99KOF/cg=="},
		{`before_first("a:b:c", ":")`, "a"},
		{`before_first("abc", ":")`, "abc"},
		{`after_first("a:b:c", ":")`, "b:c"},
		{`after_first("abc", ":")`, "abc"},
		{`before_last("a:b:c", ":")`, "a:b"},
		{`before_last("abc", ":")`, "abc"},
		{`after_last("a:b:c", ":")`, "c"},
	} {
		if got := evaluated(t, tt.source, nil); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.source, got, tt.want)
		}
	}
}

func TestJWTClaimsAreReadAndNotVerified(t *testing.T) {
	jwt := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".no-signature"
	}
	for _, tt := range []struct {
		name, text, source string
		want               any
	}{
		{"a claim", jwt(`{"sub":"1","n":{"a":[1.5]}}`), "jwt_claims(response.text).n.a[0]", 1.5},
		{"a long number", jwt(`{"id":9007199254740993}`), "jwt_claims(response.text).id", 9007199254740993},
		{"a claim that is not there", jwt(`{}`), "jwt_claims(response.text).sub", nil},
		{"two parts", "e30.e30", "jwt_claims(response.text)", nil},
		{"no object", jwt(`[1]`), "jwt_claims(response.text)", nil},
		{"no base64", "e30.%.x", "jwt_claims(response.text)", nil},
		{"too long", jwt(`{"sub":"` + strings.Repeat("x", maxJWT) + `"}`), "jwt_claims(response.text)", nil},
	} {
		env := Env{"response": map[string]any{"text": tt.text}}
		if got := evaluated(t, tt.source, env); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %#v, want %#v", tt.name, got, tt.want)
		}
	}
}

// evaluated is the value of a formula where an answer is read; nil if there is none.
func evaluated(t *testing.T, source string, env Env) any {
	t.Helper()
	f := newFormulas().compile(source, inIdentity)
	if f.fault != nil {
		t.Errorf("%s: %s", source, f.fault.message)
		return nil
	}
	e := Expression{Source: source, program: f.program, path: f.path}
	return e.Value(env)
}
