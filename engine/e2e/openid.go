package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// OpenID is a provider that nobody here wrote, as a process of its own; see openidtest.
type OpenID struct {
	*process
	// Issuer is its address, with a slash at the end.
	Issuer string
	// CAFile holds the certificate to trust, Authority the same.
	CAFile    string
	Authority *x509.CertPool
	// ServiceKey is the private key of its service user, in PEM form.
	ServiceKey string
}

// StartOpenID builds and starts the provider, which sends browsers back to one address.
func StartOpenID(tb testing.TB, redirectURI string) *OpenID {
	tb.Helper()
	dir := tb.TempDir()
	o := &OpenID{CAFile: filepath.Join(dir, "ca.pem")}
	public := filepath.Join(dir, "service.pem")
	o.ServiceKey = writeKey(tb, public)
	cmd := exec.CommandContext(context.Background(), buildOpenID(tb, dir), "-redirect-uri", redirectURI, "-ca", o.CAFile, "-service-key", public)
	input, err := cmd.StdinPipe() // it ends when this is closed
	if err != nil {
		tb.Fatal(err)
	}
	o.process = follow(tb, &logFile{}, cmd)
	tb.Cleanup(func() {
		_ = input.Close()
		o.Kill()
		if tb.Failed() {
			tb.Logf("log of the provider:\n%s", tail(o.log.String()))
		}
	})
	select {
	case o.Issuer = <-o.lines:
	case <-o.done:
		tb.Fatalf("the provider ended at once:\n%s", o.log)
	case <-time.After(time.Minute):
		tb.Fatalf("the provider does not start:\n%s", o.log)
	}
	text, err := os.ReadFile(o.CAFile)
	if err != nil {
		tb.Fatal(err)
	}
	o.Authority = x509.NewCertPool()
	o.Authority.AppendCertsFromPEM(text)
	return o
}

// buildOpenID builds the provider, which is a module of its own.
func buildOpenID(tb testing.TB, dir string) string {
	tb.Helper()
	_, here, _, _ := runtime.Caller(0)
	program := filepath.Join(dir, "openidtest")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false", "-o", program, ".")
	cmd.Dir, cmd.Env = filepath.Join(filepath.Dir(here), "openidtest"), append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build the provider: %v\n%s", err, out)
	}
	return program
}

// writeKey makes a key, writes its public half to a file, and returns the private one.
func writeKey(tb testing.TB, file string) string {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err == nil {
		err = os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}
