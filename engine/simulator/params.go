package simulator

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"dowel/engine/definition"
)

// params are the parameters of a request. RFC 6749 §3.2: each at most once, and one without a value is
// as good as not sent.
type params map[string]string

// single turns a query or a form into params. Those named in many may come several times, which is read
// as one text with blanks in it.
func single(values url.Values, many []string) (params, *problem) {
	out := params{}
	for name, v := range values {
		if len(v) > 1 && !slices.Contains(many, name) {
			return nil, refuse("invalid_request", "the parameter "+name+" is repeated")
		}
		if text := strings.Join(v, " "); text != "" {
			out[name] = text
		}
	}
	return out, nil
}

// query reads the parameters of the address.
func (c *call) query(many ...string) (params, *problem) {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, refuse("invalid_request", "the query cannot be read")
	}
	return single(values, many)
}

// tokenParams reads the parameters of a token request from the one place the definition puts them.
func (c *call) tokenParams(method, format string, many ...string) (params, *problem) {
	inQuery, p := c.query(many...)
	if p != nil {
		return nil, p
	}
	if format == "query" || method == http.MethodGet {
		return inQuery, nil
	}
	for _, secret := range []string{"client_secret", "code", "code_verifier", "device_code", "password", "refresh_token", "subject_token", "actor_token", "assertion", "client_assertion"} {
		if inQuery[secret] != "" {
			// RFC 6749 §2.3.1: never in the request URI.
			return nil, refuse("invalid_request", secret+" must not be in the address")
		}
	}
	return c.bodyParams(format, many...)
}

func (c *call) bodyParams(format string, many ...string) (params, *problem) {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if format == "json" {
		if kind != "application/json" {
			return nil, refuse("invalid_request", "the body must be application/json")
		}
		var m map[string]any
		if err := json.Unmarshal(c.body, &m); err != nil {
			return nil, refuse("invalid_request", "the body is not a JSON object")
		}
		out := params{}
		for k, v := range m {
			if list, ok := v.([]any); ok && slices.Contains(many, k) {
				v = strings.Join(texts(list), " ")
			}
			if text := definition.Text(v); text != "" {
				out[k] = text
			}
		}
		return out, nil
	}
	if kind != "application/x-www-form-urlencoded" {
		return nil, refuse("invalid_request", "the body must be application/x-www-form-urlencoded")
	}
	values, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, refuse("invalid_request", "the form cannot be read")
	}
	return single(values, many)
}

func texts(list []any) []string {
	var out []string
	for _, v := range list {
		out = append(out, definition.Text(v))
	}
	return out
}

// unnamed refuses standard parameters that have no name here.
func unnamed(names definition.Names, own definition.Params, got params) *problem {
	for standard, to := range names {
		said := slices.ContainsFunc(own, func(p definition.Param) bool { return p.Name == standard })
		if to == "" && got[standard] != "" && !said {
			return refuse("invalid_request", standard+" must not be sent")
		}
	}
	return nil
}

// constants checks the parameters that the definition gives a fixed value, and returns the values of
// the others that it fills.
func constants(want definition.Params, got params) (slots, *problem) {
	out := slots{}
	for _, w := range want {
		if w.Drop {
			if got[w.Name] != "" {
				return nil, refuse("invalid_request", w.Name+" must not be sent")
			}
			continue
		}
		m, ok := valuePattern(w.Value.Source).match(got[w.Name])
		if !ok {
			return nil, refuse("invalid_request", w.Name+" is missing or not what it should be")
		}
		out.add(m)
	}
	return out, nil
}

// authenticate checks the client's authentication: the one way the definition declares, and no other
// beside it (RFC 6749 §2.3).
func (c *call) authenticate(k chosen) (*client, *problem) {
	id, secret := k.param("client_id"), k.param("client_secret")
	header := c.r.Header.Get("Authorization")
	if described(k.headers, "Authorization") {
		header = "" // something else of the definition's
	}
	if k.clientAuth == definition.ClientAuthRegistered {
		user, _, _ := basicClient(header)
		k.clientAuth = c.registeredAuth(cmp.Or(id, user))
	}
	switch k.clientAuth {
	case definition.ClientAuthUnsent:
		return nil, nil // what is traded tells whose it is, see ownerOf
	case definition.ClientAuthHeader:
		if secret != "" {
			return nil, refuse("invalid_request", "the client authenticates in the header; client_secret must not be sent as well")
		}
		user, password, ok := basicClient(header)
		if !ok {
			return nil, refuse("invalid_client", "the client must authenticate with the Basic scheme")
		}
		if id != "" && id != user {
			return nil, refuse("invalid_request", "client_id differs from the one in the header")
		}
		id, secret = user, password
	case definition.ClientAuthBody:
		if header != "" {
			return nil, refuse("invalid_request", "the client authenticates in the body; the Authorization header must not be sent as well")
		}
		if secret == "" {
			return nil, refuse("invalid_client", "client_secret is missing")
		}
	case definition.ClientAuthPrivateKeyJWT, definition.ClientAuthSecretJWT:
		return c.assertedClient(k, header)
	case definition.ClientAuthMTLS:
		if header != "" || secret != "" || k.param("client_assertion") != "" {
			return nil, refuse("invalid_request", "the client authenticates with its certificate; nothing else must be sent as well")
		}
		if p := c.shownCertificate(id); p != nil {
			return nil, p
		}
		return c.client(id, "", true, false)
	case definition.ClientAuthNone:
		if header != "" || secret != "" {
			return nil, refuse("invalid_request", "a public client does not authenticate")
		}
		if id == "" && anonymous[k.kind] {
			return &client{}, nil
		}
	}
	public := k.clientAuth == definition.ClientAuthNone
	if k.auth.ClientSecret != nil && !public {
		if p := c.mintedSecret(k.auth, id, secret); p != nil {
			return nil, p
		}
		public = true
	}
	return c.client(id, secret, public, k.kind == "client_credentials" || !knowsApps(k.auth))
}

// anonymous are the grants that need no client: an assertion says whom it is from (RFC 7521 §4.1), and
// what a person brings is proof enough (RFC 6749 §3.2.1 lets a provider ask for nobody's client id).
var anonymous = map[string]bool{"jwt_bearer": true, "password": true, "token_exchange": true}

// client returns the registered client. anyone lets a client in that nobody registered, with any
// secret that is not called wrong.
func (c *call) client(id, secret string, public, anyone bool) (*client, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	known := c.s.clients[c.connector.ID][id]
	switch {
	case known == nil && anyone && id != "" && !Wrong(secret):
		return &client{id: id, secret: secret}, nil
	case known == nil:
		return nil, refuse("invalid_client", "the client is not known")
	case !public && known.secret != secret:
		return nil, refuse("invalid_client", "the client secret is wrong")
	}
	return known, nil
}

// basicClient reads the Basic scheme with its parts form-encoded (RFC 6749 §2.3.1, RFC 7617 §2).
func basicClient(header string) (id, secret string, ok bool) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return "", "", false
	}
	user, password, ok := strings.Cut(string(raw), ":")
	if !ok {
		return "", "", false
	}
	id, err = url.QueryUnescape(user)
	if err != nil {
		return "", "", false
	}
	secret, err = url.QueryUnescape(password)
	return id, secret, err == nil
}

// Wrong reports whether a secret calls itself wrong, in any case: by "wrong", by "bad" as a word of its
// own, or by "badbad", which a hexadecimal one can be made to hold. A key of a thousand random letters
// does none of these by chance. Any other secret that somebody types is good.
func Wrong(secret string) bool {
	s := strings.ToLower(secret)
	if strings.TrimSpace(s) == "" || strings.Contains(s, "wrong") || strings.Contains(s, "badbad") {
		return true
	}
	words := strings.FieldsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	return slices.Contains(words, "bad")
}
