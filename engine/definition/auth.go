package definition

import (
	"slices"
	"time"
)

// AuthKind is a way of obtaining a credential.
type AuthKind string

// The kinds.
const (
	AuthorizationCode AuthKind = "oauth2_authorization_code" // RFC 6749 §4.1
	DeviceCode        AuthKind = "oauth2_device_code"        // RFC 8628
	ClientCredentials AuthKind = "oauth2_client_credentials" // RFC 6749 §4.4
	JWTBearer         AuthKind = "oauth2_jwt_bearer"         // RFC 7523 §2.1
	TokenExchange     AuthKind = "oauth2_token_exchange"     // RFC 8693
	Password          AuthKind = "oauth2_password"           // RFC 6749 §4.3
	OAuth1            AuthKind = "oauth1"                    // RFC 5849 §2
	Basic             AuthKind = "basic"                     // RFC 7617
	APIKey            AuthKind = "api_key"
	Bearer            AuthKind = "bearer" // RFC 6750, a token the person brings
	NoCredential      AuthKind = "none"   // the API asks nobody who they are
	Custom            AuthKind = "custom" // fields, and perhaps a login
)

// NeedsApp reports whether the kind needs our registration at the provider.
func (k AuthKind) NeedsApp() bool { return k.Consented() }

// Consented reports whether the person allows the access at the provider.
func (k AuthKind) Consented() bool { return k == AuthorizationCode || k == DeviceCode || k == OAuth1 }

// Auth is one auth method of a connector.
type Auth struct {
	ID    string   `yaml:"id"`
	Kind  AuthKind `yaml:"kind"`
	Label string   `yaml:"label"`
	Help  string   `yaml:"help"`
	// DocsURL tells the person where to find what the form asks for.
	DocsURL string `yaml:"docs_url"`
	// Fields are asked for this method only; in this order.
	Fields Fields `yaml:"fields"`
	// AppFields are what an operator registers beside the client id and secret, for every connection.
	AppFields Fields `yaml:"app_fields"`
	// AppSecret is "none" if the app has no client secret.
	AppSecret string `yaml:"app_secret"`

	// OAuth 2.0.

	// Issuer, when set, is compared with the iss parameter of the callback (RFC 9207).
	Issuer    *Template  `yaml:"issuer"`
	Authorize *Authorize `yaml:"authorize"`
	Device    *Device    `yaml:"device"`
	Exchange  *Exchange  `yaml:"exchange"`
	Callback  Callback   `yaml:"callback"`
	Scopes    *Scopes    `yaml:"scopes"`
	// ScopeGroups are named lists of scopes, each with a parameter of its own; instead of Scopes.
	ScopeGroups ScopeGroups   `yaml:"scope_groups"`
	PKCE        PKCE          `yaml:"pkce"`
	Token       *TokenRequest `yaml:"token"`
	Refresh     *Refresh      `yaml:"refresh"`
	Revoke      *Request      `yaml:"revoke"`
	// Discovery says where the provider publishes its addresses.
	Discovery *Discovery `yaml:"discovery"`
	// Registration says that apps register themselves; nil: an operator adds them.
	Registration *Registration `yaml:"registration"`
	// Introspect asks the provider about a token whose answer tells no lifetime, and stands in for the
	// test where there is none.
	Introspect *Introspection `yaml:"introspect"`
	// IDToken says how an ID token is verified; nil: it is not, and nothing of it is believed.
	IDToken *IDToken `yaml:"id_token"`
	Errors  Errors   `yaml:"errors"`
	// TLS is the certificate that the client shows in token requests and calls.
	TLS *ClientCertificate `yaml:"tls"`
	// Assertion is traded for an access token (RFC 7523 §2.1).
	Assertion *JWT `yaml:"assertion"`
	// ClientAssertion authenticates the client where client_auth says so (RFC 7523 §2.2).
	ClientAssertion *JWT `yaml:"client_assertion"`
	// ClientSecret is made anew for each request, instead of being registered.
	ClientSecret *JWT `yaml:"client_secret"`

	// OAuth 1.0.

	// RequestToken asks for temporary credentials (RFC 5849 §2.1).
	RequestToken *OAuth1Request  `yaml:"request_token"`
	Signature    *OAuth1Protocol `yaml:"signature"`

	// Basic and password.
	Username *Template `yaml:"username"`
	Password *Template `yaml:"password"`

	// Custom.
	Login []*Step `yaml:"login"`
	Renew *Renew  `yaml:"renew"`
	// Expires is the lifetime of what the person typed; see OnExpiry.
	Expires *Lifetime `yaml:"expires"`
	// OnExpiry says what the end of a typed credential means: "verify" (default) runs the test and
	// extends, "expire" ends it.
	OnExpiry string `yaml:"on_expiry"`

	// Apply puts the credential on a request; empty for what the kind usually does.
	Apply *Apply `yaml:"apply"`
	// API stands before the connector's own: its base URL instead, its headers and query besides.
	API *API `yaml:"api"`

	// Test, Identity and Choose stand before the connector's own.
	Test     Tests     `yaml:"test"`
	Identity *Identity `yaml:"identity"`
	Choose   []*Choice `yaml:"choose"`

	traded      []string         // fields whose values are not kept once there is a token
	credentials *OAuth1Signature // of the requests for credentials
	noIdentity  bool             // the method says that it has none, whatever the connector has
	readsApp    bool             // some formula that applies to the method reads the app
	places      AppPlaces        // where something secret of the app goes that a person decides
	api         API              // the connector's, with the method's own over it
}

// Authorize is the request the browser is sent to.
type Authorize struct {
	URL    Template `yaml:"url"`
	Params Params   `yaml:"params"`
	// Names renames standard parameters; null leaves one out.
	Names Names `yaml:"names"`
	// StateIn says where the state is sent: in a parameter (default) or InRedirectURI.
	StateIn string `yaml:"state_in"`
	// PAR hands the request over beforehand; nil: the browser carries it.
	PAR *PAR `yaml:"par"`
}

// PAR is the pushed authorization request (RFC 9126 §2.1).
type PAR struct {
	URL        Template   `yaml:"url"`
	ClientAuth ClientAuth `yaml:"client_auth"` // empty: as at the token endpoint
	Params     Params     `yaml:"params"`      // beside those of the authorization request
	Headers    Params     `yaml:"headers"`
}

// authOr is how the client authenticates a pushed request: as it says itself, or as at the token endpoint
// (RFC 9126 §2).
func (q *PAR) authOr(t *TokenRequest) ClientAuth {
	switch {
	case q.ClientAuth != "":
		return q.ClientAuth
	case t != nil:
		return t.ClientAuth
	}
	return ClientAuthNone
}

// PushAuth is how the client authenticates the pushed authorization request.
func (a *Auth) PushAuth() ClientAuth { return a.Authorize.PAR.authOr(a.Token) }

// Device is the device authorization request (RFC 8628 §3.1).
type Device struct {
	ClientRequest `yaml:",inline"`
	Answer        DeviceAnswer `yaml:"answer"`
}

// Exchange is what is traded for a token, and for what (RFC 8693 §2.1).
type Exchange struct {
	SubjectToken     Template  `yaml:"subject_token"`
	SubjectTokenType Template  `yaml:"subject_token_type"`
	ActorToken       *Template `yaml:"actor_token"`
	ActorTokenType   *Template `yaml:"actor_token_type"`
	// RequestedTokenType, Audience and Resource say what the token is to be, and for whom.
	RequestedTokenType *Template `yaml:"requested_token_type"`
	Audience           Templates `yaml:"audience"`
	Resource           Templates `yaml:"resource"`
}

// Templates is one template or a list of them.
type Templates []Template

// All lists the templates.
func (ts Templates) All() []*Template {
	var out []*Template
	for i := range ts {
		out = append(out, &ts[i])
	}
	return out
}

// DeviceAnswer reads the device authorization response; what is not given is read as RFC 8628 §3.2
// says.
type DeviceAnswer struct {
	DeviceCode              *Expression `yaml:"device_code"`
	UserCode                *Expression `yaml:"user_code"`
	VerificationURI         *Expression `yaml:"verification_uri"`
	VerificationURIComplete *Expression `yaml:"verification_uri_complete"`
	Expires                 *Lifetime   `yaml:"expires"`
	Interval                *Expression `yaml:"interval"` // in seconds
}

// Scopes is one list of scopes.
type Scopes struct {
	Parameter string     `yaml:"parameter"` // empty: "scope"
	Separator *string    `yaml:"separator"` // nil: a space
	Default   []Template `yaml:"default"`
	// Required scopes are always asked for and must be granted.
	Required []Template `yaml:"required"`
	// Granted reads the granted scopes from the token answer; default response.body.scope.
	Granted *Expression `yaml:"granted"`
	// Escape says whether what an address can hold as it is, such as : and /, is escaped all the same;
	// nil: it is.
	Escape *bool `yaml:"escape"`
}

// Raw reports whether the list is sent with as little escaped as an address allows.
func (s *Scopes) Raw() bool { return s.Escape != nil && !*s.Escape }

// Sep returns the separator.
func (s *Scopes) Sep() string {
	if s.Separator == nil {
		return " "
	}
	return *s.Separator
}

// PKCE says how RFC 7636 is used.
type PKCE struct {
	Mode   string // required, optional (sent as well), off
	Method string // S256 (default) or plain
	// Encoding says how the hash is written: base64url (default) or hex.
	Encoding string
}

// Used reports whether a challenge is sent.
func (p PKCE) Used() bool { return p.Mode != "off" }

// ClientCertificate is a certificate and its key, both in PEM form.
type ClientCertificate struct {
	Certificate Template `yaml:"certificate"`
	Key         Template `yaml:"key"`
}

// ClientAuth says how the client authenticates at the token endpoint (RFC 6749 §2.3).
type ClientAuth string

// The ways; there is no default, because guessing sends a code twice.
const (
	ClientAuthHeader ClientAuth = "header" // client_secret_basic
	ClientAuthBody   ClientAuth = "body"   // client_secret_post
	ClientAuthNone   ClientAuth = "none"   // public client: client_id only
	// ClientAuthPrivateKeyJWT and ClientAuthSecretJWT sign an assertion (RFC 7523 §2.2), with a key of the
	// client's own or with its secret.
	ClientAuthPrivateKeyJWT ClientAuth = "private_key_jwt"
	ClientAuthSecretJWT     ClientAuth = "client_secret_jwt"
	ClientAuthMTLS          ClientAuth = "mtls" // RFC 8705 §2: the client id, and the certificate of TLS
	// ClientAuthUnsent sends nothing of the client, because a token is traded for another and that alone
	// is looked at. It is what a request under token.then does that does not say otherwise.
	ClientAuthUnsent ClientAuth = "unsent"
)

// ClientRequest is a request in which the client authenticates. Its standard parameters are filled in
// by the method; Params adds to them, Names renames them or leaves them out.
type ClientRequest struct {
	URL        Template   `yaml:"url"`
	Method     string     `yaml:"method"` // empty: POST
	ClientAuth ClientAuth `yaml:"client_auth"`
	Format     string     `yaml:"format"` // form (default), json, query
	Params     Params     `yaml:"params"`
	Names      Names      `yaml:"names"`
	Headers    Params     `yaml:"headers"`
	Outcome    `yaml:",inline"`
}

// TokenRequest is a request to the token endpoint.
type TokenRequest struct {
	ClientRequest `yaml:",inline"`
	GrantType     string      `yaml:"grant_type"`
	Answer        TokenAnswer `yaml:"answer"`
	// Then are further requests, each of which trades what the one before has brought; the last answer
	// is the credential. They have none themselves.
	Then []*TokenRequest `yaml:"then"`
}

// Outcome reads an answer, decides whether it is a success, and reads the error if it is not.
type Outcome struct {
	Reading          `yaml:",inline"`
	Success          *Expression `yaml:"success"`           // default: status 2xx
	Error            *Expression `yaml:"error"`             // default: response.body.error
	ErrorDescription *Expression `yaml:"error_description"` // default: response.body.error_description
}

// TokenAnswer reads the answer of a token endpoint; what is not given is read as RFC 6749 §5.1 says.
type TokenAnswer struct {
	AccessToken  *Expression `yaml:"access_token"`
	RefreshToken *Expression `yaml:"refresh_token"`
	TokenType    *Expression `yaml:"token_type"`
	IDToken      *Expression `yaml:"id_token"`
	// TokenSecret is what signs with the access token under OAuth 1.0.
	TokenSecret    *Expression `yaml:"token_secret"`
	Expires        *Lifetime   `yaml:"expires"`
	RefreshExpires *Lifetime   `yaml:"refresh_expires"`
	Scopes         *Expression `yaml:"scopes"`
	// Tokens are further tokens in the same answer, by name.
	Tokens  Captures `yaml:"tokens"`
	Capture Captures `yaml:"capture"`
}

// Lifetime says when something ends.
type Lifetime struct {
	In   *Expression `yaml:"in"`   // a duration from now, in Unit (s, ms)
	At   *Expression `yaml:"at"`   // a moment, in Unit (epoch, epoch_ms, iso)
	Unit string      `yaml:"unit"` // s for In, iso for At when empty
	// Default holds when the answer does not say; zero: it does not end as far as known.
	Default Duration `yaml:"default"`
}

// Told reports whether an answer says when it ends.
func (l *Lifetime) Told() bool { return l != nil && (l.In != nil || l.At != nil) }

// What a credential is renewed with.
const (
	GrantNone              = none
	GrantRefreshToken      = "refresh_token"
	GrantAccessToken       = "access_token"       // traded for a newer one
	GrantClientCredentials = "client_credentials" // another token is asked for
	GrantJWTBearer         = "jwt_bearer"         // another assertion is traded
	GrantTokenExchange     = "token_exchange"     // the subject token is traded again
	GrantPassword          = "password"           // user name and password are shown again
)

// Refresh says how a credential is renewed without the person.
type Refresh struct {
	// Grant is one of those above; empty: as RefreshGrant says.
	Grant string `yaml:"grant"`
	// The rest of the request; what is not given is as in the token request.
	URL        *Template  `yaml:"url"`
	Method     string     `yaml:"method"`
	ClientAuth ClientAuth `yaml:"client_auth"`
	Format     string     `yaml:"format"`
	GrantType  string     `yaml:"grant_type"`
	Params     Params     `yaml:"params"`
	Names      Names      `yaml:"names"`
	Headers    Params     `yaml:"headers"`
	Outcome    `yaml:",inline"`
	Answer     *TokenAnswer `yaml:"answer"`
	// Rotation says whether the refresh token is replaced: always, sometimes, never.
	Rotation string `yaml:"rotation"`
	// ReuseGrace is how long the provider accepts a refresh token again after replacing it. Without
	// rotation or within the grace, a lost answer may be asked for again.
	ReuseGrace Duration `yaml:"reuse_grace"`
	// Margin is how long before the end to renew; zero: a fifth of the lifetime, five minutes at most.
	Margin Duration `yaml:"margin"`
	// Schedule is a cron expression: renew at these times even if nothing expires.
	Schedule string `yaml:"schedule"`
}

// Kept reports whether the answer to a field stays with the credential.
func (a *Auth) Kept(name string) bool { return !slices.Contains(a.traded, name) }

// secretsIn names the secret fields that a template reads.
func (a *Auth) secretsIn(t *Template) []string {
	var out []string
	for _, part := range t.parts {
		if part.expr == nil {
			continue
		}
		for _, u := range part.expr.uses {
			if f, ok := a.Fields.Named(u.name); ok && u.root == "fields" && f.Secret() {
				out = append(out, u.name)
			}
		}
	}
	return out
}

// RefreshGrant is what a is renewed with: as its refresh block says, or as its kind usually is; none
// where there is no token to renew.
func (a *Auth) RefreshGrant() string {
	switch {
	case a.Token == nil, a.Kind == OAuth1:
		return none
	case a.Refresh != nil && a.Refresh.Grant != "":
		return a.Refresh.Grant
	case a.Kind == ClientCredentials:
		return GrantClientCredentials
	case a.Kind == JWTBearer:
		return GrantJWTBearer
	}
	return GrantRefreshToken
}

// Renew says how a custom credential is renewed: by running the login again.
type Renew struct {
	By       string   `yaml:"by"` // login
	Schedule string   `yaml:"schedule"`
	Margin   Duration `yaml:"margin"`
}

// Errors classify a failed token or API answer; what none matches is judged as RFC 6749 §5.2 says.
type Errors struct {
	DeadGrant *Expression `yaml:"dead_grant"` // the person must connect again
	Throttled *Expression `yaml:"throttled"`
	Transient *Expression `yaml:"transient"`
	App       *Expression `yaml:"app"` // our registration is refused
}

// Apply puts a credential on a request, in all the places given.
type Apply struct {
	Headers Params    `yaml:"headers"`
	Query   Params    `yaml:"query"`
	Cookies Params    `yaml:"cookies"`
	Basic   *UserPass `yaml:"basic"`
	// Body is put into the body of a call: among the fields of a form, or the members of a JSON object.
	Body Params `yaml:"body"`
	// Path stands between the base URL and the path of a call: the credential is a part of the address.
	Path *Template `yaml:"path"`
	// Sign makes every request another; what it makes holds for that request alone.
	Sign *Sign `yaml:"sign"`
}

// UserPass is HTTP Basic authentication (RFC 7617).
type UserPass struct {
	Username Template `yaml:"username"`
	Password Template `yaml:"password"`
}

// Duration is a time.Duration written as "90s" or "15m".
type Duration time.Duration
