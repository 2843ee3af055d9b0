package egress

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"dowel/engine/fault"
)

// refused is what a caller is told about every address that may not be called,
// so that the answer does not tell what is there.
func refused(why string) error {
	return fault.E(fault.Forbidden, "the address is not allowed", &unsent{errors.New(why)})
}

// Check reports whether Do would call u, as far as that can be said without
// resolving its name: the same judgement at upload as at the call. It fails
// with fault.Forbidden.
func (s *Scoped) Check(u *url.URL) error {
	_, err := s.checked(u)
	return err
}

// checked returns u as everybody will read it: printed, parsed again, and held
// against the scope and the policy.
func (s *Scoped) checked(given *url.URL) (*url.URL, error) {
	if given == nil {
		return nil, refused("no URL")
	}
	u, err := url.Parse(given.String())
	if err != nil {
		return nil, refused("the URL does not parse")
	}
	switch {
	case u.Host != given.Host || u.Scheme != given.Scheme:
		return nil, refused("the URL reads differently the second time")
	case u.User != nil:
		return nil, refused("the URL has userinfo")
	case u.Opaque != "" || u.Fragment != "":
		return nil, refused("the URL is opaque or has a fragment")
	case strings.Contains(u.Host+u.Path+u.RawQuery, `\`):
		return nil, refused("the URL has a backslash")
	case hasControl(u.Path + u.RawQuery):
		return nil, refused("the URL has a control character")
	case hasDotSegment(u.Path):
		return nil, refused("the URL has a dot segment")
	case !plainHost(u.Hostname()):
		return nil, refused(fmt.Sprintf("the host %q is not in plain form", u.Hostname()))
	}
	host, ok := s.hostFor(u)
	if !ok {
		return nil, refused(fmt.Sprintf("scheme %q is not allowed for %q", u.Scheme, u.Host))
	}
	if !matchAny(s.scope.Hosts, host) {
		return nil, refused(fmt.Sprintf("the connector does not declare %q", host))
	}
	if ip, ok := literalAddr(u.Hostname()); ok {
		guard := s.client.guard
		if s.scope.PublicOnly {
			guard = s.client.strict
		}
		if err := guard.SafeAddr(ip); err != nil {
			return nil, refused(err.Error())
		}
	}
	return u, nil
}

// hostFor returns u's host without the port its scheme implies, and whether the scheme may be used.
func (s *Scoped) hostFor(u *url.URL) (string, bool) {
	host := u.Host
	switch {
	case strings.HasSuffix(host, ":"):
		return "", false
	case u.Scheme == "https":
		return strings.TrimSuffix(host, ":443"), true
	case u.Scheme == "http":
		host = strings.TrimSuffix(host, ":80")
		return host, matchAny(s.client.policy.AllowHTTP, host)
	}
	return "", false
}

func matchAny(patterns []string, host string) bool {
	for _, pattern := range patterns {
		if MatchHost(pattern, host) {
			return true
		}
	}
	return false
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c < 0x20 || c == 0x7f })
}

func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// hopByHop reports whether a field governs the connection, which is ours (RFC 9110 §7.6.1).
func hopByHop(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Expect", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// checkHeader refuses fields that would end the header early, start another
// field, or steer the connection.
func checkHeader(h http.Header) error {
	for name, values := range h {
		if name == "" || strings.ContainsFunc(name, notTokenChar) {
			return badHeader(fmt.Sprintf("field name %q", name))
		}
		if hopByHop(name) {
			return badHeader("field " + name + " belongs to the connection")
		}
		for _, value := range values {
			if hasControl(strings.ReplaceAll(value, "\t", " ")) {
				return badHeader("control character in field " + name)
			}
		}
	}
	return nil
}

func badHeader(why string) error {
	return fault.E(fault.Invalid, "a header of the request is not allowed", &unsent{errors.New(why)})
}

// notTokenChar reports whether c is outside RFC 9110 §5.6.2's tchar.
func notTokenChar(c rune) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}
