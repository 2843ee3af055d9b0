package auth

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// proof is how a client shows who it is (RFC 6749 §2.3): parameters, or an Authorization header.
type proof struct {
	params []pair
	header string
}

// clientAssertionType is the type of an assertion that authenticates a client (RFC 7523 §2.2).
const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// prove makes the client's authentication for one request. There is no way to guess how, because a wrong
// guess spends the code. A secret that is made anew each time is in env from then on.
func (r Request) prove(how definition.ClientAuth, env definition.Env) (proof, error) {
	switch how {
	case definition.ClientAuthUnsent:
		return proof{}, nil
	case definition.ClientAuthRegistered:
		how = r.registeredAuth()
	}
	if err := r.makeSecret(env); err != nil {
		return proof{}, err
	}
	id, key := r.client(env)
	switch how {
	case definition.ClientAuthHeader:
		return proof{header: basicClient(id, key)}, nil
	case definition.ClientAuthBody:
		return proof{params: []pair{{"client_id", id}, {"client_secret", key}}}, nil
	case definition.ClientAuthNone, definition.ClientAuthMTLS:
		return proof{params: []pair{{"client_id", id}}}, nil
	case definition.ClientAuthPrivateKeyJWT, definition.ClientAuthSecretJWT:
		assertion, err := r.clientJWT("client_assertion", r.Auth.ClientAssertion, env)
		if err != nil {
			return proof{}, err
		}
		return proof{params: []pair{{"client_id", id}, {"client_assertion_type", clientAssertionType}, {"client_assertion", assertion}}}, nil
	}
	return proof{}, fault.E(fault.Misconfigured, "the connector does not say how its app authenticates", fmt.Errorf("client_auth is %q", how))
}

// makeSecret makes the client secret, where the definition says that it is a signed token.
func (r Request) makeSecret(env definition.Env) error {
	if r.Auth.ClientSecret == nil {
		return nil
	}
	text, err := r.clientJWT("client_secret", r.Auth.ClientSecret, env)
	if err != nil {
		return err
	}
	if app, ok := env["app"].(map[string]any); ok {
		app["client_secret"] = text
	}
	return nil
}

// clientJWT signs a token that speaks for the client: without claims of its own, it is from the client,
// about the client, and for the token endpoint (RFC 7523 §3).
func (r Request) clientJWT(name string, j *definition.JWT, env definition.Env) (string, error) {
	id, _ := r.client(env)
	standard := map[string]any{"iss": id, "sub": id}
	if err := r.addAudience(standard, env); err != nil {
		return "", err
	}
	text, err := r.jwt(name, j, standard, env)
	if err == nil {
		env["signed"] = append(signedTokens(env), text)
	}
	return text, err
}

// signedTokens are what was signed for the request that env is made for. Formulas have no name for it.
func signedTokens(env definition.Env) []string {
	s, _ := env["signed"].([]string)
	return s
}

// basicClient is client_secret_basic: both parts form-encoded first (RFC 6749 §2.3.1).
func basicClient(id, key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(key)))
}

// clientAuth is how the client authenticates a request beside the token requests: as it says itself,
// or as at the token endpoint (RFC 7009 §2.1).
func (r Request) clientAuth(q *definition.Request) definition.ClientAuth {
	how := cmp.Or(q.ClientAuth, definition.ClientAuthNone)
	if r.Auth.Token != nil {
		how = cmp.Or(q.ClientAuth, r.Auth.Token.ClientAuth)
	}
	if how == definition.ClientAuthRegistered {
		return r.registeredAuth()
	}
	return how
}
