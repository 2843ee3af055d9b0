package definition

// OAuth1 is how a credential is obtained by RFC 5849 §2: temporary credentials are asked for, the person
// authorizes them in the browser, and they are traded for the credential.

// OAuth1Request is a request for credentials (RFC 5849 §2.1). The protocol parameters are filled in by
// the method; Params are sent besides, and signed with them.
type OAuth1Request struct {
	URL     Template `yaml:"url"`
	Method  string   `yaml:"method"` // empty: POST
	Params  Params   `yaml:"params"`
	Headers Params   `yaml:"headers"`
	Outcome `yaml:",inline"`
}

// ClientRequest is q in the shape that all requests of a client have.
func (q *OAuth1Request) ClientRequest() *ClientRequest {
	return &ClientRequest{URL: q.URL, Method: q.Method, Params: q.Params, Headers: q.Headers, Outcome: q.Outcome}
}

// OAuth1Protocol is what the requests of a method have in common: those for credentials, and the calls.
type OAuth1Protocol struct {
	Method string   `yaml:"method"` // HMAC-SHA1 (default), HMAC-SHA256, RSA-SHA1, PLAINTEXT
	Realm  Template `yaml:"realm"`
	In     string   `yaml:"in"` // header (default), query, form
	// PrivateKey is what RSA-SHA1 signs with.
	PrivateKey Template `yaml:"private_key"`
}

// signer signs as p says, in the name of the app and for the token and secret of the given templates.
func (p *OAuth1Protocol) signer(token, tokenSecret string) *OAuth1Signature {
	s := &OAuth1Signature{
		ConsumerKey: Template{Source: "${app.client_id}"}, ConsumerSecret: Template{Source: "${app.client_secret}"},
		Token: Template{Source: token}, TokenSecret: Template{Source: tokenSecret},
	}
	if p != nil {
		s.Method, s.Realm, s.In, s.PrivateKey = p.Method, Template{Source: p.Realm.Source}, p.In, Template{Source: p.PrivateKey.Source}
	}
	return s
}

// defaultOAuth1 fills in where an answer holds the credential (RFC 5849 §2.3), where an error is told
// (the OAuth Problem Reporting extension), and how calls are signed.
//
// The protocol has no state; ours stands in the callback address, which the provider keeps (§2.2).
func (a *Auth) defaultOAuth1() {
	if a.Authorize != nil {
		a.Authorize.StateIn = InRedirectURI
	}
	if a.Token != nil {
		t := &a.Token.Answer
		if t.AccessToken == nil {
			t.AccessToken = &Expression{Source: "response.body.oauth_token"}
		}
		if t.TokenSecret == nil {
			t.TokenSecret = &Expression{Source: "response.body.oauth_token_secret"}
		}
		a.Token.reportProblems()
	}
	if a.RequestToken != nil {
		a.RequestToken.reportProblems()
	}
	a.credentials = a.Signature.signer("", "")
	(&Sign{OAuth1: a.credentials}).defaults()
	if a.Apply == nil {
		a.Apply = &Apply{Sign: &Sign{OAuth1: a.Signature.signer("${credential.access_token}", "${credential.token_secret}")}}
	}
}

func (o *Outcome) reportProblems() {
	if o.Error == nil {
		o.Error = &Expression{Source: "response.body.oauth_problem ?? response.body.error"}
	}
}

// Credentials is how the requests for credentials are signed; the token and its secret are the method's.
func (a *Auth) Credentials() *OAuth1Signature { return a.credentials }

// oauth1 compiles what only a method of OAuth 1.0 has.
func (k *compiler) oauth1(a *Auth) {
	if q := a.RequestToken; q != nil {
		k.template(&q.URL, inExchange)
		k.params(q.Params, inExchange)
		k.params(q.Headers, inExchange)
		k.outcome(q.Outcome, inExchange.answering())
	}
	if p := a.Signature; p != nil {
		k.filled(inExchange, &p.Realm, &p.PrivateKey)
	}
	if s := a.credentials; s != nil {
		k.filled(inExchange, &s.ConsumerKey, &s.ConsumerSecret, &s.Realm, &s.PrivateKey)
	}
}

// authOfRevoke is what authenticates the revoke request unless it says otherwise: the client (RFC 7009
// §2.1), which under OAuth 1.0 signs nothing without its credential.
func (a *Auth) authOfRevoke() string {
	if a.Kind == OAuth1 {
		return "credential"
	}
	return "client"
}
