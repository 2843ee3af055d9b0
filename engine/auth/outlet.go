package auth

import (
	"fmt"
	"net/url"
	"strings"

	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
)

// Outlet is how requests of definitions leave.
type Outlet struct {
	Client *egress.Client
	// Simulate, in development, returns where the addresses of a connector really lead: both our calls
	// and the browser's. Nil means to the provider.
	Simulate func(connector string) func(*url.URL) *url.URL
	// SimulateTLS does so for calls that show a client certificate, which takes TLS; nil: as Simulate.
	SimulateTLS func(connector string) func(*url.URL) *url.URL
	// Documents keeps what providers publish about themselves; nil: it is fetched whenever it is needed.
	Documents *Documents
}

// scoped returns the way out for r, for what is only looked at or shows no certificate: the hosts its
// definition declares and no others.
func (r Request) scoped() (*egress.Scoped, error) {
	scope, err := r.scope()
	if err != nil {
		return nil, err
	}
	return r.Outlet.Client.For(scope), nil
}

func (r Request) scope() (egress.Scope, error) {
	env := r.env(nil)
	scope := egress.Scope{Name: r.Connector.ID, PublicOnly: r.Connector.PublicOnly(r.Auth)}
	for i := range r.Connector.Hosts {
		h := &r.Connector.Hosts[i]
		if h.Literal() {
			scope.Hosts = append(scope.Hosts, h.Source)
			continue
		}
		host, err := h.Fill(env)
		if err != nil {
			return scope, invalidRequest("provider's address", fmt.Errorf("fill host %s: %w", h.Source, err))
		}
		if h.Source == definition.DiscoveredHosts {
			scope.Hosts = append(scope.Hosts, strings.Fields(host)...)
			continue
		}
		// A value that was not asked for leaves a hole, and no host.
		if host = hostOf(host); host != "" && host[0] != '.' && wildcards(host) == wildcards(h.Source) {
			scope.Hosts = append(scope.Hosts, host)
		}
	}
	if r.Outlet.Simulate != nil {
		scope.Reroute = r.Outlet.Simulate(r.Connector.ID)
	}
	return scope, nil
}

// wildcards counts those of a host pattern: a value that was filled in must not bring one.
func wildcards(host string) int { return strings.Count(host, "*") }

// hostOf takes the host of what may be a whole address.
func hostOf(s string) string {
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		return u.Host
	}
	return s
}

// browserURL checks an address the browser is to be sent to by the same rules as our own calls, and
// returns where it leads.
func (r Request) browserURL(u *url.URL) (*url.URL, error) {
	out, err := r.scoped()
	if err != nil {
		return nil, err
	}
	page := *u
	page.Fragment, page.RawFragment = "", "" // it goes nowhere but to the page
	if err := out.Check(&page); err != nil {
		return nil, fault.E(fault.KindOf(err), "the provider's address is not allowed", err)
	}
	if r.Outlet.Simulate != nil {
		return r.Outlet.Simulate(r.Connector.ID)(u), nil
	}
	return u, nil
}
