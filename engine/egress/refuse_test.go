package egress

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"dowel/engine/fault"
)

// everything is a policy and scope that leave only the address to be judged.
func everything(hosts ...string) (Policy, Scope) {
	return Policy{AllowHTTP: hosts}, Scope{Hosts: hosts}
}

func TestAddressesThatAreNotPublicAreRefused(t *testing.T) {
	hosts := []string{
		"127.0.0.1", "127.1", "127.0.0.1.", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "017700000001",
		"localhost", "LOCALHOST", "a.localhost", "localhost.", "0.0.0.0", "0", "127.0.0.1.0x1",
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1",
		"169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192",
		"224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1",
		"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]",
		"[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001::1]", "[fd00:ec2::254]", "[fe80::1]",
		"[fe80::1%25eth0]", "[ff02::1]", "[2001:db8::1]",
		"①②⑦.⓪.⓪.①", "127。0。0。1", "%31%32%37.0.0.1", "exa mple.com", "a..b", "",
	}
	for _, host := range hosts {
		u := &url.URL{Scheme: "https", Host: host, Path: "/"}
		policy, scope := everything(host, strings.ReplaceAll(host, "%25", "%"))
		s := scoped(t, policy, scope)
		_, err := s.Do(t.Context(), &http.Request{Method: http.MethodGet, URL: u})
		if fault.KindOf(err) != fault.Forbidden || fault.Public(err) != "the address is not allowed" || Sent(err) {
			t.Errorf("%q: %v, kind %s, sent %t", host, err, fault.KindOf(err), Sent(err))
		}
		if s.Check(u) == nil {
			t.Errorf("%q: Check let it pass", host)
		}
	}
}

func TestURLsThatPartiesReadDifferentlyAreRefused(t *testing.T) {
	s := scoped(t, Policy{}, Scope{Hosts: []string{"api.example.com", "*.zendesk.com"}})
	tests := map[string]*url.URL{
		"http":              {Scheme: "http", Host: "api.example.com"},
		"file":              {Scheme: "file", Path: "/etc/passwd"},
		"gopher":            {Scheme: "gopher", Host: "api.example.com"},
		"no scheme":         {Host: "api.example.com"},
		"opaque":            {Scheme: "https", Opaque: "//api.example.com/"},
		"userinfo":          {Scheme: "https", Host: "api.example.com", User: url.UserPassword("a", "b")},
		"userinfo in host":  {Scheme: "https", Host: "api.example.com@evil.net"},
		"path in host":      {Scheme: "https", Host: "evil.net/.zendesk.com"},
		"query in host":     {Scheme: "https", Host: "evil.net?.zendesk.com"},
		"fragment in host":  {Scheme: "https", Host: "evil.net#.zendesk.com"},
		"backslash in host": {Scheme: "https", Host: `evil.net\.zendesk.com`},
		"backslash in path": {Scheme: "https", Host: "api.example.com", Path: `/a\b`},
		"line end in host":  {Scheme: "https", Host: "api.example.com\r\nX: y"},
		"line end in path":  {Scheme: "https", Host: "api.example.com", Path: "/a\r\nX: y"},
		"line end in query": {Scheme: "https", Host: "api.example.com", RawQuery: "a\r\nX: y"},
		"dot segments":      {Scheme: "https", Host: "api.example.com", Path: "/v1/../admin"},
		"encoded dots":      {Scheme: "https", Host: "api.example.com", Path: "/v1/../admin", RawPath: "/v1/%2e%2e/admin"},
		"fragment":          {Scheme: "https", Host: "api.example.com", Fragment: "x"},
		"another host":      {Scheme: "https", Host: "evil.net"},
		"another port":      {Scheme: "https", Host: "api.example.com:22"},
		"port without one":  {Scheme: "https", Host: "api.example.com:"},
		"wildcard itself":   {Scheme: "https", Host: "zendesk.com"},
		"none":              nil,
	}
	for name, u := range tests {
		if err := s.Check(u); fault.KindOf(err) != fault.Forbidden || Sent(err) {
			t.Errorf("%s: Check(%v): %v", name, u, err)
		}
	}
	for _, address := range []string{
		"https://api.example.com", "https://API.example.com:443/a?b=c%20d", "https://acme.zendesk.com/a%2Fb/",
	} {
		u, _ := url.Parse(address)
		if err := s.Check(u); err != nil {
			t.Errorf("Check(%s): %v", address, err)
		}
	}
	req := get(t, "https://api.example.com/")
	req.Host = "evil.net"
	if _, err := s.Do(t.Context(), req); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a Host field of its own: %v", err)
	}
}

func TestOperatorMayListHostsAndRanges(t *testing.T) {
	policy, scope := everything("10.1.2.3:8080", "10.2.0.1")
	policy.AllowPrivate = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	s := scoped(t, policy, scope)
	if err := s.Check(&url.URL{Scheme: "http", Host: "10.1.2.3:8080"}); err != nil {
		t.Errorf("inside the range: %v", err)
	}
	if err := s.Check(&url.URL{Scheme: "http", Host: "10.2.0.1"}); err == nil {
		t.Error("outside the range: no error")
	}
}

// TestNameThatTurnsInwardIsRefusedAtTheDial resolves a public name to the loopback
// at the call, after Check has seen nothing wrong with it.
func TestNameThatTurnsInwardIsRefusedAtTheDial(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var connected atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connected.Add(1)
			_ = conn.Close()
		}
	}()
	var asked atomic.Int32
	system := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = system })
	net.DefaultResolver = resolver(t, func() netip.Addr {
		asked.Add(1)
		return netip.MustParseAddr("127.0.0.1")
	})
	host := fmt.Sprintf("rebind.example.com:%d", listener.Addr().(*net.TCPAddr).Port)
	policy, scope := everything(host)
	s := scoped(t, policy, scope)
	u := &url.URL{Scheme: "https", Host: host}
	if err := s.Check(u); err != nil {
		t.Fatalf("the name alone looks fine, and Check says %v", err)
	}
	for _, do := range []func(context.Context, *http.Request) (*Response, error){s.Do, s.DoOnce} {
		for _, req := range []*http.Request{post(t, u.String(), "secret"), get(t, u.String())} {
			if _, err := do(t.Context(), req); fault.KindOf(err) != fault.Forbidden || Sent(err) {
				t.Errorf("%s: %v", req.Method, err)
			}
		}
	}
	if asked.Load() == 0 || connected.Load() != 0 {
		t.Errorf("asked %d times, connected %d times; want some and none", asked.Load(), connected.Load())
	}
}

// resolver answers every question for an IPv4 address with answer's.
func resolver(t *testing.T, answer func() netip.Addr) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(dnsAnswer(buf[:n], answer), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// dnsAnswer turns a query of one question into its answer (RFC 1035 §4.1).
func dnsAnswer(query []byte, answer func() netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5
	kind := binary.BigEndian.Uint16(query[end-4:])
	out := append([]byte{}, query[:end]...)
	copy(out[2:12], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	if kind != 1 {
		return out
	}
	out[7] = 1
	addr := answer().As4()
	return append(append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), addr[:]...)
}
