package simulator

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"dowel/engine/definition"
)

// ServerTLS is what a simulated provider listens with: a certificate of its own for this machine, which
// authority (PEM) vouches for. It asks for the client's certificate and lets in who has none: whether one
// is wanted depends on what is asked for, and the answer says so.
func ServerTLS() (config *tls.Config, authority []byte, err error) {
	cert, key, err := newPair(&x509.Certificate{
		Subject: pkix.Name{CommonName: "simulated provider"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, "")
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		return nil, nil, fmt.Errorf("read the simulator's certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}, []byte(cert), nil
}

// NewCertificate makes a client certificate and its key, as people are given them: both in PEM form. A key
// that is there already is used.
func NewCertificate(key string) (certificate, privateKey string, err error) {
	return newPair(&x509.Certificate{
		Subject: pkix.Name{CommonName: "simulated client"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key)
}

// newPair signs a certificate with its own key.
func newPair(template *x509.Certificate, key string) (certificate, privateKey string, err error) {
	if key == "" {
		if key, err = NewKey("ES256", ""); err != nil {
			return "", "", err
		}
	}
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		return "", "", errors.New("make certificate: the key is not in PEM form")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, ok := private.(crypto.Signer)
	if err != nil || !ok {
		return "", "", fmt.Errorf("make certificate: read key: %w", errors.Join(err, errors.ErrUnsupported))
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return "", "", fmt.Errorf("make certificate: %w", err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(365*24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		return "", "", fmt.Errorf("make certificate: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), key, nil
}

// RegisterCertificate makes a client certificate known at the provider of a connector, as RegisterKey does
// a key: of a PEM text, the first certificate.
func (s *Simulator) RegisterCertificate(connectorID, owner, certificate string) error {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(certificate, `\n`, "\n")))
	if block == nil || block.Type != "CERTIFICATE" {
		return errors.New("the text does not begin with a certificate in PEM form")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.certificates[connectorID] = append(s.certificates[connectorID], registeredCertificate{owner, block.Bytes})
	return nil
}

type registeredCertificate struct {
	owner string // who shows it; empty: whoever does
	der   []byte
}

// shownCertificate checks the certificate that was shown in the handshake, which proves that its key is at
// hand (RFC 8705 §2). It is compared with what was registered (§2.2); nobody vouches for it.
func (c *call) shownCertificate(owner string) *problem {
	switch {
	case c.r.TLS == nil:
		return refuse("invalid_client", "a certificate cannot be shown here: the simulator is asked without TLS")
	case len(c.r.TLS.PeerCertificates) == 0:
		return refuse("invalid_client", "the client shows no certificate")
	}
	der := c.r.TLS.PeerCertificates[0].Raw
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, k := range c.s.certificates[c.connector.ID] {
		if (k.owner == "" || k.owner == owner) && bytes.Equal(k.der, der) {
			return nil
		}
	}
	return refuse("invalid_client", "the client's certificate is not registered")
}

// certified checks the certificate of a request that a method is to show one in. A token belongs to the
// certificate that was shown when it was asked for (RFC 8705 §3).
func (c *call) certified(a *definition.Auth, owner string, g *grant) *problem {
	if a.TLS == nil {
		return nil
	}
	if p := c.shownCertificate(owner); p != nil {
		return p
	}
	if g != nil && g.certificate != nil && !bytes.Equal(g.certificate, c.r.TLS.PeerCertificates[0].Raw) {
		return refuse("invalid_token", "the token belongs to another certificate")
	}
	return nil
}

// bind has the tokens of g belong to the certificate that was shown, if the method shows one.
func (c *call) bind(g *grant) {
	if g == nil || g.auth.TLS == nil {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g.certificate = c.r.TLS.PeerCertificates[0].Raw
}

// securedAt is where the same providers can be asked over TLS.
type securedAt struct {
	URL       string `json:"url"`
	Authority string `json:"authority"`
}

// Secured says where the simulator is served with what ServerTLS returned, for those who ask at BASE/_tls.
func (s *Simulator) Secured(url string, authority []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secured = &securedAt{url, string(authority)}
}

func (s *Simulator) tellSecured(w http.ResponseWriter) {
	s.mu.Lock()
	at := s.secured
	s.mu.Unlock()
	if at == nil {
		plain(http.StatusNotFound, "the simulator is not served over TLS").write(w)
		return
	}
	jsonAnswer(http.StatusOK, at).write(w)
}
