package egress

import (
	"net"
	"net/netip"
	"strings"
)

// MatchHost reports whether host, with its port if that is not the scheme's
// own, is what pattern names. A pattern is a host ("api.example.com",
// "10.0.0.7:8443", "[2001:db8::1]"), or "*." and a domain of at least two
// labels, which stands for every name below that domain and not for the domain
// itself. Letter case does not matter; punycode is compared as it stands.
func MatchHost(pattern, host string) bool {
	pattern, patternPort := splitPort(strings.ToLower(pattern))
	host, port := splitPort(strings.ToLower(host))
	if host == "" || port != patternPort {
		return false
	}
	domain, wild := strings.CutPrefix(pattern, "*.")
	if !wild {
		return host == pattern
	}
	left, below := strings.CutSuffix(host, "."+domain)
	return below && strings.Contains(domain, ".") && left != "" &&
		!strings.HasPrefix(left, ".") && !strings.HasSuffix(left, ".")
}

// splitPort cuts the port off; the port of https counts as none.
func splitPort(host string) (name, port string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), ""
	}
	if port == "443" {
		port = ""
	}
	return name, port
}

// plainHost reports whether name is spelt the one way everybody reads alike: an
// IP address in its usual form, or labels of letters, digits, hyphens and
// underscores. Names that some resolvers take for a number (127.1, 0x7f000001,
// 2130706433), the empty label (a stop at the end) and non-ASCII are not.
func plainHost(name string) bool {
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.Zone() == ""
	}
	if len(name) == 0 || len(name) > 253 {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if !plainLabel(label) {
			return false
		}
	}
	// The URL standard: a host whose last label is a number is an IPv4 address.
	last := labels[len(labels)-1]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(strings.ToLower(last), "0x")
}

func plainLabel(label string) bool {
	if len(label) == 0 || len(label) > 63 {
		return false
	}
	for _, c := range []byte(label) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// literalAddr returns the address that name stands for without being resolved.
func literalAddr(name string) (netip.Addr, bool) {
	name = strings.ToLower(name)
	// RFC 6761 §6.3: these names are the loopback, whatever a resolver says.
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	ip, err := netip.ParseAddr(name)
	return ip.Unmap(), err == nil
}
