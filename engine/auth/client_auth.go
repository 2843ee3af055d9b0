package auth

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// basicClient is client_secret_basic: both parts form-encoded first (RFC 6749 §2.3.1).
func basicClient(id, key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(key)))
}

// clientPairs are the parameters by which a client authenticates: none for the header, id and secret
// for the body, the id alone for a public client (RFC 6749 §2.3.1, §3.2.1). There is no way to guess,
// because a wrong guess spends the code.
func clientPairs(how definition.ClientAuth, id, key string) ([]pair, error) {
	switch how {
	case definition.ClientAuthHeader, definition.ClientAuthUnsent:
		return nil, nil
	case definition.ClientAuthBody:
		return []pair{{"client_id", id}, {"client_secret", key}}, nil
	case definition.ClientAuthNone:
		return []pair{{"client_id", id}}, nil
	}
	return nil, fault.E(fault.Misconfigured, "the connector does not say how its app authenticates", fmt.Errorf("client_auth is %q", how))
}

// clientAuth is how the client authenticates a request beside the token requests: as it says itself,
// or as at the token endpoint (RFC 7009 §2.1).
func (r Request) clientAuth(q *definition.Request) definition.ClientAuth {
	if r.Auth.Token == nil {
		return cmp.Or(q.ClientAuth, definition.ClientAuthNone)
	}
	return cmp.Or(q.ClientAuth, r.Auth.Token.ClientAuth)
}
