package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/fault"
)

// exchange sends a token request, and those that trade what it has brought, and reads the last answer
// into a credential. standard are the parameters of the grant; before is the credential being renewed,
// whose parts stand for what the answer leaves out, or nil.
func (r Request) exchange(ctx context.Context, t *definition.TokenRequest, standard []pair, env definition.Env, before *Credential) (Done, error) {
	first := before == nil
	if !first && r.Auth.Discovery != nil {
		r.Discovered = r.rediscovered(ctx)
		env["discovered"] = anyMap(r.Discovered)
	}
	done, err := r.exchangeOnce(ctx, t, standard, env, before, first)
	for _, next := range t.Then {
		if err != nil {
			return Done{}, err
		}
		r.Captured = merge(r.Captured, done.Captured)
		traded, captured := done.Credential, done.Captured
		done, err = r.exchangeOnce(ctx, next, thenParams(next), r.thenEnv(env, &traded), &traded, first)
		done.Captured = merge(captured, done.Captured)
	}
	if err != nil {
		return Done{}, err
	}
	r.Captured = merge(r.Captured, done.Captured)
	r.look(ctx, &done.Credential)
	return done, nil
}

// thenParams are the standard parameters of a request that trades a token: there is no standard, so
// only the grant type, where there is one.
func thenParams(t *definition.TokenRequest) []pair {
	if t.GrantType == "" {
		return nil
	}
	return []pair{{"grant_type", t.GrantType}}
}

// thenEnv is what the formulas of a request that trades c may read; before is what those of the request
// that has brought c could.
func (r Request) thenEnv(before definition.Env, c *Credential) definition.Env {
	env := r.env(c)
	env["callback"] = before["callback"]
	return env
}

// exchangeOnce sends one token request. first says that nothing was connected before.
func (r Request) exchangeOnce(ctx context.Context, t *definition.TokenRequest, standard []pair, env definition.Env, before *Credential, first bool) (Done, error) {
	req, err := r.tokenRequest(ctx, t, standard, env)
	if err != nil {
		return Done{}, err
	}
	a, env, err := r.answer(ctx, req, t.Outcome, env, secretsAmong(standard), first)
	if err != nil {
		return Done{}, err
	}
	c, err := r.credential(a, &t.Answer, env, before)
	if err != nil {
		return Done{}, r.unreadable(err)
	}
	return Done{Credential: c, Captured: capture(t.Answer.Capture, env)}, nil
}

// answer sends a request in which the client authenticates, and returns an answer that is a success
// and can be read, with what formulas see of it. first says that nothing was connected before.
func (r Request) answer(ctx context.Context, req *http.Request, o definition.Outcome, env definition.Env, secrets []string, first bool) (*response, definition.Env, error) {
	out, err := r.sender(env)
	if err != nil {
		return nil, nil, err
	}
	s := r.scrubber(env, req, secrets...)
	// Once, whatever the method: a code and a rotating refresh token are spent by the first request.
	raw, err := out.DoOnce(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	a, readErr := read(raw, o.Reading)
	env = answering(env, a)
	if !succeeded(a, o, env) {
		return nil, nil, r.failed(a, o, env, s, first)
	}
	if readErr != nil {
		return nil, nil, r.unreadable(readErr)
	}
	return a, env, nil
}

// secretsAmong are the parameters that nobody else may learn.
func secretsAmong(standard []pair) []string {
	var out []string
	for _, p := range standard {
		switch p.name {
		case "code", "code_verifier", "device_code", "password", "refresh_token", "subject_token", "actor_token", "client_secret", "assertion", "client_assertion":
			out = append(out, p.value)
		}
	}
	return out
}

// succeeded reports whether an answer is a success.
func succeeded(a *response, o definition.Outcome, env definition.Env) bool {
	if o.Success != nil {
		return o.Success.Is(env)
	}
	if a.Status < 200 || a.Status > 299 {
		return false
	}
	// An error member means an error even with status 200: some providers always answer 200.
	m, _ := a.body.(map[string]any)
	switch e := m["error"].(type) {
	case nil:
		return true
	case string:
		return e == ""
	case bool:
		return !e
	case int:
		return e == 0
	}
	return false
}

// failed is the fault of a token request that was not answered with success. first says that nothing
// was connected before.
func (r Request) failed(a *response, o definition.Outcome, env definition.Env, s scrubber, first bool) error {
	f, understood := r.refusal(a, o, env, theApp, s)
	switch {
	case a.Status < 300 && !understood:
		return r.unreadable(errors.New("neither a success nor an error that is known"))
	case first && f.Kind == fault.NeedsReauth:
		return r.notAccepted(f, f.Code)
	}
	return f
}

// notAccepted is a refusal while connecting: there is no connection yet that could have ended.
func (r Request) notAccepted(f *fault.Error, code string) error {
	return fault.E(fault.Refused, r.Connector.Name+" did not accept this; please connect again", f).WithCode(code)
}

// unreadable is a success nobody can use: the provider may have acted, and we do not know what came
// of it.
func (r Request) unreadable(cause error) error {
	return fault.E(fault.Unavailable, r.Connector.Name+" gave an answer that cannot be read", fmt.Errorf("%w: %w", ErrAnswerLost, cause)).WithCode("answer-unreadable")
}

// ErrAnswerLost is in the chain of an error after which nobody knows whether the provider acted.
var ErrAnswerLost = errors.New("the outcome at the provider is unknown")

// OutcomeUnknown reports whether the request that ended in err may have been carried out without our
// learning its result.
//
// An error answer is taken at its word, one of a gateway (502 to 504) included: whoever sends it says
// that the request was not carried out, and to doubt that would cost every connection with a rotating
// refresh token its life in an outage. So is a redirect. Unknown are a request that was sent and not
// answered, an answer that broke off or was too large, and a success that cannot be read. What failed
// before anything was sent is known.
func OutcomeUnknown(err error) bool {
	if errors.Is(err, ErrAnswerLost) {
		return true
	}
	var pe *ProviderError
	if errors.As(err, &pe) || errors.Is(err, egress.ErrRedirect) {
		return false
	}
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Timeout, fault.Internal:
		return egress.Sent(err)
	}
	return false
}
