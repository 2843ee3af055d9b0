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
	inputs slots
	decide sync.Once
	answer *answer // what was decided
}

// code is an authorization code and what it was given for.
type code struct {
	connector, client, redirect string
	challenge, challengeMethod  string
	auth                        *definition.Auth
	account                     Account
	scopes                      map[string][]string
	expires                     time.Time
	grant                       *grant // what it was traded for; nil before
}

// authorize shows the consent page, or takes its answer.
func (c *call) authorize(h hit) *answer {
	if c.r.Method == http.MethodPost {
		return c.decide()
	}
	got, p := c.query()
	if p != nil {
		return c.stop("The request is ambiguous: " + p.description + ".")
	}
	names := h.auth.Authorize.Names
	param := func(standard string) string {
		name, _ := names.Name(standard)
		return got[name]
	}
	// RFC 6749 §4.1.2.1: with a wrong client or redirect URI the browser must not be sent anywhere.
	app := c.app(param("client_id"))
	if _, sent := names.Name("client_id"); !sent {
		app = c.onlyApp() // told by another parameter, which may say anything
	}
	if app == nil {
		return c.stop("No app is registered here with the client id “" + param("client_id") + "”.")
	}
	redirect := param("redirect_uri")
	if _, sent := names.Name("redirect_uri"); sent && !slices.Contains(app.redirects, redirect) {
		return c.stop("redirect_uri_mismatch: “" + redirect + "” is not registered for this app.")
	}
	state := param("state")
	if state == "" {
		return c.stop("The request has no state, so that the answer could not be told from a forged one.")
	}
	ask := &consent{state: state, inputs: h.slots, code: code{
		connector: c.connector.ID, client: app.id, redirect: cmp.Or(redirect, app.redirects[0]), auth: h.auth,
	}}
	if p := ask.read(h, got, param); p != nil {
		return c.back(ask, url.Values{"error": {p.code}, "error_description": {p.description}})
	}
	c.count(func(s *Stats) { s.Authorize++ })
	return c.consentPage(ask)
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
func (ask *consent) read(h hit, got params, param func(string) string) *problem {
	if _, sent := h.auth.Authorize.Names.Name("response_type"); sent && param("response_type") != "code" {
		return refuse("unsupported_response_type", "response_type must be code")
	}
	if p := ask.readChallenge(h.auth.PKCE, param("code_challenge"), param("code_challenge_method")); p != nil {
		return p
	}
	if _, p := constants(h.auth.Authorize.Params, got); p != nil {
		return p
	}
	ask.scopes = map[string][]string{}
	groups := h.auth.ScopeGroups
	if h.auth.Scopes != nil {
		groups = definition.ScopeGroups{{Scopes: *h.auth.Scopes}}
	}
	for i := range groups {
		g := &groups[i]
		list := cut(got[cmp.Or(g.Parameter, "scope")], g.Sep())
		for _, want := range g.Required {
			if want.Literal() && !slices.Contains(list, want.Source) {
				return refuse("invalid_scope", "the scope "+want.Source+" is required")
			}
		}
		ask.scopes[g.Name] = list
	}
	return nil
}

// readChallenge checks the form of the code challenge (RFC 7636 §4.2, §4.3).
func (ask *consent) readChallenge(pkce definition.PKCE, challenge, method string) *problem {
	want := cmp.Or(pkce.Method, "S256")
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
	case want == "S256" && len(challenge) != 43 || len(challenge) < 43 || len(challenge) > 128 || strings.Trim(challenge, unreserved) != "":
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
		return c.back(ask, url.Values{"error": {"access_denied"}, "error_description": {"The person chose not to allow access."}})
	}
	granted := ask.code
	granted.account = c.s.account(form.Get("account"))
	granted.expires = time.Now().Add(c.s.options.CodeLifetime)
	value := c.s.issue("code")
	c.s.mu.Lock()
	c.s.codes[value] = &granted
	c.s.statsOf(c.connector.ID).Allowed++
	c.s.mu.Unlock()
	answer := url.Values{cmp.Or(ask.auth.Callback.Code, "code"): {value}}
	for _, name := range callbackNames(ask.auth) {
		// Part of a host, for some providers.
		answer.Set(name, "sim-"+strings.ReplaceAll(strings.ToLower(name), "_", "-"))
	}
	return c.back(ask, answer)
}

// callbackNames are the further parameters of the callback that the definition reads.
func callbackNames(a *definition.Auth) []string {
	d := document{}
	for i := range a.Callback.Capture {
		d.place(&a.Callback.Capture[i].Value, true)
	}
	query, _ := d.get([]any{"callback", "query"}).(map[string]any)
	var out []string
	for name := range query {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// back sends the browser to the app with an answer (RFC 6749 §4.1.2, RFC 9207).
func (c *call) back(ask *consent, values url.Values) *answer {
	name := "state"
	if to, sent := ask.auth.Authorize.Names.Name("state"); sent {
		name = to
	}
	values.Set(name, ask.state)
	if ask.auth.Issuer != nil {
		if iss, err := ask.auth.Issuer.Fill(ask.inputs.env()); err == nil {
			values.Set("iss", iss)
		}
	}
	if ask.auth.Callback.FormPost {
		return formPostPage(c.connector.Name, ask.redirect, values)
	}
	to, err := url.Parse(ask.redirect)
	if err != nil {
		return c.stop("The redirect URI cannot be read.")
	}
	query := to.Query()
	for k, v := range values {
		query[k] = v
	}
	to.RawQuery = query.Encode()
	a := plain(http.StatusSeeOther, "Back to "+to.Host)
	return a.set("Location", to.String()).set("Cache-Control", "no-store").set("Referrer-Policy", "no-referrer")
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
