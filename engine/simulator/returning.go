package simulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// allowed is what the browser brings back when the person has said yes: the code, and everything else
// that the definition reads of the callback. s.mu is not held.
func (c *call) allowed(ask *consent, granted *code) (browser url.Values, server map[string]any) {
	s, a := c.s, ask.auth
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statsOf(c.connector.ID).Allowed++
	told := document{}
	if id := c.connector.IdentityFor(a); id != nil {
		told.identity(id, granted.account) // some tell here who allowed it
	}
	told.decide(a.Callback.Denied, false)
	if name, _ := codeName(a); name != "" {
		value := s.issue("code")
		s.codes[value] = granted
		told.set([]any{"callback", carrier(a), name}, value)
	}
	var g *grant
	if a.Token == nil {
		g = s.newGrant(c.connector.ID, a, granted.client, granted.account)
		g.scopes = granted.scopes
	}
	fields := map[string]any{}
	for i := range a.Callback.Fields {
		f := &a.Callback.Fields[i]
		fields[f.Name] = c.handedOut(g, a, f.Name)
		told.place(&f.Value, fields[f.Name])
	}
	for i := range a.Callback.Capture {
		told.place(&a.Callback.Capture[i].Value, c.capturedValue(a.Callback.Capture[i].Name))
	}
	for name, scopes := range ask.toldScopes() {
		told.set([]any{"callback", "query", name}, scopes)
	}
	if a.ConfirmReads("callback.query", "code") {
		told.set([]any{"callback", "query", "code"}, s.issue("code"))
	}
	for _, name := range a.Callback.Required {
		if told.get([]any{"callback", "query", name}) == nil && told.get([]any{"callback", "posted", name}) == nil {
			told.set([]any{"callback", carrier(a), name}, "sim-"+strings.ToLower(name))
		}
	}
	granted.inputs = merged(granted.inputs, captured(a.Callback.Capture, told))
	c.vouch(ask, granted.account, told, fields)
	ask.claims, _ = told.get([]any{"claims"}).(map[string]any)
	s.consents[consentKey(c.connector.ID, a, granted.client)] = true
	server, _ = told.get([]any{"callback", "posted"}).(map[string]any)
	return told.brought(), server
}

// captured is what a definition takes out of what it is told: it has to be shown again.
func captured(all definition.Captures, told document) slots {
	env, out := definition.Env{}, slots{}
	for name, v := range told {
		env[name] = v
	}
	for i := range all {
		if v := definition.Text(all[i].Value.Value(env)); v != "" {
			out["captured."+all[i].Name] = v
		}
	}
	return out
}

// carrier is what brings the answer proper: the browser, or the provider's server.
func carrier(a *definition.Auth) string {
	if a.Callback.From == definition.FromPost {
		return "posted"
	}
	return "query"
}

// consentKey tells apart what people have allowed whom. A client that the person brings is not in the
// authorization request of every provider.
func consentKey(connector string, a *definition.Auth, client string) string {
	if _, sent := a.Authorize.Names.Name("client_id"); !sent {
		client = ""
	}
	return connector + "\x00" + a.ID + "\x00" + client
}

// codeName is the parameter that brings the code, and the one of the token request that takes it back.
// A provider without a code has something else traded: what the token request reads of the callback.
func codeName(a *definition.Auth) (name, param string) {
	if a.Kind != definition.AuthorizationCode {
		return "", ""
	}
	if name := a.CodeName(); name != "" {
		return name, "code"
	}
	for _, p := range a.Token.Params {
		if name, ok := strings.CutPrefix(p.Value.Source, "${callback.query."); ok {
			return strings.TrimSuffix(name, "}"), p.Name
		}
	}
	return "", ""
}

// handedOut is a value for a field of the method that the callback answers: a secret is good until the
// grant ends, if there is one. s.mu is held.
func (c *call) handedOut(g *grant, a *definition.Auth, field string) string {
	f, _ := a.Fields.Named(field)
	if len(f.Options) > 0 {
		return f.Options[0].Value
	}
	if !f.Secret() {
		return cmp.Or(f.Example, "sim-"+strings.ReplaceAll(field, "_", "-"))
	}
	if g == nil {
		return c.s.issue("key")
	}
	value := c.s.newToken(g, "fields."+field, 0)
	if _, bad := f.Accept(value); bad == nil {
		return value
	}
	// Keys begin with a word of the provider's, which its example shows.
	known := c.s.tokens[value]
	delete(c.s.tokens, value)
	value = f.Example[:strings.LastIndexAny(f.Example, "_-")+1] + value
	c.s.tokens[value] = known
	return value
}

// toldScopes are the granted scopes by the parameters of the callback that the definition reads them
// from.
func (ask *consent) toldScopes() map[string]string {
	out := map[string]string{}
	for _, g := range scopeGroups(ask.auth) {
		if g.Granted == nil || !reads(g.Granted, "callback.query") {
			continue
		}
		d := document{}
		tellGranted(d, g.Granted, ask.scopes[g.Name], g.Sep())
		for name, v := range d.brought() {
			out[name] = v[0]
		}
	}
	return out
}

func scopeGroups(a *definition.Auth) definition.ScopeGroups {
	if a.Scopes != nil {
		return definition.ScopeGroups{{Scopes: *a.Scopes}}
	}
	return a.ScopeGroups
}

// refused is what the browser brings back when the person has said no: an error (RFC 6749 §4.1.2.1), or
// what the definition takes for one.
func refused(a *definition.Auth) url.Values {
	if a.Callback.Denied == nil {
		return url.Values{"error": {"access_denied"}, "error_description": {"The person chose not to allow access."}}
	}
	d := document{}
	d.decide(a.Callback.Denied, true)
	return d.brought()
}

// brought are the parameters of the callback that are in d.
func (d document) brought() url.Values {
	query, _ := d.get([]any{"callback", "query"}).(map[string]any)
	out := url.Values{}
	for name, v := range query {
		text := definition.Text(v)
		if _, nested := v.(map[string]any); nested {
			b, err := json.Marshal(v)
			if err != nil {
				continue // what an identity reads can be written
			}
			text = string(b)
		}
		if text != "" {
			out.Set(name, text)
		}
	}
	return out
}

// back sends the browser to the app with an answer (RFC 6749 §4.1.2, RFC 9207).
func (c *call) back(ask *consent, values url.Values) *answer {
	to, err := url.Parse(ask.redirect)
	if err != nil {
		return c.stop("The redirect URI cannot be read.")
	}
	if ask.auth.Authorize.StateIn != definition.InRedirectURI {
		values.Set(stateName(ask.auth), ask.state)
	}
	if ask.issuer != "" {
		values.Set("iss", ask.issuer)
	} else if ask.auth.Issuer != nil {
		if iss, known := ask.inputs.fill(ask.auth.Issuer.Source); known {
			values.Set("iss", iss)
		}
	}
	if v := ask.auth.Callback.Verify; v != nil && values.Get("error") == "" {
		if err := c.sign(v, cmp.Or(c.app(ask.client), &client{id: ask.client}), ask.inputs, values, ask.claims); err != nil {
			return c.stop("The answer cannot be signed: " + err.Error() + ".")
		}
	}
	switch {
	case ask.auth.Callback.FormPost:
		return formPostPage(c.connector.Name, ask.redirect, values)
	case ask.auth.Callback.From == definition.FromFragment:
		to.Fragment, to.RawFragment = "", ""
		if to, err = url.Parse(to.String() + "#" + values.Encode()); err != nil {
			return c.stop("The redirect URI cannot be read.")
		}
	default:
		query := to.Query()
		for k, v := range values {
			query[k] = v
		}
		to.RawQuery = query.Encode()
	}
	a := plain(http.StatusSeeOther, "Back to "+to.Host)
	return a.set("Location", to.String()).set("Cache-Control", "no-store").set("Referrer-Policy", "no-referrer")
}

// stateName is the name under which this provider sends the state back.
func stateName(a *definition.Auth) string {
	return cmp.Or(a.Callback.State, a.Authorize.Names["state"], "state")
}

// asksState reads where the browser is to be sent back to, and the state.
func asksState(a *definition.Auth, param func(string) string) (redirect, state string) {
	redirect = param("redirect_uri")
	if a.Authorize.StateIn != definition.InRedirectURI {
		return redirect, param("state")
	}
	u, err := url.Parse(redirect)
	if err != nil {
		return redirect, ""
	}
	return redirect, u.Query().Get(stateName(a))
}

// registered reports whether the browser may be sent to an address. An app that nobody had to register
// is sent anywhere, as by providers that know no apps.
func (app *client) registered(a *definition.Auth, redirect string) bool {
	if len(app.redirects) == 0 {
		return redirect != ""
	}
	if a.Authorize.StateIn == definition.InRedirectURI {
		redirect, _, _ = strings.Cut(redirect, "?")
	}
	return slices.Contains(app.redirects, redirect)
}
