package auth

import (
	"context"
	"errors"
	"net/http"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// Reply is what a definition's request was answered, read.
type Reply struct {
	Captured map[string]string
	a        *response
	env      definition.Env
}

// Call makes one request of the definition with c on it, if the request wants that, and judges the
// answer as the request says. steps are answers of earlier requests, or nil.
func Call(ctx context.Context, m Method, r Request, q *definition.Request, c Credential, steps map[string]any) (Reply, error) {
	env := r.env(&c)
	if steps != nil {
		env["steps"] = steps
	}
	req, err := r.message(ctx, q, env)
	if err != nil {
		return Reply{}, err
	}
	if err := r.authenticate(req, m, q, c, env); err != nil {
		return Reply{}, err
	}
	out, err := r.scoped()
	if err != nil {
		return Reply{}, err
	}
	s := r.scrubber(env, req)
	raw, err := out.Do(ctx, req)
	if err != nil {
		return Reply{}, err
	}
	// Whether the body can be read does not matter yet: a test may be answered with a file, and then
	// its status counts. Who wants something from the body finds nothing there.
	a, _ := read(raw, q.Reading)
	env = answering(env, a)
	if !succeeded(a, q.Outcome, env) {
		who := theCredential
		if q.Auth == "client" {
			who = theApp
		}
		f, _ := r.refusal(a, q.Outcome, env, who, s)
		return Reply{}, f
	}
	return Reply{Captured: capture(q.Capture, env), a: a, env: env}, nil
}

// authenticate puts on req what q says authenticates it.
func (r Request) authenticate(req *http.Request, m Method, q *definition.Request, c Credential, env definition.Env) error {
	switch q.Auth {
	case "credential":
		if err := setQuery(req, r.Connector.API.Query, env); err != nil {
			return err
		}
		return m.Apply(req, r, c)
	case "client":
		if r.clientAuth(q) == definition.ClientAuthHeader {
			id, key := r.client(env)
			req.Header.Set("Authorization", basicClient(id, key))
		}
	}
	return nil
}

// Test runs the definition's test with c; a definition without one gives ErrNoTest.
func Test(ctx context.Context, m Method, r Request, c Credential) (Reply, error) {
	q := r.Connector.TestFor(r.Auth)
	if q == nil {
		return Reply{}, ErrNoTest
	}
	reply, err := Call(ctx, m, r, q, c, nil)
	var pe *ProviderError
	if f := fault.As(err); f != nil && f.Kind == fault.Refused && f.Code == "" && errors.As(err, &pe) && pe.Status < 300 {
		// That is what the test's success expression is for.
		return Reply{}, fault.E(fault.Refused, r.Connector.Name+" rejected this credential", pe).WithCode("credential-rejected")
	}
	return reply, err
}

// ErrNoTest says that the definition has no test.
var ErrNoTest = errors.New("the definition has no test")
