package simulator

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"dowel/engine/definition"
)

// consent is an authorization request that waits for its answer.
type consent struct {
	code
	state  string
	claims map[string]any // of a token that signs the answer
	postTo string         // where the server posts, if that is told apart from where the browser goes
	decide sync.Once
	// temporary are the credentials that are to be authorized (RFC 5849 §2.2); nil for OAuth 2.0.
	temporary *temporary
	answer    *answer // what was decided
}

// code is an authorization code and what it was given for.
type code struct {
	connector, client, redirect string
	challenge, challengeMethod  string
	auth                        *definition.Auth
	account                     Account
	scopes                      map[string][]string
	nonce                       string
	issuer                      string // told by the address, where addresses are discovered
	resource                    string // for which the tokens are (RFC 8707)
	inputs                      slots  // in the address
	expires                     time.Time
	grant                       *grant // what it was traded for; nil before
}

// authorize shows the consent page, or takes its answer.
func (c *call) authorize(h hit) *answer {
	if c.r.Method == http.MethodPost {
		return c.decide()
	}
	if h.auth.Kind == definition.OAuth1 {
		return c.authorizeTemporary(h)
	}
	got, p := c.query()
	if p != nil {
		return c.stop("The request is ambiguous: " + p.description + ".")
	}
	query := c.r.URL.RawQuery
	if h.auth.Authorize.PAR != nil {
		if got, query = c.pulled(h, got), ""; got == nil {
			return c.stop("invalid_request_uri: this provider takes authorization requests only if they were pushed to it by the same app just before, once.")
		}
	}
	if a := c.program(h.auth, got); a != nil {
		return a
	}
	names := h.auth.Authorize.Names
	param := func(standard string) string {
		name, _ := names.Name(standard)
		return got[name]
	}
	// RFC 6749 §4.1.2.1: with a wrong client or redirect URI the browser must not be sent anywhere.
	app := c.asking(h.auth, param("client_id"))
	if app == nil {
		return c.stop("No app is registered here with the client id “" + param("client_id") + "”.")
	}
	redirect, state := asksState(h.auth, param)
	if _, sent := names.Name("redirect_uri"); sent && !app.registered(h.auth, redirect) {
		return c.stop("redirect_uri_mismatch: “" + redirect + "” is not registered for this app.")
	}
	if state == "" {
		return c.stop("The request has no state, so that the answer could not be told from a forged one.")
	}
	if redirect == "" {
		redirect = app.redirects[0]
	}
	ask := &consent{state: state, code: code{
		inputs: h.slots, connector: c.connector.ID, client: app.id, redirect: redirect, auth: h.auth,
		issuer: c.issuerOf(h.auth), resource: got["resource"],
	}}
	if p := ask.read(h, got, query, param); p != nil {
		return c.back(ask, url.Values{"error": {p.code}, "error_description": {p.description}})
	}
	c.count(func(s *Stats) { s.Authorize++ })
	return c.consentPage(ask)
}

// way is the method that asks. Where several begin at one address, it is the one that has most of the
// scopes that are asked for, and none that is not.
func (c *call) way(hits []hit) hit {
	best, most := hits[0], -1
	got, _ := c.query()
	for _, h := range hits {
		if h.role != roleAuthorize {
			continue
		}
		if n, all := asked(h.auth, got); all && n > most {
			best, most = h, n
		}
	}
	return best
}

// asked counts the scopes of a that a request asks for, and reports whether it asks for all of them.
func asked(a *definition.Auth, got params) (n int, all bool) {
	groups := scopeGroups(a)
	for i := range groups {
		g := &groups[i]
		name, _ := a.Authorize.Names.Name(cmp.Or(g.Parameter, "scope"))
		list := cut(got[name], g.Sep())
		for _, s := range slices.Concat(g.Default, g.Required) {
			if s.Literal() && !slices.Contains(list, s.Source) {
				return n, false
			}
			n++
		}
	}
	return n, true
}

// asking is the app that asks. Where the person brings the client, or the provider knows no apps, anybody
// may ask; where another parameter tells the app, it may say anything, and the only one is meant.
func (c *call) asking(a *definition.Auth, id string) *client {
	_, sent := a.Authorize.Names.Name("client_id")
	switch app := c.app(id); {
	case app != nil:
		return app
	case a.Registration != nil:
		return c.documented(a, id)
	case !a.NeedsApp():
		return &client{id: id}
	case !sent:
		return c.onlyApp()
	}
	return nil
}

func (c *call) app(id string) *client {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.clients[c.connector.ID][id]
}

// onlyApp is the app registered here if there is just one.
func (c *call) onlyApp() *client {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	clients := slices.Collect(maps.Values(c.s.clients[c.connector.ID]))
	if len(clients) != 1 {
		return nil
	}
	return clients[0]
}

func (c *call) stop(why string) *answer {
	c.count(func(s *Stats) { s.Refused["authorize"]++ })
	return errorPage(http.StatusBadRequest, why)
}

// read takes the rest of the request in, and refuses it where the definition would not have made it so.
func (ask *consent) read(h hit, got params, query string, param func(string) string) *problem {
	_, sent := h.auth.Authorize.Names.Name("response_type")
	if sent && h.auth.Kind == definition.AuthorizationCode && param("response_type") != "code" {
		return refuse("unsupported_response_type", "response_type must be code")
	}
	if p := ask.readChallenge(h.auth.PKCE, param("code_challenge"), param("code_challenge_method")); p != nil {
		return p
	}
	filled, p := constants(h.auth.Authorize.Params, got)
	if p == nil {
		p = unnamed(h.auth.Authorize.Names, h.auth.Authorize.Params, got)
	}
	if p != nil {
		return p
	}
	if ask.nonce = got["nonce"]; ask.nonce == "" && h.auth.IDToken != nil {
		return refuse("invalid_request", "nonce is missing")
	}
	ask.postTo = filled["callback.redirect_uri"]
	ask.scopes, p = scopesAsked(h.auth, h.auth.Authorize.Names, got, query)
	return p
}

// scopesAsked reads the scopes that are asked for, group by group; query is the text of the address.
func scopesAsked(a *definition.Auth, names definition.Names, got params, query string) (map[string][]string, *problem) {
	out := map[string][]string{}
	groups := scopeGroups(a)
	for i := range groups {
		g := &groups[i]
		name, _ := names.Name(cmp.Or(g.Parameter, "scope"))
		list := cut(got[name], g.Sep())
		if g.Raw() && escapedInVain(query, name) {
			return nil, refuse("invalid_scope", name+" is compared as it is written, and was escaped")
		}
		if i := slices.IndexFunc(list, func(s string) bool { return strings.ContainsAny(s, " ,;") }); i >= 0 {
			return nil, refuse("invalid_scope", "there is no scope "+list[i])
		}
		for _, want := range g.Required {
			if want.Literal() && !slices.Contains(list, want.Source) {
				return nil, refuse("invalid_scope", "the scope "+want.Source+" is required")
			}
		}
		out[g.Name] = list
	}
	return out, nil
}

// readChallenge checks the form of the code challenge (RFC 7636 §4.2, §4.3).
func (ask *consent) readChallenge(pkce definition.PKCE, challenge, method string) *problem {
	want, size := cmp.Or(pkce.Method, "S256"), 43
	if pkce.Encoding == "hex" {
		size = 64
	}
	switch {
	case challenge == "" && method != "":
		return refuse("invalid_request", "code_challenge_method without code_challenge")
	case challenge == "" && pkce.Mode == "required":
		return refuse("invalid_request", "code_challenge is required")
	case challenge == "":
		return nil
	case pkce.Mode == "off":
		return refuse("invalid_request", "this provider refuses code_challenge")
	case cmp.Or(method, "plain") != want:
		return refuse("invalid_request", "code_challenge_method must be "+want)
	case want == "S256" && len(challenge) != size || len(challenge) < 43 || len(challenge) > 128 || strings.Trim(challenge, unreserved) != "":
		return refuse("invalid_request", "code_challenge is not what "+want+" makes")
	}
	ask.challenge, ask.challengeMethod = challenge, want
	return nil
}

func cut(list, separator string) []string {
	return slices.DeleteFunc(strings.Split(list, separator), func(s string) bool { return s == "" })
}

// decide takes the answer given on the consent page.
func (c *call) decide() *answer {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return c.stop("The form cannot be read.")
	}
	c.s.mu.Lock()
	ask := c.s.asked[form.Get("request")]
	c.s.mu.Unlock()
	if ask == nil || ask.connector != c.connector.ID {
		return c.stop("This question is not known here. Start again in the app.")
	}
	// A question is answered once. People press twice, and their browser shows the second answer.
	ask.decide.Do(func() { ask.answer = c.decided(ask, form) })
	return ask.answer
}

// decided is the answer to a question.
func (c *call) decided(ask *consent, form url.Values) *answer {
	if form.Get("decision") != "allow" {
		c.count(func(s *Stats) { s.Denied++ })
		if ask.temporary != nil {
			return c.back(ask, c.authorized(ask, nil, false))
		}
		return c.back(ask, refused(ask.auth))
	}
	granted := ask.code
	granted.account = c.s.account(form.Get("account"))
	granted.expires = time.Now().Add(c.s.options.CodeLifetime)
	if ask.temporary != nil {
		return c.back(ask, c.authorized(ask, &granted, true))
	}
	values, posted := c.allowed(ask, &granted)
	if ask.auth.Callback.From == definition.FromPost {
		if problem := c.hand(ask, posted); problem != "" {
			return c.stop(problem)
		}
	}
	return c.back(ask, values)
}

// env holds the inputs found in an address, for templates.
func (s slots) env() definition.Env {
	inputs, fields := map[string]any{}, map[string]any{}
	for k, v := range s {
		if name, ok := strings.CutPrefix(k, "inputs."); ok {
			inputs[name] = v
		} else if name, ok := strings.CutPrefix(k, "fields."); ok {
			fields[name] = v
		}
	}
	return definition.Env{"inputs": inputs, "fields": fields}
}
