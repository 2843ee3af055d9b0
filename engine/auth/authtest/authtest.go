// Package authtest proves a Method: whatever passes Run keeps the contract of package auth against
// providers that answer well, badly, oddly or not at all.
//
// The provider is a server of the suite on loopback, reached through egress by the addresses that the
// definition names; it answers what a case tells it to and keeps what it was sent. It reads requests
// for itself and shares no code with auth. A provider that behaves as one from end to end is the
// simulator's affair, and that a state counts once is flow's.
package authtest

import (
	"crypto"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/secret"
)

// Canary stands in every secret of the suite; it must not show up where no secret belongs.
const Canary = "CANARY"

// What the suite's provider and its app are called.
const (
	clientID     = "app id/1"                                     // with a blank, so that forgetting to encode it shows
	clientSecret = "CANARY client secret, to sign with: %41+&=/ü" // and with what forms, headers and JSON give a meaning to
	redirectURI  = "https://dowel.example/callback"
	theCode      = "CANARY-code+/%=&"
)

// Setting is what a definition is used with.
type Setting struct {
	// Inputs and Fields are the person's answers; secret ones must contain Canary.
	Inputs, Fields map[string]string
	// Callback are the parameters that the browser brings back, besides a code and the state.
	Callback map[string]string
	// Posted is what the provider's server posts; nil if it posts nothing.
	Posted map[string]any
	// Wrap turns the token answer of RFC 6749 §5.1 into what this provider says instead; nil if it
	// says just that.
	Wrap func(answer map[string]any) any
}

// Run tests m with the first auth method of a definition. Cases that do not apply to the kind, or to
// what the definition can do, are left out.
func Run(t *testing.T, m auth.Method, definitionYAML string, with Setting) {
	for _, test := range []struct {
		name    string
		applies func(*bench) bool
		run     func(*testing.T, *bench)
	}{
		{"KindIsTheDefinitions", always, testKind},
		{"CredentialIsObtained", always, testObtained},
		{"CredentialDoesNotPrint", always, testPrint},
		{"ApplyTwiceIsApplyOnce", always, testApplyTwice},
		{"ApplyLeavesTheRestAlone", always, testApplyRest},
		{"AttachSaysWhatApplyDoes", always, testAttach},
		{"CompleteWithoutBeginIsRefused", not(redirects), testNothingPending},
		{"NoSecretInAnyError", always, testSecrets},
		{"RevokeIsOneRequestOrNone", revokes, testRevoke},
		{"NothingIsSentWhenTheCallerHasGone", always, testCancelled},

		{"ChallengeMatchesVerifier", codes, testPKCE},
		{"AuthorizationRequest", redirects, testAuthorize},
		{"AppWithoutClientIDIsMisconfigured", consented, testNoApp},
		{"CallbackErrors", redirects, testCallbackErrors},
		{"CallbackIssuer", redirects, testIssuer},
		{"CallbackIsKept", redirects, testCallbackKept},
		{"CallbackBeforeThePost", posts, testAwaits},
		{"CallbackThatLacksSomething", redirects, testCallbackLacks},
		{"CallbackThatIsNotSigned", verifies, testVerified},
		{"CodeThatIsRefused", consented, testCodeRefused},

		{"PushedAuthorizationRequest", pushes, testPush},
		{"PushThatIsRefused", pushes, testPushRefused},

		{"SubjectThatIsRefused", subjects, testSubjectRefused},
		{"PasswordThatIsRefused", passwords, testPasswordRefused},

		{"DeviceAuthorizationRequest", devices, testDeviceRequest},
		{"DeviceAuthorizationResponse", devices, testDeviceAnswer},
		{"DeviceAuthorizationRefused", devices, testDeviceRefused},
		{"Polling", devices, testPolling},

		{"TemporaryCredentialsRequest", signsOAuth1, testTemporary},
		{"CallbackOfAnotherFlow", signsOAuth1, testOtherTemporary},

		{"TokenRequest", grants, testTokenRequest},
		{"RefreshRequest", refreshes, testRefreshRequest},
		{"Lifetime", grants, testLifetime},
		{"GrantedScopes", grants, testScopes},
		{"AnswersThatCanBeRead", grants, testReadable},
		{"AnswersThatCannotBeUsed", tokens, testUnusable},
		{"AbsentRefreshTokenKeepsTheOldOne", refreshes, testRefreshToken},
		{"WhatARefreshAnswerLeavesOutStays", refreshes, testRefreshKeeps},
		{"Refusals", tokens, testRefusals},
		{"BrokenConnections", tokens, testBroken},
		{"KeysThatCannotSign", signs, testUnfitKeys},
		{"CertificatesThatCannotBeShown", certified, testUnfitCertificates},
	} {
		b := newBench(t, m, definitionYAML, with)
		if !test.applies(b) {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			b.provider.t = t
			test.run(t, b)
		})
	}
}

func always(*bench) bool      { return true }
func redirects(b *bench) bool { return b.request.Auth.Authorize != nil }
func codes(b *bench) bool     { return b.request.Auth.Kind == definition.AuthorizationCode }
func subjects(b *bench) bool  { return b.request.Auth.Kind == definition.TokenExchange }
func passwords(b *bench) bool { return b.request.Auth.Kind == definition.Password }
func devices(b *bench) bool   { return b.request.Auth.Device != nil }
func consented(b *bench) bool { return b.request.Auth.Kind.Consented() }
func posts(b *bench) bool     { return b.request.Auth.Callback.From == definition.FromPost }
func tokens(b *bench) bool    { return b.request.Auth.Token != nil }
func grants(b *bench) bool    { return tokens(b) && !signsOAuth1(b) }

func signsOAuth1(b *bench) bool { return b.request.Auth.Kind == definition.OAuth1 }

func refreshes(b *bench) bool {
	a := b.request.Auth
	return grants(b) && (a.Refresh == nil || a.Refresh.Grant != "none")
}

func revokes(b *bench) bool { _, ok := b.method.(auth.Revoker); return ok }

func not(f func(*bench) bool) func(*bench) bool { return func(b *bench) bool { return !f(b) } }

// idForm finds the id, which a definition's file is named after.
var idForm = regexp.MustCompile(`(?m)^id: *(\S+)`)

// bench is one method, one definition and one provider.
type bench struct {
	method   auth.Method
	request  auth.Request
	provider *provider
	with     Setting
	// public are the public halves of the keys that sign, keys a part of the private ones, ids the jti of
	// what was signed.
	public map[*definition.JWT]crypto.PublicKey
	keys   []string
	ids    []string
}

func newBench(t *testing.T, m auth.Method, definitionYAML string, with Setting) *bench {
	t.Helper()
	id := idForm.FindStringSubmatch(definitionYAML)
	if id == nil {
		t.Fatal("the definition has no id")
	}
	k, findings := definition.Parse(id[1]+".yaml", []byte(definitionYAML))
	if k == nil {
		t.Fatalf("definition: %v", findings)
	}
	p := newProvider(t)
	b := &bench{method: m, provider: p, with: with, request: auth.Request{
		Connector: k, Auth: k.Auth[0], Inputs: with.Inputs, Fields: auth.Values(maps.Clone(with.Fields)), Captured: map[string]string{},
		RedirectURI: redirectURI,
		Outlet:      &auth.Outlet{Client: newClient(t), Simulate: func(string) func(*url.URL) *url.URL { return p.reroute }},
	}}
	if _, brought := with.Fields["client_id"]; !brought && (k.Auth[0].Token != nil || k.Auth[0].NeedsApp()) {
		b.request.App = auth.App{ID: "app_1", ClientID: clientID, ClientSecret: secret.New(clientSecret)}
	}
	for name, v := range with.Fields {
		if f, _ := k.Auth[0].Fields.Named(name); f.Secret() && !strings.Contains(v, Canary) {
			t.Fatalf("the secret field %s does not contain %s", name, Canary)
		}
	}
	b.giveKeys(t)
	p.answerWith(b.success(nil))
	if devices(b) {
		p.answerAside(b.deviceAnswers(nil))
	}
	if pushes(b) {
		p.aside = b.pushAnswers
	}
	if signsOAuth1(b) {
		p.answerAside(b.temporaryAnswers(nil))
	}
	return b
}

// newClient is a way out that has no connection yet.
func newClient(t *testing.T) *egress.Client {
	t.Helper()
	client, err := egress.NewClient(egress.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// client is what the app authenticates with: its own, or what the person brought.
func (b *bench) client() (id, key string) {
	if b.request.App.ClientID == "" {
		return b.with.Fields["client_id"], b.with.Fields["client_secret"]
	}
	return clientID, clientSecret
}

// tokenAnswer is a token answer of RFC 6749 §5.1 with changes laid over it; a change to nil takes the
// member away.
func (b *bench) tokenAnswer(changes map[string]any) any {
	m := map[string]any{
		"access_token": Canary + "-access-1", "token_type": "bearer", "expires_in": 3600, "refresh_token": Canary + "-refresh-1",
	}
	for k, v := range changes {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	if b.with.Wrap != nil {
		return b.with.Wrap(m)
	}
	return m
}

// success answers every request with a token answer.
func (b *bench) success(changes map[string]any) func(*sent) reply {
	return func(*sent) reply { return asJSON(http.StatusOK, b.tokenAnswer(changes)) }
}

// obtain goes all the way to a credential.
func (b *bench) obtain(t *testing.T) (auth.Done, error) {
	t.Helper()
	step, pending, err := b.method.Begin(t.Context(), b.request)
	if err != nil {
		return auth.Done{}, err
	}
	switch wait := step.(type) {
	case auth.Redirect:
		return b.complete(t, pending, b.brought())
	case auth.Wait:
		if step, err = b.method.(auth.Poller).Poll(t.Context(), b.request, pending, wait); err != nil {
			return auth.Done{}, err
		}
		if _, again := step.(auth.Wait); again {
			return auth.Done{}, errStillWaiting
		}
	}
	done, ok := step.(auth.Done)
	if !ok {
		t.Fatalf("Begin: step %T", step)
	}
	return done, nil
}

// errStillWaiting says that the provider has been asked, and has to be asked again.
var errStillWaiting = errors.New("still waiting for the person")

func (b *bench) codeParam() string {
	if name := b.request.Auth.Callback.Code; name != "" {
		return name
	}
	return "code"
}

// brought is what the browser brings back.
func (b *bench) brought() url.Values {
	out := url.Values{}
	for name, v := range b.with.Callback {
		out.Set(name, v)
	}
	if codes(b) {
		out.Set(b.codeParam(), theCode)
	}
	if signsOAuth1(b) {
		out.Set("oauth_token", theTemporary)
		out.Set("oauth_verifier", theVerifier)
	}
	return out
}

// complete brings back the parameters, and the state beside them, signed if the provider signs.
func (b *bench) complete(t *testing.T, p auth.Pending, query url.Values) (auth.Done, error) {
	t.Helper()
	query = maps.Clone(query)
	query.Set(b.request.Auth.StateName(), p.State)
	_, key := b.client()
	b.sign(t, query, key, time.Now())
	step, err := b.method.Complete(t.Context(), b.request, p, auth.Answer{Query: query, Posted: b.with.Posted})
	if err != nil {
		return auth.Done{}, err
	}
	done, ok := step.(auth.Done)
	if !ok {
		t.Fatalf("Complete: step %T", step)
	}
	return done, nil
}

// credential is a credential obtained without trouble; what the provider was sent for it is
// forgotten.
func (b *bench) credential(t *testing.T) auth.Credential {
	t.Helper()
	b.provider.answerWith(b.success(nil))
	done, err := b.obtain(t)
	if err != nil {
		t.Fatalf("obtain: %v", err)
	}
	for k, v := range done.Captured {
		b.request.Captured[k] = v
	}
	b.provider.forget()
	return done.Credential
}

// renew is Refresh where there is one, and the whole way again where there is none.
func (b *bench) renew(t *testing.T, c auth.Credential) (auth.Credential, error) {
	t.Helper()
	if r, ok := b.method.(auth.Refresher); ok && refreshes(b) {
		return r.Refresh(t.Context(), b.request, c)
	}
	done, err := b.obtain(t)
	return done.Credential, err
}
