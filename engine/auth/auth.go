// Package auth holds one Method per way of obtaining a credential and putting it on a request.
//
// A Method is the only code that knows an auth kind. It makes the messages of RFC 6749 and its
// relatives from what a definition says, and reads the answers. It keeps nothing and remembers
// nothing: flow keeps what is pending, token keeps credentials alive, connection stores them. When to
// refresh, and who may, is not decided here.
package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

// Method is one way of obtaining a credential and putting it on a request.
// Methods keep no state of their own and are safe for concurrent use.
type Method interface {
	Kind() definition.AuthKind
	// Begin says what has to happen first. Pending is kept sealed until the answer comes.
	Begin(ctx context.Context, r Request) (Step, Pending, error)
	// Complete takes the answer and says what has to happen next; usually Done.
	Complete(ctx context.Context, r Request, p Pending, a Answer) (Step, error)
	// Apply puts the credential on an outgoing request, where the definition says.
	Apply(out *http.Request, r Request, c Credential) error
}

// Refresher is a Method that can renew a credential without the person. A call that fails returns a
// fault whose kind says whose turn it is: NeedsReauth, Misconfigured, RateLimited, Unavailable,
// Timeout or Refused; egress.Sent tells whether the provider may have acted on it.
type Refresher interface {
	Refresh(ctx context.Context, r Request, c Credential) (Credential, error)
}

// Revoker is a Method that can tell the provider that a credential is given back.
type Revoker interface {
	Revoke(ctx context.Context, r Request, c Credential) error
}

// Poller is a Method whose person acts elsewhere, so that the provider has to be asked again and again
// what came of it.
type Poller interface {
	// Poll asks once. While the person has not decided it returns a Wait, whose Interval may have grown;
	// w is the one before. When to ask, and that nobody else asks meanwhile, is the caller's affair.
	Poll(ctx context.Context, r Request, p Pending, w Wait) (Step, error)
}

// Step is what has to happen next. The set is closed: Redirect, Form, Wait, Done.
type Step interface{ step() }

// Redirect sends the browser to the provider.
type Redirect struct{ URL *url.URL }

// Form asks the person for something more.
type Form struct{ Fields definition.Fields }

// Wait has the person act elsewhere while we poll: enter Code at URL, or look at CompleteURL, which has
// the code in it and may be nil.
type Wait struct {
	URL, CompleteURL *url.URL
	Code             string
	ExpiresAt        time.Time // after it the code is of no use
	// Interval is how long to wait before the provider may be asked again.
	Interval time.Duration
}

// Done is the end: a credential.
type Done struct {
	Credential Credential
	// Captured are values the provider told us, for the connection to keep.
	Captured map[string]string
}

func (Redirect) step() {}
func (Form) step()     {}
func (Wait) step()     {}
func (Done) step()     {}

// Pending is what a Method needs to remember until the answer comes. It holds secrets and is kept
// sealed.
type Pending struct {
	// State is the state parameter of RFC 6749 §4.1.1: 256 random bits, used once.
	State string `json:"state,omitempty"`
	// Verifier is the code verifier of RFC 7636 §4.1.
	Verifier string `json:"verifier,omitempty"`
	// DeviceCode is what the token endpoint is asked with (RFC 8628 §3.4).
	DeviceCode string `json:"device_code,omitempty"`
	// Nonce comes back in the ID token (OpenID Connect Core §3.1.2.1).
	Nonce string `json:"nonce,omitempty"`
	// Token and TokenSecret are the temporary credentials of RFC 5849 §2.1.
	Token       string `json:"token,omitempty"`
	TokenSecret string `json:"token_secret,omitempty"`
	// Requested are the scopes asked for.
	Requested []string `json:"requested,omitempty"`
}

// Answer is what came back: the parameters of the callback, and what the provider's server has posted
// besides, if it does; see ReadPost.
type Answer struct {
	Query  url.Values
	Posted map[string]any
}

// App is our registration at the provider, opened.
type App struct {
	ID           string
	ClientID     string
	ClientSecret secret.Value
	// Fields are what is registered beside them.
	Fields map[string]secret.Value
	Scopes []string // replaces the definition's default scopes when not empty
	// Server is the one it is registered at, of a connector that is used with many; see AppServers.
	Server string
}

// Request is everything a Method may use for one connection of one person.
type Request struct {
	Connector *definition.Connector
	Auth      *definition.Auth
	App       App
	// Inputs are the answers that are not secret; Fields the method's own answers while connecting.
	Inputs   map[string]string
	Fields   map[string]secret.Value
	Captured map[string]string
	// Discovered are the provider's addresses as Discover found them.
	Discovered map[string]string
	// RedirectURI is our one redirect URI, computed from the public URL.
	RedirectURI string
	Outlet      *Outlet

	explained *explainedTokens // set when nothing is to be signed, only told
	// callback is what the callback told, for formulas, while a flow completes.
	callback map[string]any
	occasion *occasion // instead of the present moment, when a request is signed
	content  *content  // instead of the request's own body, when it is signed
}

// Registry finds the Method of a kind.
type Registry map[definition.AuthKind]Method

// NewRegistry returns a registry of the given methods.
func NewRegistry(methods ...Method) Registry {
	r := Registry{}
	for _, m := range methods {
		r[m.Kind()] = m
	}
	return r
}

// Method returns the method of a kind. Every kind the schema knows has one.
func (r Registry) Method(kind definition.AuthKind) (Method, error) {
	if m, ok := r[kind]; ok {
		return m, nil
	}
	return nil, fmt.Errorf("auth kind %q has no method", kind)
}
