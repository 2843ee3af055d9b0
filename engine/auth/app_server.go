package auth

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"dowel/engine/fault"
)

// AnyServer is what an operator writes for an app whose secret may go to whatever server a person types.
const AnyServer = "*"

// AppServers are the servers that something secret of an app goes to for one person's answers; where the
// definition decides, there are none, and an app need not say where it is registered.
type AppServers struct {
	issuer    string // who has told its addresses, as it calls itself; empty if none is discovered
	addresses []*url.URL
	typed     bool // a person decides, by typing
}

// AppServers works out where something secret of r's app goes, whichever app that will be.
func (r Request) AppServers() (AppServers, error) {
	places := r.Auth.AppPlaces()
	out := AppServers{typed: places.Any()}
	if places.Issuer || !out.typed {
		out.issuer = r.Discovered["issuer"]
	}
	if places.Issuer && out.issuer == "" {
		return out, invalidRequest("provider's address", errors.New("no issuer was discovered"))
	}
	if len(places.Addresses)+len(places.Hosts) == 0 {
		return out, nil
	}
	env := r.env(nil)
	for i := range places.Addresses {
		u, err := places.Addresses[i].FillURL(env)
		if err != nil {
			return out, invalidRequest("provider's address", err)
		}
		out.addresses = append(out.addresses, u)
	}
	for i := range places.Hosts {
		host, err := places.Hosts[i].Fill(env)
		if err != nil {
			return out, invalidRequest("provider's address", fmt.Errorf("fill host %s: %w", places.Hosts[i].Source, err))
		}
		if host = hostOf(host); host != "" {
			out.addresses = append(out.addresses, &url.URL{Scheme: "https", Host: host})
		}
	}
	return out, nil
}

// Fit says how closely an app that is registered at the given server (AnyServer; empty: nobody has said)
// belongs to s: not at all (negative), as one for any server (0), or the more the higher.
func (s AppServers) Fit(server string) int {
	switch {
	case server == AnyServer:
		return 0
	case server == "" && s.typed:
		return -1
	case server == "":
		return 1
	case s.issuer != "" && strings.TrimSuffix(server, "/") != strings.TrimSuffix(s.issuer, "/"),
		s.issuer == "" && len(s.addresses) == 0:
		return -1
	}
	at, err := url.Parse(server)
	if err != nil {
		return -1
	}
	for _, u := range s.addresses {
		if origin(u) != origin(at) || !under(u.Path, at.Path) {
			return -1
		}
	}
	return 1 + len(at.Path)
}

// origin is the scheme, host and port of an address, as they are compared.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}

// under reports whether a path is another one or lies below it. Dots in it count as whoever serves it may
// take them.
func under(below, above string) bool {
	above = strings.TrimSuffix(above, "/") + "/"
	return strings.HasPrefix(path.Clean("/"+below)+"/", above)
}

// Typed reports whether a person decides, by typing it, which servers s are.
func (s AppServers) Typed() bool { return s.typed }

// At is where an app that is made for s is registered; empty if the definition decides.
func (s AppServers) At() string {
	if s.issuer != "" || len(s.addresses) == 0 {
		return s.issuer
	}
	return origin(s.addresses[0])
}

// Name is what people call the first of s.
func (s AppServers) Name() string {
	if len(s.addresses) == 0 {
		return cmp.Or(hostOf(s.issuer), "this server")
	}
	return s.addresses[0].Host
}

// CheckApp refuses to go on with an app that is registered elsewhere. Flows begin with the right one; this is
// for what has come about otherwise: a connection that is older than the rule, or an app that has been changed.
func (r Request) CheckApp() error {
	if r.App.ID == "" || !r.Auth.AppPlaces().Any() {
		return nil
	}
	s, err := r.AppServers()
	if err == nil && s.Fit(r.App.Server) < 0 {
		err = s.NoApp()
	}
	return err
}

// ErrNoAppAt is in the chain of an error that says for which server there is no app.
var ErrNoAppAt = errors.New("an app is used at the server that it is registered at")

// NoApp says that there is no app for s.
func (s AppServers) NoApp() error {
	return fault.E(fault.Misconfigured, "there is no app for "+s.Name()+": an operator has to add it", ErrNoAppAt).WithCode("app-missing")
}
