package simulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"dowel/engine/definition"
)

// skew is how far apart clocks may be.
const skew = time.Minute

// assertion is a token that a request shows, and what it is shown as.
type assertion struct {
	jwt  *definition.JWT
	auth *definition.Auth
	text string
	// party is the client it must speak for; empty: nobody in particular.
	party string
	// longest is how far ahead it may end.
	longest time.Duration
	// found are values that stand where the definition has formulas; more are keys beside the registered.
	found slots
	more  []registeredKey
}

// judge verifies an assertion (RFC 7523 §3) and returns who issued it. It may be shown once.
func (c *call) judgeAssertion(a *assertion) (issuer string, err error) {
	if a.text == "" {
		return "", errors.New("it is missing")
	}
	t, err := parseToken(a.text)
	if err == nil {
		err = t.trustworthy(a.jwt.Alg)
	}
	if err == nil {
		err = c.heading(a, t)
	}
	if err != nil {
		return "", err
	}
	issuer, _ = t.claims["iss"].(string)
	if !t.verify(a.jwt.Alg, a.jwt.KeyEncoding, append(c.s.keysOf(c.connector.ID, issuer, a.party), a.more...)) {
		return "", fmt.Errorf("no key that is registered for %s has made the signature; the simulator gives one out at /%s/_key", cmp.Or(issuer, "this client"), c.connector.ID)
	}
	if err := a.timely(t.claims, time.Now()); err != nil {
		return "", err
	}
	if err := c.claims(a, t.claims); err != nil {
		return "", err
	}
	if p := c.ofApp(a.found, cmp.Or(a.party, a.found["app.client_id"])); p != nil {
		return "", errors.New(p.description)
	}
	return issuer, c.s.first(c.connector.ID, issuer, t.claims)
}

// heading compares the header with what the definition says of it.
func (c *call) heading(a *assertion, t *signedToken) error {
	if typ, there := t.header["typ"]; there && !described(a.jwt.Header, "typ") && typ != "JWT" {
		return fmt.Errorf("its typ is %v and not JWT", typ)
	}
	want := a.jwt.Header
	if a.jwt.KeyID.Source != "" {
		want = append(slices.Clone(want), definition.Param{Name: "kid", Value: a.jwt.KeyID})
	}
	for _, w := range want {
		got, _ := t.header[w.Name].(string)
		pattern := valuePattern(w.Value.Source)
		if w.Drop || got == "" && pattern.optional(a.auth, c.connector.Inputs) {
			continue
		}
		m, ok := pattern.match(got)
		if !ok || got == "" {
			return errors.New("its header has no " + w.Name + ", or not what it should be")
		}
		a.found.add(m)
	}
	return nil
}

func described(ps definition.Params, name string) bool {
	return slices.ContainsFunc(ps, func(p definition.Param) bool { return p.Name == name })
}

// timely checks exp, nbf and iat (RFC 7523 §3).
func (a *assertion) timely(claims map[string]any, now time.Time) error {
	exp, ok := moment(claims["exp"])
	if !ok {
		return errors.New("it has no exp")
	}
	if now.After(exp.Add(skew)) {
		return errors.New("it has expired")
	}
	if exp.After(now.Add(a.longest + skew)) {
		return fmt.Errorf("its exp is further ahead than %s", a.longest)
	}
	for _, name := range []string{"nbf", "iat"} {
		if v, there := claims[name]; there {
			at, ok := moment(v)
			if !ok || at.After(now.Add(skew)) {
				return errors.New("its " + name + " is no time, or lies in the future")
			}
		}
	}
	return nil
}

// moment reads a NumericDate (RFC 7519 §2): a number, and no text.
func moment(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	f, err := n.Float64()
	return time.Unix(int64(f), 0), err == nil && f > 0
}

// times are the claims that timely and first look at.
var times = []string{"exp", "nbf", "iat", "jti"}

// claims compares what the token says with what the definition says of it, and where that is silent with
// RFC 7523 §3: it names its issuer and is made for this provider. What authenticates a client is about
// that client.
func (c *call) claims(a *assertion, got map[string]any) error {
	named := map[string]bool{}
	if a.jwt.Claims != nil {
		markers := c.markers(a.auth)
		for name, tree := range a.jwt.Claims.Members() {
			named[name] = true
			if slices.Contains(times, name) {
				continue
			}
			want, err := tree.Fill(markers)
			if err != nil || want == nil && !tree.Null() {
				continue // a formula that markers do not pass: anything goes
			}
			if want == nil && got[name] != nil {
				return errors.New("it has a " + name)
			}
			if p := c.compare(name, want, got[name], a.auth, a.found); p != nil {
				return p
			}
		}
	}
	for _, name := range []string{"iss", "sub"} {
		if a.party != "" && !named[name] && got[name] != a.party {
			return fmt.Errorf("its %s is not the client id", name)
		}
	}
	if !named["iss"] && got["iss"] == nil {
		return errors.New("it has no iss")
	}
	if !named["aud"] && !c.addressed(a.auth, got["aud"]) {
		return errors.New("its aud is not this token endpoint")
	}
	return nil
}

// addressed reports whether one of the audiences is the token endpoint.
func (c *call) addressed(a *definition.Auth, aud any) bool {
	list, isList := aud.([]any)
	if !isList {
		list = []any{aud}
	}
	where, ok := newAddress(c.connector, a, a.Token.URL.Source)
	return ok && slices.ContainsFunc(list, func(v any) bool {
		text, _ := v.(string)
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" {
			return false
		}
		_, ok := where.match(u.Host, u.EscapedPath())
		return ok && c.atlas.hosted(u.Host, nil)
	})
}

// first refuses a token that was shown before (RFC 7523 §3: jti), as long as it could be shown.
func (s *Simulator) first(connectorID, issuer string, claims map[string]any) error {
	jti, _ := claims["jti"].(string)
	if jti == "" {
		return nil
	}
	exp, _ := moment(claims["exp"])
	key := strings.Join([]string{connectorID, issuer, jti}, "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, until := range s.shown {
		if time.Now().After(until) {
			delete(s.shown, k)
		}
	}
	if _, twice := s.shown[key]; twice {
		return errors.New("it was shown before")
	}
	s.shown[key] = exp.Add(skew)
	return nil
}

// longestAssertion is how far ahead an assertion may end, unless a definition says that its provider
// takes longer ones.
const longestAssertion = time.Hour

// assertionGrant trades an assertion for a token (RFC 7523 §2.1).
func (c *call) assertionGrant(k chosen, client *client) (*answer, *problem) {
	if !c.wait(c.s.options.RefreshLatency) {
		return nil, errGone
	}
	a := &assertion{
		jwt: k.auth.Assertion, auth: k.auth, text: c.shownAssertion(k), found: slots{},
		longest: max(longestAssertion, time.Duration(k.auth.Assertion.Lifetime)),
	}
	issuer, err := c.judgeAssertion(a)
	if err == nil {
		err = c.spokenFor(a, client)
	}
	if err != nil {
		return nil, refuse("invalid_grant", "the assertion is refused: "+err.Error())
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.auth.Authorize != nil && !s.consents[consentKey(c.connector.ID, k.auth, cmp.Or(client.id, issuer))] {
		return nil, refuse("invalid_grant", "nobody has allowed this client anything yet")
	}
	g := s.newGrant(c.connector.ID, k.auth, cmp.Or(client.id, issuer), s.typist(a.found))
	g.scopes = c.askedScopes(k)
	return c.tokenAnswer(k.spec, g, ""), nil
}

// spokenFor checks the values that the claims hold: a client that is named must be one, and what
// somebody typed must be good.
func (c *call) spokenFor(a *assertion, client *client) error {
	id, names := a.found["app.client_id"]
	if names && client.id != "" && client.id != id {
		return errors.New("it names another client than the one that shows it")
	}
	if names && c.app(id) == nil {
		return errors.New("the client it names is not known")
	}
	for name, v := range a.found {
		field, typed := strings.CutPrefix(name, "fields.")
		if f, ok := a.auth.Fields.Named(field); typed && ok && (f.Secret() && Wrong(v) || f.Format == "email" && !strings.Contains(v, "@")) {
			return errors.New("the " + f.Label + " is not accepted")
		}
	}
	return nil
}

// shownAssertion finds the assertion: under its name, or where the definition puts it instead.
func (c *call) shownAssertion(k chosen) string {
	if name, sent := k.names.Name("assertion"); sent {
		return k.got[name]
	}
	for _, place := range []struct {
		params definition.Params
		value  func(name string) string
	}{
		{k.params, func(name string) string { return k.got[name] }},
		{k.headers, c.r.Header.Get},
	} {
		for _, p := range place.params {
			if m, ok := valuePattern(p.Value.Source).match(place.value(p.Name)); ok && m["assertion"] != "" {
				return m["assertion"]
			}
		}
	}
	return ""
}
