package egress

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"dowel/engine/fault"
)

// authority signs certificates of clients.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if a.key != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) client(name string) *tls.Certificate {
	cert, key := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// demanding starts a server that lets in only who shows a certificate of an authority, and says whose it
// was. It returns a Client that trusts the server.
func demanding(t *testing.T, a *authority) (*Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto+" "+r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.EnableHTTP2 = true
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	server.StartTLS()
	t.Cleanup(server.Close)
	c, err := NewClient(Policy{
		AllowPrivate: loopback(), ExtraCA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, server
}

func TestAServerThatWantsACertificateIsShownTheScopesOwn(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	client, server := demanding(t, ours)
	host := server.Listener.Addr().String()
	as := func(cert *tls.Certificate) *Scoped {
		return client.For(Scope{Name: "test", Hosts: []string{host}, Certificate: cert})
	}
	ana, ben := ours.client("ana"), ours.client("ben")
	for _, tt := range []struct {
		name string
		cert *tls.Certificate
		want string
	}{
		{"ana", ana, "HTTP/2.0 ana"}, {"ben", ben, "HTTP/2.0 ben"}, {"ana again, on her own connection", ana, "HTTP/2.0 ana"},
	} {
		got, err := as(tt.cert).Do(t.Context(), get(t, server.URL))
		if err != nil || string(got.Body) != tt.want {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
	if got, err := as(ben).DoOnce(t.Context(), post(t, server.URL, "x")); err != nil || string(got.Body) != "HTTP/1.1 ben" {
		t.Errorf("a request that spends something: %v, %v", got, err)
	}
	for name, cert := range map[string]*tls.Certificate{"nobody": nil, "of another authority": theirs.client("eve")} {
		if got, err := as(cert).Do(t.Context(), get(t, server.URL)); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestConnectionsWithCertificatesAreBounded(t *testing.T) {
	ours := newAuthority(t)
	client, server := demanding(t, ours)
	first := ours.client("first")
	for i := range maxCertified + 10 {
		cert := ours.client("client")
		if i == 0 {
			cert = first
		}
		scope := Scope{Name: "test", Hosts: []string{server.Listener.Addr().String()}, Certificate: cert}
		if _, err := client.For(scope).Do(t.Context(), get(t, server.URL)); err != nil {
			t.Fatal(err)
		}
		if n := len(client.certified.ways); n > maxCertified || n != client.certified.order.Len() {
			t.Fatalf("%d certificates have connections", n)
		}
	}
	for key := range client.certified.ways {
		if key.fingerprint == fingerprintOf(first) {
			t.Error("the certificate that was used longest ago is still there")
		}
	}
}
