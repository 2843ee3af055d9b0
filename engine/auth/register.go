package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// Registered is an app that has registered itself (RFC 7591 §3.2.1).
type Registered struct {
	ClientID     string
	ClientSecret secret.Value
	// Method is how it authenticates at the token endpoint, by the names of RFC 7591 §2.
	Method string
	// ExpiresAt is when the secret ends; zero: never.
	ExpiresAt time.Time
}

// MethodField is the name under which an app that has registered itself keeps how it authenticates.
const MethodField = "token_endpoint_auth_method"

// The methods of RFC 7591 §2 and what a definition calls them, those that are preferred first: a public
// client has nothing that could leak.
var registeredMethods = []registeredMethod{
	{"none", definition.ClientAuthNone},
	{"client_secret_basic", definition.ClientAuthHeader},
	{"client_secret_post", definition.ClientAuthBody},
}

type registeredMethod struct {
	name string
	how  definition.ClientAuth
}

// TakesDocument reports whether r's client id is the address of a document that we publish about
// ourselves: the definition says so, or leaves it to the server and that takes one.
func (r Request) TakesDocument() bool {
	switch r.Auth.Registration.Mode {
	case definition.RegisterDocument:
		return true
	case definition.RegisterEither:
		return r.Discovered[takesClients] == "true"
	}
	return false
}

// Register registers an app of ours, called name, at r's provider (RFC 7591 §3.1). It fails with
// Misconfigured where apps cannot register themselves: then an operator has to.
func Register(ctx context.Context, r Request, name string) (Registered, error) {
	req, err := r.registration(ctx, name)
	if err != nil {
		return Registered{}, err
	}
	a, _, err := r.answer(ctx, req, definition.Outcome{}, r.env(nil), nil, true)
	if f := fault.As(err); f != nil && (f.Kind == fault.Refused || f.Kind == fault.Misconfigured) {
		return Registered{}, fault.E(fault.Misconfigured, r.Connector.Name+" does not let this app register itself: an operator has to add its client id", err).WithCode("app-missing")
	}
	if err != nil {
		return Registered{}, err
	}
	out, err := r.registered(a)
	if err != nil {
		return Registered{}, r.unreadable(err)
	}
	return out, nil
}

func (r Request) registration(ctx context.Context, name string) (*http.Request, error) {
	how := r.Auth.Registration
	env := r.env(nil)
	text, err := how.URL.Fill(env)
	if err != nil || text == "" {
		return nil, fault.E(fault.Misconfigured, r.Connector.Name+" does not let apps register themselves: an operator has to add the client id", err).WithCode("app-missing")
	}
	u, err := how.URL.FillURL(env)
	if err != nil {
		return nil, invalidRequest("registration", err)
	}
	about, err := r.aboutClient(name, env)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(about)
	if err != nil {
		return nil, fmt.Errorf("encode registration: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if how.InitialAccessToken == nil {
		return req, nil
	}
	token, err := how.InitialAccessToken.Fill(env)
	if err != nil || hasControl(token) {
		return nil, invalidRequest("initial access token", errors.New("it cannot be filled, or is not one"))
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req, nil
}

// aboutClient is what we say about the client (RFC 7591 §2), with what the definition says laid over it.
func (r Request) aboutClient(name string, env definition.Env) (map[string]any, error) {
	out := ClientMetadata(name, r.RedirectURI)
	out[MethodField] = r.offeredMethod()
	if r.Auth.Kind == definition.DeviceCode {
		out["grant_types"] = []string{grantDeviceCode, "refresh_token"}
		delete(out, "response_types")
		delete(out, "redirect_uris")
	}
	scopes := r.requestedScopes()
	if len(scopes) > 0 {
		out["scope"] = strings.Join(scopes, " ")
	}
	if r.Auth.Registration.Params == nil {
		return out, nil
	}
	more, err := r.Auth.Registration.Params.Fill(env)
	if err != nil {
		return nil, invalidRequest("registration", err)
	}
	own, _ := more.(map[string]any)
	for k, v := range own {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out, nil
}

// ClientMetadata is what is said about us to every server (RFC 7591 §2).
func ClientMetadata(name, redirectURI string) map[string]any {
	return map[string]any{
		"client_name": name, "redirect_uris": []string{redirectURI}, "grant_types": []string{"authorization_code", "refresh_token"},
		"response_types": []string{"code"}, MethodField: "none",
	}
}

// offeredMethod is how we ask to authenticate: as the definition says, or the best of what the server
// takes. One that does not say takes client_secret_basic (RFC 8414 §2).
func (r Request) offeredMethod() string {
	takes := strings.Fields(r.Discovered[takesMethods])
	if len(takes) == 0 {
		takes = []string{"client_secret_basic"}
	}
	for _, m := range registeredMethods {
		if how := r.Auth.Token.ClientAuth; how == m.how || how == definition.ClientAuthRegistered && slices.Contains(takes, m.name) {
			return m.name
		}
	}
	return "client_secret_basic"
}

// registered reads the answer to a registration.
func (r Request) registered(a *response) (Registered, error) {
	body, _ := a.body.(map[string]any)
	id, _ := body["client_id"].(string)
	if id == "" || len(id) > 4096 || strings.ContainsFunc(id, isControl) {
		return Registered{}, errors.New("the answer has no client id")
	}
	key, err := token("client secret", body["client_secret"])
	if err != nil {
		return Registered{}, err
	}
	method, _ := body[MethodField].(string)
	if method == "" {
		method = r.offeredMethod()
	}
	switch {
	case !slices.ContainsFunc(registeredMethods, func(m registeredMethod) bool { return m.name == method }):
		return Registered{}, fmt.Errorf("it wants the client to authenticate with %s", clean(method, 40))
	case method != "none" && key.IsZero():
		return Registered{}, errors.New("the answer has no client secret")
	}
	received := stamp(a.ReceivedAt)
	// RFC 7591 §3.2.1: 0 is never.
	ends := after(received, until(body["client_secret_expires_at"], "epoch", received), longestRefresh)
	return Registered{ClientID: id, ClientSecret: key, Method: method, ExpiresAt: ends}, nil
}

// registeredAuth is how an app that has registered itself authenticates.
func (r Request) registeredAuth() definition.ClientAuth {
	method := r.App.Fields[MethodField].Reveal()
	for _, m := range registeredMethods {
		if m.name == method {
			return m.how
		}
	}
	takes := strings.Fields(r.Discovered[takesMethods])
	switch {
	case r.App.ClientSecret.IsZero():
		return definition.ClientAuthNone
	case slices.Contains(takes, "client_secret_post") && !slices.Contains(takes, "client_secret_basic"):
		return definition.ClientAuthBody
	}
	return definition.ClientAuthHeader // RFC 7591 §2: what holds when nothing was agreed
}
