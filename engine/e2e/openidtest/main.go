// Command openidtest runs an OpenID provider that nobody here wrote: the example server of
// github.com/zitadel/oidc, on loopback and with TLS.
//
// It prints its issuer when it is ready, and ends when its standard input is closed, so that it does not
// outlive the test that started it. It is a module of its own so that what it needs never enters Dowel's.
package main

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"
)

func main() {
	var o options
	flag.StringVar(&o.redirect, "redirect-uri", "", "redirect URI of the client web")
	flag.StringVar(&o.ca, "ca", "", "`file` to write the certificate to, in PEM form")
	flag.StringVar(&o.key, "service-key", "", "`file` with the public key of the service user, in PEM form")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "openidtest:", err)
		os.Exit(1)
	}
}

type options struct{ redirect, ca, key string }

func run(o options) error {
	key, err := publicKey(o.key)
	if err != nil {
		return err
	}
	certificate, err := selfSigned(o.ca)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := "https://" + ln.Addr().String() + "/"
	storage.RegisterClients(storage.WebClient("web", "CANARY web secret", o.redirect), storage.DeviceClient("device", "CANARY device secret"))
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	server := &http.Server{
		Handler:           exampleop.SetupServer(issuer, store{storage.NewStorage(people{}), key}, log, false),
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	fmt.Println(issuer)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	if err := server.ServeTLS(ln, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func publicKey(file string) (*rsa.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", file)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	k, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s holds a %T, want an RSA key", file, key)
	}
	return k, nil
}

// store is the example's, with the service user's key from outside: the example's own is of 1024 bits.
type store struct {
	*storage.Storage
	key *rsa.PublicKey
}

// GetKeyByIDAndClientID implements op.Storage.
func (s store) GetKeyByIDAndClientID(_ context.Context, keyID, clientID string) (*jose.JSONWebKey, error) {
	if clientID != storage.ServiceUserID || keyID != storage.ServiceUserKeyID {
		return nil, fmt.Errorf("no key %s of %s", keyID, clientID)
	}
	return &jose.JSONWebKey{KeyID: keyID, Use: "sig", Key: s.key}, nil
}

// GetClientByClientID implements op.Storage.
func (s store) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	if err == nil && id == "web" {
		return signing{c}, nil
	}
	return c, err
}

// signing is a client whose access tokens are JWTs: version 3.45.0 panics when an opaque one is exchanged.
type signing struct{ op.Client }

// AccessTokenType implements op.Client.
func (signing) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// people are the users, and the service user beside them. Their ids are their names, because the example
// names whom it has seen on a device by that and everywhere else by the id.
type people struct{}

func user(name string) *storage.User {
	return &storage.User{
		ID: name, Username: name, Password: "CANARY password of " + name, FirstName: name, LastName: "Example", Email: name + "@example.com",
		EmailVerified: true, PreferredLanguage: language.English, IsAdmin: true, // may trade its token
	}
}

// GetUserByID implements storage.UserStore.
func (people) GetUserByID(id string) *storage.User {
	for _, name := range []string{"ana", "ben", storage.ServiceUserID} {
		if name == id {
			return user(name)
		}
	}
	return nil
}

// GetUserByUsername implements storage.UserStore.
func (p people) GetUserByUsername(name string) *storage.User { return p.GetUserByID(name) }

// ExampleClientID implements storage.UserStore.
func (people) ExampleClientID() string { return storage.ServiceUserID }
