package auth

import (
	"context"
	"net/http"

	"dowel/engine/definition"
)

// oauth1Standards are the parameters of the protocol, with what asks for them.
var oauth1Standards = map[string]string{
	"oauth_callback": "Dowel's callback address, with 256 random bits (RFC 5849 §2.1)", "oauth_verifier": "the callback (RFC 5849 §2.3)",
	"oauth_token": "the answer before (RFC 5849 §2)", "oauth_consumer_key": "the app", "oauth_nonce": "random bits (RFC 5849 §3.3)",
	"oauth_timestamp": "the time (RFC 5849 §3.3)", "oauth_version": "RFC 5849 §3.1", "oauth_signature": "signature (RFC 5849 §3.4)",
	"oauth_signature_method": "signature.method",
}

// fromCredentials is the origin of a request for credentials that stands at a place of the method.
func (x explanation) fromCredentials(at string, q *definition.ClientRequest) explanation {
	return x.from(origins{
		url: at + ".url", standard: oauth1Standards, lists: []originList{{at + ".params", q.Params, false}, {at + ".headers", q.Headers, true}},
		authorization: "signature (RFC 5849 §3.5.1)",
	})
}

// oauth1 adds the way to a credential of RFC 5849: temporary credentials, the browser, the credential.
func (x explanation) oauth1() {
	p := Pending{State: exampleState, Token: "[temporary_token]", TokenSecret: "[temporary_secret]"}
	x.fromCredentials("request_token", x.a.RequestToken.ClientRequest()).request("temporary credentials", func(r Request, _ Credential) (*http.Request, error) {
		more := pair{"oauth_callback", r.redirectURI(p)}
		return r.credentialsRequest(context.Background(), r.Auth.RequestToken.ClientRequest(), Pending{}, more, r.env(nil))
	})
	authorize := origins{url: "authorize.url", standard: oauth1Standards, lists: []originList{{"authorize.params", x.a.Authorize.Params, false}}}
	x.from(authorize).request("authorize (in the browser)", func(r Request, _ Credential) (*http.Request, error) {
		u, err := r.authorizing(p, r.env(nil))
		if err != nil {
			return nil, err
		}
		return http.NewRequestWithContext(context.Background(), http.MethodGet, u.String(), http.NoBody)
	})
	back := ExplainedRequest{Title: "callback (from the browser)", Method: http.MethodGet, URL: x.redirectURI}
	back.Query = []string{x.a.StateName() + "=" + exampleState, "oauth_token=" + p.Token, "oauth_verifier=[oauth_verifier]"}
	for _, name := range x.a.CallbackNames() {
		back.Query = append(back.Query, name+"=["+name+"]")
	}
	x.out.Requests = append(x.out.Requests, back)
	x.fromCredentials("token", &x.a.Token.ClientRequest).request("token", func(r Request, _ Credential) (*http.Request, error) {
		more := pair{"oauth_verifier", "[oauth_verifier]"}
		return r.credentialsRequest(context.Background(), &r.Auth.Token.ClientRequest, p, more, r.env(nil))
	})
}
