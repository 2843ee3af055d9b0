package simulator_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"dowel/engine/simulator"
)

func TestOnlyASecretThatCallsItselfWrongIsWrong(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if !strings.Contains(pkcs8, "BAD") {
		t.Error("every RSA key in PKCS #8 spells BAD; this one is no test")
	}
	for secret, wrong := range map[string]bool{
		"": true, "  ": true, "wrong": true, "sk_test_WRONG": true, "notwrongly": true, "bad": true, "sk_bad": true, "Bad-key": true,
		"0badbad1": true, "BADBAD": true,
		"good": false, "badge": false, "0bad1": false, "forbad": false, pkcs8: false,
	} {
		if got := simulator.Wrong(secret); got != wrong {
			t.Errorf("Wrong(%q) = %v", secret, got)
		}
	}
}
