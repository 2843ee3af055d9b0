package simulator_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"dowel/engine/simulator"
)

const certified = `
id: robots
name: Robots
hosts: [robots.example]
auth:
  - id: alone
    kind: oauth2_client_credentials
    app_fields: {certificate: {type: textarea, format: pem}, private_key: {type: textarea, format: key}}
    tls: {certificate: "${app.certificate}", key: "${app.private_key}"}
    scopes: {default: [read]}
    token: {url: https://robots.example/alone, client_auth: mtls}
  - id: both
    kind: oauth2_client_credentials
    app_fields: {certificate: {type: textarea, format: pem}, private_key: {type: textarea, format: key}}
    tls: {certificate: "${app.certificate}", key: "${app.private_key}"}
    scopes: {default: [read]}
    token: {url: https://robots.example/both, client_auth: body}
test: {get: https://robots.example/me}
`

// pair is a client certificate of the simulator's making.
func pair(t *testing.T) (*tls.Certificate, string) {
	t.Helper()
	certificate, key, err := simulator.NewCertificate("")
	if err != nil {
		t.Fatal(err)
	}
	out, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return &out, certificate
}

func TestWhoShowsNoCertificateOrAnotherIsRefused(t *testing.T) {
	o := tokenOptions
	o.Catalog = defined(t, "robots", certified)
	sim := simulator.New(o)
	for _, id := range []string{"ours", "theirs"} {
		sim.Register("robots", id, "secret of "+id, redirectURI)
	}
	ours, oursPEM := pair(t)
	theirs, theirsPEM := pair(t)
	unknown, _ := pair(t)
	for id, certificate := range map[string]string{"ours": oursPEM, "theirs": theirsPEM} {
		if err := sim.RegisterCertificate("robots", id, certificate); err != nil {
			t.Fatal(err)
		}
	}
	config, authority, err := simulator.ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	secured := httptest.NewUnstartedServer(sim)
	secured.TLS = config
	secured.StartTLS()
	t.Cleanup(secured.Close)
	plain := httptest.NewServer(sim)
	t.Cleanup(plain.Close)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)

	send := func(base string, cert *tls.Certificate, method, path, bearer string, form url.Values) (int, map[string]any, string) {
		t.Helper()
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
		defer transport.CloseIdleConnections()
		if cert != nil {
			transport.TLSClientConfig.Certificates = []tls.Certificate{*cert}
		}
		req, err := http.NewRequestWithContext(t.Context(), method, base+"/robots/robots.example"+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if bearer != "" {
			req.Header.Set("Authorization", "Bearer "+bearer)
		}
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		got := map[string]any{}
		_ = json.Unmarshal(text, &got)
		return resp.StatusCode, got, string(text)
	}
	form := func(more ...string) url.Values {
		v := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}, "client_id": {"ours"}}
		for i := 0; i < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	for _, tt := range []struct {
		name, base, at string
		cert           *tls.Certificate
		form           url.Values
		want           string // the error and a part of its description; empty: accepted
	}{
		{"the certificate", secured.URL, "/alone", ours, form(), ""},
		{"the certificate and the secret, where both are wanted", secured.URL, "/both", ours, form("client_secret", "secret of ours"), ""},
		{"no certificate", secured.URL, "/alone", nil, form(), "invalid_client shows no certificate"},
		{"an unknown certificate", secured.URL, "/alone", unknown, form(), "invalid_client not registered"},
		{"another client's certificate", secured.URL, "/alone", theirs, form(), "invalid_client not registered"},
		{"without TLS", plain.URL, "/alone", nil, form(), "invalid_client without TLS"},
		{"a secret beside it", secured.URL, "/alone", ours, form("client_secret", "secret of ours"), "invalid_request nothing else"},
		{"an assertion beside it", secured.URL, "/alone", ours, form("client_assertion", "x.y.z"), "invalid_request nothing else"},
		{"no client id", secured.URL, "/alone", ours, form("client_id", ""), "invalid_client"},
		{"the secret alone, where both are wanted", secured.URL, "/both", nil, form("client_secret", "secret of ours"), "invalid_client shows no certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, got, text := send(tt.base, tt.cert, http.MethodPost, tt.at, "", tt.form)
			code, part, _ := strings.Cut(tt.want, " ")
			said, _ := got["error_description"].(string)
			if e, _ := got["error"].(string); e != code || !strings.Contains(said, part) || (got["access_token"] != nil) != (code == "") {
				t.Errorf("%d %s; want %s", status, text, tt.want)
			}
		})
	}
	t.Run("a token belongs to its certificate", func(t *testing.T) {
		if err := sim.RegisterCertificate("robots", "", theirsPEM); err != nil {
			t.Fatal(err)
		}
		_, got, text := send(secured.URL, ours, http.MethodPost, "/alone", "", form())
		token, _ := got["access_token"].(string)
		if token == "" {
			t.Fatal(text)
		}
		if status, _, text := send(secured.URL, theirs, http.MethodGet, "/me", token, nil); status != http.StatusUnauthorized || !strings.Contains(text, "another certificate") {
			t.Errorf("with another certificate: %d %s", status, text)
		}
		if status, _, text := send(secured.URL, nil, http.MethodGet, "/me", token, nil); status != http.StatusUnauthorized {
			t.Errorf("without a certificate: %d %s", status, text)
		}
	})
}
