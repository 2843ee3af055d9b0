package egress

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dowel/engine/fault"
)

// loopback lets tests call servers on this machine.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// provider starts a TLS server and returns a Scoped that may call it.
func provider(t *testing.T, p Policy, h http.HandlerFunc) (*Scoped, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	p.AllowPrivate = loopback()
	p.ExtraCA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return scoped(t, p, Scope{Name: "test", Hosts: []string{server.Listener.Addr().String()}}), server
}

func scoped(t *testing.T, p Policy, s Scope) *Scoped {
	t.Helper()
	c, err := NewClient(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.For(s)
}

func get(t *testing.T, address string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func post(t *testing.T, address, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestDoReturnsTheAnswerWhateverItsStatus(t *testing.T) {
	s, server := provider(t, Policy{}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	})
	req := post(t, server.URL+"/a%2Fb?q=1", "hello")
	req.Header.Set("Authorization", "Bearer x")
	before := time.Now()
	got, err := s.Do(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != http.StatusTeapot || string(got.Body) != "hello" || got.ReceivedAt.Before(before) ||
		got.Header.Get("X-Seen") != "POST /a%2Fb?q=1 Bearer x" {
		t.Errorf("got %d %q %v %s", got.Status, got.Body, got.Header, got.ReceivedAt)
	}
	if req.Header.Get("User-Agent") != "" {
		t.Error("Do changed the caller's request")
	}
}

func TestRedirectIsAnErrorAndNotFollowed(t *testing.T) {
	for _, status := range []int{300, 301, 302, 303, 307, 308} {
		var elsewhere, here atomic.Int32
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
		defer other.Close()
		s, server := provider(t, Policy{}, func(w http.ResponseWriter, r *http.Request) {
			here.Add(1)
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "body of the redirect")
		})
		for name, call := range map[string]func(*http.Request) error{
			"Do":         func(r *http.Request) error { _, err := s.Do(t.Context(), r); return err },
			"HTTPClient": func(r *http.Request) error { _, err := s.HTTPClient().Do(r); return err },
		} {
			here.Store(0)
			err := call(post(t, server.URL, "refresh_token=canary"))
			if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Public(err), "unexpected redirect") || !Sent(err) {
				t.Errorf("%s, %d: %v (sent %t)", name, status, err, Sent(err))
			}
			if elsewhere.Load() != 0 || here.Load() != 1 {
				t.Errorf("%s, %d: %d requests here, %d elsewhere; want 1 and 0", name, status, here.Load(), elsewhere.Load())
			}
			if strings.Contains(err.Error(), "body of") || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s, %d: the error holds a body: %v", name, status, err)
			}
		}
	}
}

func TestHeadersThatBreakOutAreRefused(t *testing.T) {
	var calls atomic.Int32
	s, server := provider(t, Policy{}, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	tests := map[string]http.Header{
		"line feed":       {"Authorization": {"Bearer a\nX-Admin: 1"}},
		"carriage return": {"Authorization": {"Bearer a\rb"}},
		"nul":             {"Authorization": {"Bearer a\x00"}},
		"escape":          {"X-A": {"\x1b[31m"}},
		"delete":          {"X-A": {"\x7f"}},
		"name with colon": {"X-A: b\r\nX-B": {"c"}},
		"empty name":      {"": {"c"}},
		"upgrade":         {"Upgrade": {"websocket"}},
		"connection":      {"connection": {"Authorization"}},
		"for the proxy":   {"Proxy-Authorization": {"Basic x"}},
	}
	for name, header := range tests {
		req := get(t, server.URL)
		req.Header = header
		if _, err := s.Do(t.Context(), req); fault.KindOf(err) != fault.Invalid || Sent(err) {
			t.Errorf("%s: %v, sent %t", name, err, Sent(err))
		}
	}
	if calls.Load() != 0 {
		t.Errorf("%d requests arrived", calls.Load())
	}
}

func TestRerouteGoesToThisMachineAfterTheUsualChecks(t *testing.T) {
	simulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	defer simulator.Close()
	target := simulator.URL
	s := scoped(t, Policy{}, Scope{Hosts: []string{"api.example.com"}, Reroute: func(u *url.URL) *url.URL {
		to, _ := url.Parse(target + "/" + u.Host + u.Path)
		return to
	}})
	got, err := s.Do(t.Context(), post(t, "https://api.example.com/token", "a=b"))
	if err != nil || string(got.Body) != "/api.example.com/token" {
		t.Fatalf("rerouted: %v, %v", got, err)
	}
	for _, address := range []string{"http://api.example.com/", "https://other.example.com/", simulator.URL} {
		if _, err := s.Do(t.Context(), get(t, address)); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: %v, want it refused as without a simulator", address, err)
		}
	}
	target = "http://192.0.2.1"
	if _, err := s.Do(t.Context(), get(t, "https://api.example.com/")); fault.KindOf(err) != fault.Forbidden || Sent(err) {
		t.Errorf("rerouted off this machine: %v", err)
	}
}

func TestProxyIsTheOperatorsAndNeverTheEnvironments(t *testing.T) {
	var asked atomic.Pointer[string]
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.Host
		asked.Store(&line)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	scope := Scope{Hosts: []string{"provider.invalid", "127.0.0.1"}}
	_, err := scoped(t, Policy{}, scope).Do(t.Context(), get(t, "https://provider.invalid/"))
	if asked.Load() != nil || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the environment's proxy was asked %v: %v", asked.Load(), err)
	}
	at, _ := url.Parse(proxy.URL)
	s := scoped(t, Policy{Proxy: at}, scope)
	_, err = s.Do(t.Context(), get(t, "https://provider.invalid/"))
	if got := asked.Load(); got == nil || *got != "CONNECT provider.invalid:443" || Sent(err) {
		t.Errorf("the operator's proxy was asked %v: %v, sent %t", got, err, Sent(err))
	}
	asked.Store(nil)
	if _, err = s.Do(t.Context(), get(t, "https://127.0.0.1/")); fault.KindOf(err) != fault.Forbidden || asked.Load() != nil {
		t.Errorf("the proxy was asked for a private address: %v", err)
	}
}

func TestPolicyIsCheckedAsAWhole(t *testing.T) {
	_, err := NewClient(Policy{Timeout: time.Minute, MaxBody: -1, Proxy: &url.URL{Scheme: "socks5", Host: "x"}})
	for _, want := range []string{"timeout", "negative", "proxy"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewClient: %v, want it to name the %s", err, want)
		}
	}
	if _, err := NewClient(Policy{ExtraCA: []byte("no certificate")}); err == nil {
		t.Error("NewClient took authorities that are none")
	}
}
