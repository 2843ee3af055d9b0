package definition

import (
	"cmp"
	"slices"
	"strings"
)

// AppPlaces are where something secret of an app is sent, or signed for, of what a person decides by typing
// it. An operator names the server that the app is registered at, and it is used there alone.
type AppPlaces struct {
	// Issuer says that the addresses are those that an issuer tells that the person has named.
	Issuer bool
	// Addresses begin the addresses of such requests: up to what the app or an answer adds to the path.
	Addresses []Template
	// Hosts are the entries of hosts of which such an address may be one, because an answer tells it.
	Hosts []Template
}

// Any reports whether there is such a place.
func (p AppPlaces) Any() bool { return p.Issuer || len(p.Addresses)+len(p.Hosts) > 0 }

// AppPlaces are those of a.
func (a *Auth) AppPlaces() AppPlaces { return a.places }

// AppsByServer reports whether an app for a method, or (empty) for any, is registered at one of many servers
// and used there alone, so that somebody has to say which.
func (c *Connector) AppsByServer(method string) bool {
	return slices.ContainsFunc(c.appMethods(method), func(a *Auth) bool { return a.places.Any() })
}

// placesOf collects the places of a's app from all that is sent.
func (c *Connector) placesOf(a *Auth) AppPlaces {
	if !a.UsesApp() {
		return AppPlaces{}
	}
	p := &placing{c: c, a: a}
	p.exchanges()
	p.client()
	p.calls()
	return p.out
}

// placing collects where something secret of a's app is sent.
type placing struct {
	c   *Connector
	a   *Auth
	out AppPlaces
}

// exchanges looks at the requests for tokens, and at those that renew them.
func (p *placing) exchanges() {
	a := p.a
	for i, t := range a.Exchanges() {
		sends := a.credentials != nil || t.ClientAuth.shows() || p.secretIn(t.Params, t.Headers) || i == 0 && p.secretInGrant()
		p.add(sends, &t.URL)
	}
	if a.RequestToken != nil {
		p.add(true, &a.RequestToken.URL)
	}
	if r := a.Refresh; r != nil && a.Token != nil {
		sends := cmp.Or(r.ClientAuth, a.Token.ClientAuth).shows() || p.secretIn(r.Params, r.Headers) || p.secretInGrant()
		p.add(sends, cmp.Or(r.URL, &a.Token.URL))
	}
}

// secretInGrant reports whether what is traded for a token is made of a secret of the app.
func (p *placing) secretInGrant() bool {
	a := p.a
	made := []*Template{a.Username, a.Password}
	if a.Assertion != nil {
		made = append(made, &a.Assertion.Key)
	}
	if a.Exchange != nil {
		made = append(made, a.Exchange.templates()...)
	}
	return slices.ContainsFunc(made, p.secretText)
}

// client looks at the other requests in which the client shows who it is.
func (p *placing) client() {
	a := p.a
	if a.Authorize != nil && a.Authorize.PAR != nil {
		q := a.Authorize.PAR
		p.add(a.PushAuth().shows() || p.secretIn(q.Params, q.Headers), &q.URL)
	}
	if d := a.Device; d != nil {
		p.add(d.ClientAuth.shows() || p.secretIn(d.Params, d.Headers), &d.URL)
	}
	if r := a.Registration; r != nil && r.URL != nil {
		p.add(true, r.URL) // it is known there and nowhere else
	}
	p.request(a.Revoke)
	if a.Introspect != nil {
		p.request(a.Introspect.Request)
	}
	for _, q := range a.Callback.Confirm {
		p.request(q.Request)
	}
}

// calls looks at what is sent with a credential, which may carry something of the app as well.
func (p *placing) calls() {
	for _, r := range p.c.TestsFor(p.a) {
		p.request(r)
	}
	if id := p.c.IdentityFor(p.a); id != nil {
		p.request(id.Request)
		for _, s := range id.Also {
			p.request(s.Request)
		}
		p.request(id.Picture)
	}
	for _, ch := range p.c.ChoicesFor(p.a) {
		p.request(ch.Request)
	}
	switch base := p.c.APIFor(p.a).BaseURL; {
	case !p.attaches():
	case base != nil:
		p.add(true, base)
	default:
		p.told()
	}
}

// attaches reports whether every call with a credential carries, or is signed with, a secret of the app.
func (p *placing) attaches() bool {
	api := p.c.APIFor(p.a)
	if p.secretIn(api.Headers, api.Query) {
		return true
	}
	put := p.a.Apply
	if put == nil {
		return false
	}
	if p.secretIn(put.Headers, put.Query, put.Cookies, put.Body) || p.secretText(put.Path) {
		return true
	}
	return put.Basic != nil && (p.secretText(&put.Basic.Username) || p.secretText(&put.Basic.Password)) || slices.ContainsFunc(put.Sign.templates(), p.secretText)
}

func (p *placing) request(r *Request) {
	if r == nil {
		return
	}
	sends := r.Auth == "credential" && p.attaches()
	if r.Auth == "client" {
		how := r.ClientAuth
		if p.a.Token != nil {
			how = cmp.Or(how, p.a.Token.ClientAuth)
		}
		sends = how.shows()
	}
	r.EachFormula(func(e *Expression) { sends = sends || p.secret(e) })
	at := &r.URL
	if strings.HasPrefix(at.Source, "/") {
		at = p.c.APIFor(p.a).BaseURL
	}
	if at != nil {
		p.add(sends, at)
	}
}

// secretIn reports whether some value of the lists reads what is secret of the app.
func (p *placing) secretIn(lists ...Params) bool {
	for _, ps := range lists {
		for i := range ps {
			if p.secretText(&ps[i].Value) {
				return true
			}
		}
	}
	return false
}

func (p *placing) secretText(t *Template) bool {
	return t != nil && slices.ContainsFunc(t.parts, func(part part) bool { return part.expr != nil && p.secret(part.expr) })
}

// secret reports whether e reads what is secret of the app. What a hash makes of it counts as well: who has
// many of them, or may choose what is hashed, learns to speak for the app.
func (p *placing) secret(e *Expression) bool {
	return slices.ContainsFunc(e.uses, func(u use) bool {
		f, asked := p.a.AppFields.Named(u.name)
		return u.root == "app" && (u.name == "" || u.name == "client_secret" || asked && f.Secret())
	})
}

// add notes the address of a request that sends something secret of the app, if a person decides the host.
func (p *placing) add(sends bool, address *Template) {
	if !sends {
		return
	}
	host, whole := hostParts(address)
	switch p.c.decides(p.a, host, whole) {
	case byPerson:
		p.out.Addresses = addTemplate(p.out.Addresses, knownPart(address))
	case byIssuer:
		p.out.Issuer = true
	case byAnswer:
		p.told()
	}
}

// addTemplate adds what is not there yet.
func addTemplate(to []Template, t Template) []Template {
	if slices.ContainsFunc(to, func(o Template) bool { return o.Source == t.Source }) {
		return to
	}
	return append(to, t)
}

// told notes the hosts of which an address may be one that an answer tells.
func (p *placing) told() {
	for i := range p.c.Hosts {
		h := &p.c.Hosts[i]
		host, whole := hostParts(h)
		switch p.c.decides(p.a, host, whole) {
		case byPerson:
			p.out.Hosts = addTemplate(p.out.Hosts, *h)
		case byIssuer:
			p.out.Issuer = true
		}
	}
}

// decider is who decides which host an address has.
type decider int

const (
	byDefinition decider = iota // it is written out, or one of several that are, or an operator's
	byPerson                    // who types it
	byIssuer                    // a server that a person has typed
	byAnswer                    // an answer, of one of hosts
)

// decides says who decides the host that is made of parts; whole says that the first is a whole address.
func (c *Connector) decides(a *Auth, host []part, whole bool) decider {
	who := byDefinition
	for _, p := range host {
		if p.expr != nil {
			who = max(who, c.decidesValue(a, p.expr))
		}
	}
	if who != byDefinition && !whole && ownDomain(host) {
		return byDefinition
	}
	return who
}

// decidesValue says who decides what e yields.
func (c *Connector) decidesValue(a *Auth, e *Expression) decider {
	who := byDefinition
	for _, u := range e.uses {
		root, _, _ := strings.Cut(u.root, ".")
		switch root {
		case "app", "environment", "values":
		case "inputs":
			who = max(who, asks(c.Inputs, u.name))
		case "fields":
			who = max(who, asks(a.Fields, u.name))
		case "discovered":
			who = max(who, c.decidesIssuer(a))
		default:
			who = max(who, byAnswer)
		}
	}
	return who
}

// asks says who decides the answer to a question: a person, if it is an open one.
func asks(fs Fields, name string) decider {
	switch f, ok := fs.Named(name); {
	case ok && f.Told:
		return byAnswer
	case !ok:
		return byPerson
	case f.Hidden, f.Disabled, f.Type == "select":
		return byDefinition
	}
	return byPerson
}

// decidesIssuer says who decides the server whose documents a reads addresses from.
func (c *Connector) decidesIssuer(a *Auth) decider {
	d := a.Discovery
	if d == nil {
		return byDefinition
	}
	for _, t := range []*Template{d.Issuer, d.Resource} {
		if t == nil {
			continue
		}
		if host, whole := hostParts(t); c.decides(a, host, whole) != byDefinition {
			return byIssuer
		}
	}
	return byDefinition
}

// ownDomain reports whether a host ends with a domain that is written out, and that not anybody can have a
// host under.
func ownDomain(host []part) bool {
	end := host[len(host)-1]
	_, domain, dotted := strings.Cut(strings.ToLower(end.text), ".")
	return end.expr == nil && dotted && strings.Contains(domain, ".") && !wideSuffix.MatchString(domain)
}

// knownPart is the beginning of an address up to the first value that is not known before there is an app, or
// to its query.
func knownPart(t *Template) Template {
	out := Template{Source: t.Source, At: t.At}
	for _, p := range t.parts {
		if p.expr != nil && !knownBefore(p.expr) {
			return out
		}
		if end := strings.IndexAny(p.text, "?#"); end >= 0 {
			out.parts = append(out.parts, part{text: p.text[:end]})
			return out
		}
		out.parts = append(out.parts, p)
	}
	return out
}

// knownBefore reports whether e reads nothing but what is known before there is an app.
func knownBefore(e *Expression) bool {
	return !slices.ContainsFunc(e.uses, func(u use) bool {
		root, _, _ := strings.Cut(u.root, ".")
		return !slices.Contains([]string{"inputs", "fields", "environment", "values", "discovered"}, root)
	})
}
