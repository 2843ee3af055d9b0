package auth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// DeviceCode returns the device authorization grant (RFC 8628): the person enters a code at the
// provider, on whatever device, while we ask the token endpoint again and again.
func DeviceCode() Method { return deviceCode{} }

type deviceCode struct{ applied }

var (
	_ Poller    = deviceCode{}
	_ Refresher = deviceCode{}
	_ Revoker   = deviceCode{}
)

// Kind implements Method.
func (deviceCode) Kind() definition.AuthKind { return definition.DeviceCode }

// Begin asks for a code.
func (deviceCode) Begin(ctx context.Context, r Request) (Step, Pending, error) {
	env := r.env(nil)
	if id, _ := r.client(env); id == "" {
		return nil, Pending{}, r.noApp()
	}
	req, err := r.deviceRequest(ctx, env)
	if err != nil {
		return nil, Pending{}, err
	}
	a, env, err := r.answer(ctx, req, r.Auth.Device.Outcome, env, nil, true)
	if err != nil {
		return nil, Pending{}, err
	}
	wait, code, err := r.deviceAnswer(a, env)
	if err != nil {
		return nil, Pending{}, err
	}
	return wait, Pending{DeviceCode: code, Requested: r.requestedScopes()}, nil
}

// deviceRequest makes the device authorization request (RFC 8628 §3.1).
func (r Request) deviceRequest(ctx context.Context, env definition.Env) (*http.Request, error) {
	standard, err := r.scopeParams(env)
	if err != nil {
		return nil, err
	}
	return r.clientRequest(ctx, "device authorization request", &r.Auth.Device.ClientRequest, standard, env)
}

// What a provider may say about a code, and what holds when it says nothing.
const (
	usualInterval   = 5 * time.Second // RFC 8628 §3.2
	longestInterval = time.Minute
	usualCodeLife   = 10 * time.Minute
	longestCodeLife = 30 * time.Minute // a page that waits longer is not looked at any more
	maxUserCode     = 100              // characters; people have to type it
)

// deviceAnswer reads the device authorization response (RFC 8628 §3.2).
func (r Request) deviceAnswer(a *response, env definition.Env) (Wait, string, error) {
	t := &r.Auth.Device.Answer
	body, _ := a.body.(map[string]any)
	pick := func(e *definition.Expression, usual string) any {
		if e != nil {
			return e.Value(env)
		}
		return body[usual]
	}
	code, err := token("device code", pick(t.DeviceCode, "device_code"))
	if err == nil && code.IsZero() {
		err = errors.New("the answer has no device code")
	}
	if err != nil {
		return Wait{}, "", r.unreadable(err)
	}
	wait := Wait{Code: definition.Text(pick(t.UserCode, "user_code"))}
	if wait.Code == "" || wait.Code != clean(wait.Code, maxUserCode) {
		return Wait{}, "", r.unreadable(errors.New("the answer has no code that a person could enter"))
	}
	if wait.URL, err = r.verificationPage(pick(t.VerificationURI, "verification_uri")); err != nil {
		return Wait{}, "", err
	}
	if wait.URL == nil {
		return Wait{}, "", r.unreadable(errors.New("the answer does not say where the code is entered"))
	}
	if wait.CompleteURL, err = r.verificationPage(pick(t.VerificationURIComplete, "verification_uri_complete")); err != nil {
		return Wait{}, "", err
	}
	wait.ExpiresAt = expiry(t.Expires, body["expires_in"], env, a.ReceivedAt, longestCodeLife)
	if wait.ExpiresAt.IsZero() {
		wait.ExpiresAt = stamp(a.ReceivedAt).Add(usualCodeLife)
	}
	wait.Interval = min(cmp.Or(interval(pick(t.Interval, "interval"), "s"), usualInterval), longestInterval)
	return wait, code.Reveal(), nil
}

// verificationPage reads an address the person is sent to, which like every such address has to be at
// one of the definition's hosts; nil if the answer has none.
func (r Request) verificationPage(v any) (*url.URL, error) {
	s, _ := v.(string)
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || strings.ContainsFunc(s, isControl) {
		return nil, r.unreadable(errors.New("the address where the code is entered is none"))
	}
	return r.browserURL(u)
}

// grantDeviceCode is the grant type of RFC 8628 §3.4.
const grantDeviceCode = "urn:ietf:params:oauth:grant-type:device_code"

// Poll asks whether the person has decided (RFC 8628 §3.4, §3.5). A provider that cannot be asked just
// now is asked again after twice the time; only its own word ends the waiting.
func (deviceCode) Poll(ctx context.Context, r Request, p Pending, w Wait) (Step, error) {
	done, err := r.exchange(ctx, r.Auth.Token, r.deviceParams(p.DeviceCode), r.env(nil), nil)
	if err != nil {
		return r.stillWaiting(w, err)
	}
	claims, err := r.verifyIDToken(ctx, done.Credential, p)
	if err != nil {
		return nil, err
	}
	r.learn(&done.Credential, claims)
	if done.Credential.Fields = r.Fields; len(done.Credential.Scopes) == 0 {
		// An answer without scope grants what was asked for (RFC 6749 §5.1).
		done.Credential.Scopes = p.Requested
	}
	return done, nil
}

// deviceParams are the parameters of RFC 8628 §3.4.
func (r Request) deviceParams(code string) []pair {
	return []pair{{"grant_type", cmp.Or(r.Auth.Token.GrantType, grantDeviceCode)}, {"device_code", code}}
}

// slowDown is what slow_down adds to the interval, for this and all later requests (RFC 8628 §3.5).
const slowDown = 5 * time.Second

// stillWaiting says how to go on after a request that brought no token, or why not to.
func (r Request) stillWaiting(w Wait, err error) (Step, error) {
	var pe *ProviderError
	if errors.As(err, &pe) {
		switch pe.Code {
		case "authorization_pending":
			return w, nil
		case "slow_down":
			w.Interval += slowDown
			return w, nil
		case "expired_token":
			return nil, r.codeExpired(err)
		}
	}
	if errors.Is(err, ErrAnswerLost) {
		return nil, err // whatever it was, the code is spent
	}
	switch fault.KindOf(err) {
	case fault.RateLimited:
		w.Interval = max(w.Interval+slowDown, wanted(err))
	case fault.Unavailable, fault.Timeout:
		w.Interval = max(w.Interval, min(2*w.Interval, longestInterval), wanted(err))
	default:
		return nil, err
	}
	return w, nil
}

// wanted is the time that a provider wants to be left alone; zero if it did not say.
func wanted(err error) time.Duration {
	if f := fault.As(err); f != nil {
		return f.RetryAfter
	}
	return 0
}

func (r Request) codeExpired(cause error) error {
	return fault.E(fault.Refused, "the code was not entered at "+r.Connector.Name+" in time", cause).WithCode("code-expired")
}

// Complete is never called: there is nothing to come back with.
func (deviceCode) Complete(context.Context, Request, Pending, Answer) (Step, error) {
	return nil, nothingPending()
}

// Refresh renews c.
func (deviceCode) Refresh(ctx context.Context, r Request, c Credential) (Credential, error) {
	return refresh(ctx, r, c)
}

// Revoke tells the provider, as the definition says.
func (deviceCode) Revoke(ctx context.Context, r Request, c Credential) error {
	return revoke(ctx, DeviceCode(), r, c)
}

// noApp says that nothing can be asked without a registration at the provider.
func (r Request) noApp() error {
	return fault.E(fault.Misconfigured, r.Connector.Name+" has no app yet: an operator has to add its client id", nil).WithCode("app-missing")
}
