package auth

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"

	"dowel/engine/definition"
	"dowel/engine/egress"
)

// sender is scoped for requests that are made from env: it shows the client certificate, if the
// definition names one (RFC 8705).
func (r Request) sender(env definition.Env) (*egress.Scoped, error) {
	scope, err := r.scope()
	if err != nil {
		return nil, err
	}
	if r.Auth.TLS != nil {
		if scope.Certificate, err = r.certificate(env); err != nil {
			return nil, err
		}
		if r.Outlet.SimulateTLS != nil {
			scope.Reroute = r.Outlet.SimulateTLS(r.Connector.ID)
		}
	}
	return r.Outlet.Client.For(scope), nil
}

// certificate reads the client certificate and its key, which belong together.
func (r Request) certificate(env definition.Env) (*tls.Certificate, error) {
	text, err := r.Auth.TLS.Certificate.Fill(env)
	if err != nil {
		return nil, r.badKey(&r.Auth.TLS.Certificate, env, errors.New("cannot be read as a certificate"))
	}
	cert, err := readCertificate(text)
	if err != nil {
		return nil, r.badKey(&r.Auth.TLS.Certificate, env, err)
	}
	if text, err = r.Auth.TLS.Key.Fill(env); err != nil {
		return nil, r.badKey(&r.Auth.TLS.Key, env, errors.New("cannot be read as a key"))
	}
	key, err := definition.PrivateKey(text)
	if err == nil && !belongs(key, cert.Leaf) {
		err = errors.New("is not the key of the certificate")
	}
	if err != nil {
		return nil, r.badKey(&r.Auth.TLS.Key, env, err)
	}
	cert.PrivateKey = key
	return cert, nil
}

// readCertificate reads a certificate in PEM form, and those that lead to its authority.
func readCertificate(text string) (*tls.Certificate, error) {
	out := &tls.Certificate{}
	rest := []byte(strings.ReplaceAll(text, `\n`, "\n"))
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			out.Certificate = append(out.Certificate, block.Bytes)
		}
	}
	if len(out.Certificate) == 0 {
		return nil, errors.New("holds no certificate in PEM form")
	}
	var err error
	if out.Leaf, err = x509.ParseCertificate(out.Certificate[0]); err != nil {
		return nil, errors.New("is a damaged certificate")
	}
	return out, nil
}

func belongs(key crypto.Signer, cert *x509.Certificate) bool {
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(key.Public())
}
