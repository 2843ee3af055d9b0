package egress

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"code.dny.dev/ssrf"
)

// A Policy is what the operator allows, for all calls alike. The zero Policy is
// the strict one: public addresses, https, no proxy.
type Policy struct {
	// AllowPrivate lists address ranges that may be dialled though they are not
	// public, such as 10.20.0.0/16, or 127.0.0.0/8 in a test; see Scope.PublicOnly.
	AllowPrivate []netip.Prefix
	// AllowHTTP lists hosts, in the form of MatchHost's patterns, that may be
	// called without TLS.
	AllowHTTP []string
	// ExtraCA is PEM: authorities trusted in addition to the system's.
	ExtraCA []byte
	// Timeout limits one call from dialling to the last byte of the body;
	// 10 seconds if zero, 30 at most.
	Timeout time.Duration
	// MaxBody is the largest body read, in bytes after inflation; 1 MiB if zero.
	MaxBody int64
	// MaxHeader is the largest response header read, in bytes; 64 KiB if zero.
	MaxHeader int64
	// Proxy is the operator's own proxy, and a trusted hop: it resolves names
	// and so must keep private addresses closed itself. The environment's
	// proxy variables are never read.
	Proxy *url.URL
	// PerHost is how many calls may be under way to one host; 64 if zero.
	PerHost int
}

// withDefaults returns p with its zero fields filled in, or says everything that is wrong with it.
func (p Policy) withDefaults() (Policy, error) {
	var problems []error
	setDefault(&p.Timeout, 10*time.Second)
	setDefault(&p.MaxBody, 1<<20)
	setDefault(&p.MaxHeader, 64<<10)
	setDefault(&p.PerHost, 64)
	if p.Timeout < 0 || p.Timeout > 30*time.Second {
		problems = append(problems, fmt.Errorf("timeout %s is not between 0 and 30s", p.Timeout))
	}
	if p.MaxBody < 0 || p.MaxHeader < 0 || p.PerHost < 0 {
		problems = append(problems, errors.New("a limit is negative"))
	}
	if p.Proxy != nil && (p.Proxy.Host == "" || p.Proxy.Scheme != "http" && p.Proxy.Scheme != "https") {
		problems = append(problems, errors.New("the proxy is not an http or https URL"))
	}
	return p, errors.Join(problems...)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// guardian returns the judge of addresses to dial: the public ones, and those allowed.
func guardian(allowed []netip.Prefix) *ssrf.Guardian {
	var v4, v6 []netip.Prefix
	for _, prefix := range allowed {
		if prefix.Addr().Is4() {
			v4 = append(v4, prefix)
		} else {
			v6 = append(v6, prefix)
		}
	}
	return ssrf.New(
		ssrf.WithAnyPort(), // The scope's host patterns say which port.
		ssrf.WithAllowedV4Prefixes(v4...),
		ssrf.WithAllowedV6Prefixes(v6...),
		// Azure's wire server: a public address that answers inside only.
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32")),
	)
}

// roots returns the trusted authorities; nil means the system's.
func (p Policy) roots() (*x509.CertPool, error) {
	if len(p.ExtraCA) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read system certificates: %w", err)
	}
	if !pool.AppendCertsFromPEM(p.ExtraCA) {
		return nil, errors.New("the extra authorities hold no PEM certificate")
	}
	return pool, nil
}
