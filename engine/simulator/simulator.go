// Package simulator is a pretend provider, built from definitions: for every connector it answers the
// addresses the definition names as the provider would, strictly where the RFCs are strict. Tests,
// `dowel serve --dev` and authors of connectors use it instead of a real account.
//
// It reads the RFCs for itself and shares no code with auth: what the two understand differently is
// what the tests are to find. Everything is in memory, nothing leaves the machine, and nothing here is fit to
// guard anything real.
//
// An address https://HOST/PATH?QUERY of the connector ID is served at BASE/ID/HOST/PATH?QUERY; Reroute
// makes the one from the other. The caller mounts the Simulator under BASE and strips it. Faults are
// set, and statistics read, in Go or under BASE/_control/. BASE/ID/_key gives out a key to sign with,
// BASE/ID/_launch sends the browser off as an app store would.
package simulator

import (
	"cmp"
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dowel/engine/definition"
)

// Account is somebody who can allow access at every simulated provider.
type Account struct{ ID, Email, Name string }

// Accounts are n people: Ana, Ben, and then numbered ones, with the ids 1001, 1002, ….
func Accounts(n int) []Account {
	all := []Account{
		{ID: "1001", Email: "ana@example.com", Name: "Ana Example"},
		{ID: "1002", Email: "ben@example.com", Name: "Ben Example"},
	}
	for i := len(all) + 1; i <= n; i++ {
		id := strconv.Itoa(1000 + i)
		all = append(all, Account{ID: id, Email: "user" + id + "@example.com", Name: "User " + id})
	}
	return all[:max(min(n, len(all)), 1)]
}

// Options say how the simulated providers behave.
type Options struct {
	Catalog *definition.Catalog
	// Tenant is whose own connectors are simulated as well; empty: nobody's.
	Tenant string
	// TokenLifetime is how long access tokens and sessions live; zero: 30 seconds. A definition that
	// only knows a default lifetime has tokens of that lifetime.
	TokenLifetime time.Duration
	// CodeLifetime is how long an authorization code lives; zero: 60 seconds.
	CodeLifetime time.Duration
	// PushLifetime is how long a pushed authorization request lives; zero: 60 seconds.
	PushLifetime time.Duration
	// DeviceLifetime is how long a device code lives; zero: 10 minutes. DeviceInterval is how long a client
	// has to wait between two polls; zero: 5 seconds.
	DeviceLifetime, DeviceInterval time.Duration
	// RefreshLatency is how long a token request takes before anything is decided. A client that has
	// gone by then has not been served.
	RefreshLatency time.Duration
	// Rotate replaces what the definitions say about rotation: always, sometimes, never.
	Rotate string
	// ReuseGrace replaces the definitions' reuse_grace; negative: none.
	ReuseGrace time.Duration
	// Accounts are those the consent page offers; nil: Ana and Ben.
	Accounts []Account
	// Mark stands in every secret that is issued, so that a test can look for it where none belongs.
	Mark string
	// Post is how servers of providers reach the app; nil: over HTTP, on this machine only. PostDelay has
	// them post so long after the browser was sent back, and not before.
	Post      Post
	PostDelay time.Duration
	// Document fetches what a client publishes about itself, for providers that take its address for a
	// client id; nil: none does.
	Document func(ctx context.Context, address string) ([]byte, error)
	// Control serves BASE/_control/, which anybody who can reach it may use.
	Control bool
}

// Simulator pretends to be every provider of a catalog. It is safe for concurrent use.
type Simulator struct {
	options Options

	mu      sync.Mutex
	atlases map[string]*atlas             // by connector and version
	clients map[string]map[string]*client // by connector and client id
	asked   map[string]*consent           // by the ticket in the page
	codes   map[string]*code              // by code
	pushed  map[string]*pushed            // by request URI
	devices map[string]*device            // by device code
	tokens  map[string]*token             // access tokens and sessions
	refresh map[string]*refreshToken      // refresh tokens, used ones too
	faults  map[string][]*Fault           // by connector
	stats   map[string]*Stats             // by connector
	grants  map[string][]*grant           // by connector
	keys    map[string][]registeredKey    // by connector
	// certificates are those of clients, by connector; secured is where they can be shown, see Secured.
	certificates map[string][]registeredCertificate
	secured      *securedAt
	shown        map[string]time.Time // assertions, until they end
	// consents are what people have allowed; see consentKey.
	consents map[string]bool
	// vouchers are what browsers were given to bring; see voucherKey.
	vouchers map[string]*voucher

	known  map[string][]map[string]string // answers of people, by connector
	nonces map[string]time.Time           // that were used, and when

	temporaries map[string]*temporary // by their token
}

// New returns a simulator of the catalog's connectors.
func New(o Options) *Simulator {
	o.TokenLifetime = cmp.Or(o.TokenLifetime, 30*time.Second)
	o.CodeLifetime = cmp.Or(o.CodeLifetime, time.Minute)
	o.PushLifetime = cmp.Or(o.PushLifetime, time.Minute)
	o.DeviceLifetime = cmp.Or(o.DeviceLifetime, 10*time.Minute)
	o.DeviceInterval = cmp.Or(o.DeviceInterval, 5*time.Second)
	if o.Post == nil {
		o.Post = postToLoopback
	}
	if len(o.Accounts) == 0 {
		o.Accounts = Accounts(2)
	}
	return &Simulator{
		options: o, atlases: map[string]*atlas{}, clients: map[string]map[string]*client{},
		asked: map[string]*consent{}, codes: map[string]*code{}, pushed: map[string]*pushed{}, devices: map[string]*device{}, tokens: map[string]*token{},
		refresh: map[string]*refreshToken{}, faults: map[string][]*Fault{}, stats: map[string]*Stats{},
		grants: map[string][]*grant{}, keys: map[string][]registeredKey{}, certificates: map[string][]registeredCertificate{}, shown: map[string]time.Time{},
		consents: map[string]bool{}, vouchers: map[string]*voucher{},
		known: map[string][]map[string]string{}, nonces: map[string]time.Time{}, temporaries: map[string]*temporary{},
	}
}

// client is an app registered at a simulated provider.
type client struct {
	id, secret string
	redirects  []string
	method     string            // how it agreed to authenticate, if it registered itself
	fields     map[string]string // what is registered beside them
}

// Register makes an app known at the provider of a connector. Doing it again adds a redirect URI and
// replaces the secret.
func (s *Simulator) Register(connectorID, clientID, clientSecret, redirectURI string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	apps := s.clients[connectorID]
	if apps == nil {
		apps = map[string]*client{}
		s.clients[connectorID] = apps
	}
	c := apps[clientID]
	if c == nil {
		c = &client{id: clientID}
		apps[clientID] = c
	}
	c.secret = clientSecret
	c.redirects = append(c.redirects, redirectURI)
}

// RegisterFields says what is registered with an app beside its client id and secret. Of an app that it
// does not know this of, a provider believes what it is told.
func (s *Simulator) RegisterFields(connectorID, clientID string, fields map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[connectorID][clientID]; c != nil {
		c.fields = maps.Clone(fields)
	}
}

// Reroute returns what turns an address at the provider of a connector into the address where a
// simulator mounted at base serves it.
func Reroute(base *url.URL, connectorID string) func(*url.URL) *url.URL {
	return func(u *url.URL) *url.URL {
		to := *base
		prefix := "/" + connectorID + "/" + u.Host
		to.Path = strings.TrimRight(base.Path, "/") + prefix + u.Path
		to.RawPath = strings.TrimRight(base.EscapedPath(), "/") + prefix + u.EscapedPath()
		to.RawQuery, to.Fragment, to.RawFragment = u.RawQuery, u.Fragment, u.RawFragment
		return &to
	}
}

// call is one request to a simulated provider, under way.
type call struct {
	s         *Simulator
	r         *http.Request
	connector *definition.Connector
	atlas     *atlas
	host      string
	path      string // as the provider would see it, escaped
	body      []byte
	chosen    chosen // of a token request
	fault     *Fault
}

// maxBody bounds what a client may send.
const maxBody = 1 << 20

// ServeHTTP answers as the provider would whose connector the path begins with.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if id == "_control" && s.options.Control {
		s.control(w, r, rest)
		return
	}
	if id == "_tls" {
		s.tellSecured(w)
		return
	}
	connector, err := s.options.Catalog.Current(r.Context(), s.options.Tenant, id)
	if err != nil {
		errorPage(http.StatusNotFound, "There is no connector "+id+".").write(w)
		return
	}
	if rest == "_launch" && r.Method == http.MethodGet {
		s.serveLaunch(w, r, id)
		return
	}
	if rest == "_key" && r.Method == http.MethodGet {
		s.issueKey(w, connector, r.URL.Query().Get("method"))
		return
	}
	c := &call{s: s, r: r, connector: connector, atlas: s.atlas(connector)}
	var path string
	c.host, path, _ = strings.Cut(rest, "/")
	c.path = "/" + path
	if c.body, err = readBody(w, r); err != nil {
		plain(http.StatusRequestEntityTooLarge, "the request is too large").write(w)
		return
	}
	c.serve(w)
}

// atlas returns the addresses of a connector's current version.
func (s *Simulator) atlas(c *definition.Connector) *atlas {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := c.ID + "@" + c.Version
	a := s.atlases[key]
	if a == nil {
		a = newAtlas(c)
		s.atlases[key] = a
	}
	return a
}

// serve finds out what the request is for, and answers it, or fails as it was told to.
func (c *call) serve(w http.ResponseWriter) {
	hits := c.atlas.find(c.host, c.path, c.r.URL.Query())
	if len(hits) == 0 && !c.atlas.hosted(c.host, nil) {
		errorPage(http.StatusNotFound, c.connector.Name+" is not at "+c.host+", as far as its definition says.").write(w)
		return
	}
	role := c.roleOf(hits)
	c.fault = c.s.takeFault(c.connector.ID, role, c.chosen.kind)
	c.faulted(w, func() *answer { return c.answer(role, hits) })
}

// roleOf finds out what the request is for. One address may do several things: they are told apart by
// the method, by what the consent page posts, and by the grant type.
func (c *call) roleOf(hits []hit) role {
	if len(hits) == 0 {
		return roleCall
	}
	if _, _, v := c.vouched(hits); v != nil {
		return roleConfirm
	}
	if others := slices.DeleteFunc(slices.Clone(hits), func(h hit) bool { return h.role == roleConfirm }); len(others) > 0 {
		hits = others
	}
	at := func(r role) bool {
		return slices.ContainsFunc(hits, func(h hit) bool {
			return h.role == r && (h.method == c.r.Method || r == roleAuthorize)
		})
	}
	out := hits[0].role
	if i := slices.IndexFunc(hits, func(h hit) bool { return h.method == c.r.Method }); i >= 0 {
		out = hits[i].role
	}
	if out == roleTemporary && at(roleCredentials) && c.namesToken() {
		return roleCredentials
	}
	if out != roleToken && out != roleRefresh {
		return out
	}
	if at(roleAuthorize) && c.consenting() {
		return roleAuthorize
	}
	c.chosen = c.choose(hits)
	switch {
	case c.chosen.problem != nil && at(roleRevoke):
		return roleRevoke
	case (c.chosen.problem != nil || c.chosen.foreign) && at(roleLogin): // another method's, with what was typed
		return roleLogin
	}
	return out
}

// consenting reports whether the request is the answer given on our consent page.
func (c *call) consenting() bool {
	form, err := url.ParseQuery(string(c.body))
	return err == nil && form.Has("request") && form.Has("decision")
}

func (c *call) answer(role role, hits []hit) *answer {
	switch role {
	case roleAuthorize:
		return c.authorize(c.way(hits))
	case rolePush:
		return c.push(hits[slices.IndexFunc(hits, func(h hit) bool { return h.role == rolePush })])
	case roleDevice:
		return c.deviceRequest(hits[slices.IndexFunc(hits, func(h hit) bool { return h.role == roleDevice })])
	case roleVerify:
		return c.codePage()
	case roleToken, roleRefresh:
		return c.tokenRequest()
	case roleTemporary, roleCredentials:
		return c.credentialsRequest(role, hits)
	case roleRevoke:
		if a := c.revoke(hits); a != nil {
			return a
		}
	case roleLogin:
		if a := c.login(hits); a != nil {
			return a
		}
	case roleRegister:
		return c.registerClient(hits[0])
	case roleMetadata:
		return c.metadata(hits[0])
	case roleConfirm:
		return c.confirm(hits)
	case roleKeys:
		return c.keys(hits[0])
	case roleIntrospect:
		if a := c.introspect(hits); a != nil {
			return a
		}
	}
	return c.apiCall(hits)
}

// issue makes a new secret that is recognizably ours.
func (s *Simulator) issue(what string) string {
	return issuedPrefix + what + "-" + s.options.Mark + rand.Text()
}

// issuedPrefix begins every secret a simulator issues.
const issuedPrefix = "sim-"
