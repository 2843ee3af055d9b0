package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dowel/engine/definition"
)

// signature is how one kind of signature is read and checked.
type signature interface {
	// found reads what a request says beside its signature, by the formulas that say it; false if it
	// carries no signature of this kind.
	found(c *call, out slots) bool
	// check compares the signature with the one that comes of env, which holds the secrets.
	check(c *call, got slots, env definition.Env) *problem
}

// signatureOf is how requests are signed that s is said of; nil if they are not.
func signatureOf(s *definition.Sign) signature {
	switch {
	case s == nil:
		return nil
	case s.OAuth1 != nil:
		return oauth1Signature{s.OAuth1}
	case s.AWS != nil:
		return awsSignature{s.AWS}
	case s.Key != nil:
		return keySignature{s}
	case s.Digest() != nil:
		return digestSignature{s}
	case s.WSSE != nil:
		return wsseSignature{s.WSSE}
	case s.JWT != nil:
		return jwtSignature{s}
	}
	return nil
}

// badSignature is the answer to a signature that is none, and to one that is not ours.
func badSignature(why string) *problem {
	return &problem{"invalid_signature", why, http.StatusUnauthorized}
}

// Know tells the provider of a connector what it has given a person, or the person has entered there: the
// answers to the form. A signature proves a secret that is not sent, so the provider has to have it.
func (s *Simulator) Know(connectorID string, answers map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[connectorID] = append(s.known[connectorID], maps.Clone(answers))
}

// conventional is what a person enters for a secret where the provider was told nothing: the field's own
// example, or the word.
func conventional(f definition.Field) string {
	for _, v := range []string{f.Example, f.Default} {
		if v != "" {
			return v
		}
	}
	return "secret"
}

// people are the answers that the provider knows of. If it was told nothing, they are the conventional
// ones, and hint says so.
func (c *call) people(a *definition.Auth) (all []map[string]string, hint string) {
	c.s.mu.Lock()
	all = append(all, c.s.known[c.connector.ID]...)
	c.s.mu.Unlock()
	if len(all) > 0 {
		return all, ""
	}
	usual := map[string]string{}
	if signed := a.Signings(); len(signed) > 0 && !signed[0].Symmetric() {
		return []map[string]string{usual}, fmt.Sprintf("; this simulated provider gives a key out at /%s/_key?method=%s", c.connector.ID, a.ID)
	}
	for _, fs := range []definition.Fields{c.connector.Inputs, a.Fields} {
		for _, f := range fs {
			if f.Secret() && f.Must() {
				usual[f.Name] = conventional(f)
				hint += fmt.Sprintf("; this simulated provider knows one %s only: “%s”", f.Label, usual[f.Name])
			}
		}
	}
	return []map[string]string{usual}, hint
}

// verify checks a signature with the secrets of everybody whom what was found can be of.
func (c *call) verify(a *definition.Auth, s signature, got slots) *problem {
	if s == nil {
		return nil
	}
	p := badSignature("nobody is known here by what the request says")
	people, hint := c.people(a)
	for _, person := range people {
		if !fits(person, got) {
			continue
		}
		if p = s.check(c, got, c.secrets(a, got, person)); p == nil {
			return nil
		}
	}
	return badSignature(p.description + hint)
}

// fits reports whether a person may have sent what was found.
func fits(person map[string]string, got slots) bool {
	for name, v := range got {
		root, field, _ := strings.Cut(name, ".")
		known, ok := person[field]
		if ok && known != v && (root == "fields" || root == "inputs") {
			return false
		}
	}
	return true
}

// secrets is what the provider fills a signer's templates with.
func (c *call) secrets(a *definition.Auth, got slots, person map[string]string) definition.Env {
	env := got.env()
	inputs, fields := env["inputs"].(map[string]any), env["fields"].(map[string]any)
	take := func(fs definition.Fields, into map[string]any) {
		for _, f := range fs {
			if into[f.Name] != nil {
				continue
			}
			if v, ok := person[f.Name]; ok {
				into[f.Name] = v
			} else if f.Default != "" {
				into[f.Name] = f.Default
			}
		}
	}
	take(c.connector.Inputs, inputs)
	take(a.Fields, fields)
	c.connector.SetChoices(env, a, func(field string) string {
		for _, m := range []map[string]any{inputs, fields} {
			if v, ok := m[field].(string); ok {
				return v
			}
		}
		return ""
	})
	env["captured"] = map[string]any{}
	env["app"], env["credential"] = c.ofClient(got), c.ofGrant(got)
	return env
}

// ofClient are the id and the secret of the app that the request names, or of the only one.
func (c *call) ofClient(got slots) map[string]any {
	app := c.app(got["app.client_id"])
	if app == nil {
		app = c.onlyApp()
	}
	if app == nil {
		return map[string]any{}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	out := map[string]any{"client_id": app.id, "client_secret": app.secret}
	for name, v := range app.fields {
		out[name] = v
	}
	return out
}

// ofGrant are all the secrets of the grant that the request shows one of.
func (c *call) ofGrant(got slots) map[string]any {
	out := map[string]any{}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for name, v := range got {
		t := c.s.tokens[v]
		if t == nil || !strings.HasPrefix(name, "credential.") {
			continue
		}
		for value, of := range c.s.tokens {
			if of.grant == t.grant && of.good(time.Now()) {
				out[of.credentialName()] = value
			}
		}
		out[strings.TrimPrefix(name, "credential.")] = v // of several that are good, the one that was shown
	}
	return out
}

func (t *token) credentialName() string {
	if t.name == "" {
		return "access_token"
	}
	return t.name
}

// drift is how far a clock may be off.
const drift = 5 * time.Minute

// timely refuses what was signed long ago, or will be.
func timely(at time.Time) *problem {
	if d := time.Since(at); d > drift || d < -drift {
		return badSignature("the request was signed at another time than this")
	}
	return nil
}

// once refuses a nonce that was seen, and remembers it for as long as its time would be accepted.
func (c *call) once(nonce string) *problem {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	now := time.Now()
	for key, at := range c.s.nonces {
		if now.Sub(at) > 2*drift {
			delete(c.s.nonces, key)
		}
	}
	key := c.connector.ID + " " + nonce
	if _, seen := c.s.nonces[key]; seen {
		return badSignature("the nonce was used before")
	}
	c.s.nonces[key] = now
	return nil
}

// same compares without telling where the difference is.
func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// signedRequest is the request as the formulas of a signer see it, without what carries the signature.
func (c *call) signedRequest(unsigned definition.SignedPlaces, got slots) map[string]any {
	headers, params, query := map[string]any{}, map[string]any{}, c.r.URL.RawQuery
	for name, v := range c.r.Header {
		headers[strings.ToLower(name)] = strings.Join(v, ", ")
	}
	for _, p := range unsigned.Headers {
		delete(headers, strings.ToLower(p.Name))
	}
	var kept []string
	for _, part := range strings.Split(query, "&") {
		name, err := url.QueryUnescape(strings.SplitN(part, "=", 2)[0])
		carries := false
		for _, p := range unsigned.Query {
			carries = carries || err == nil && name == p.Name
		}
		if part != "" && !carries {
			kept = append(kept, part)
		}
	}
	query = strings.Join(kept, "&")
	values, _ := url.ParseQuery(query) // what cannot be read is in no formula either
	for name, v := range values {
		params[name] = strings.Join(v, ",")
	}
	address := "https://" + c.host + c.path
	if query != "" {
		address += "?" + query
	}
	sum := sha256.Sum256(c.body)
	m := map[string]any{
		"method": c.r.Method, "url": address, "host": strings.ToLower(c.host), "path": c.path, "query": query, "params": params, "headers": headers,
		"body": string(c.body), "body_sha256": hex.EncodeToString(sum[:]), "size": len(c.body), "nonce": got["request.nonce"],
	}
	at, _ := signedAt(got)
	m["timestamp"], m["timestamp_ms"] = int(at.Unix()), int(at.UnixMilli())
	m["date"], m["time"] = at.Format(http.TimeFormat), at.Format("2006-01-02T15:04:05Z")
	return m
}

// signedAt is when the request says that it was signed; now, if it does not.
func signedAt(got slots) (time.Time, bool) {
	if n, err := strconv.ParseInt(got["request.timestamp"], 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), true
	}
	if n, err := strconv.ParseInt(got["request.timestamp_ms"], 10, 64); err == nil {
		return time.UnixMilli(n).UTC(), true
	}
	if t, err := time.Parse(http.TimeFormat, got["request.date"]); err == nil {
		return t, true
	}
	if t, err := time.Parse(time.RFC3339, got["request.time"]); err == nil {
		return t.UTC(), true
	}
	return time.Now().UTC(), false
}

// matched reads a value by the template that wrote it; a template that is not given is read as nothing.
func matched(t *definition.Template, value string, out slots) bool {
	if t.IsZero() {
		return value == ""
	}
	m, ok := valuePattern(t.Source).match(value)
	out.add(m)
	return ok
}
