package auth

import (
	"context"
	"net/http"

	"dowel/engine/definition"
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
	reply, err := call(ctx, m, r, q, c, steps)
	if err != nil {
		return Reply{}, err
	}
	return reply, nil
}

// applier puts a credential on a request; every Method does.
type applier interface {
	Apply(out *http.Request, r Request, c Credential) error
}

// call is Call that returns the answer of a failed request too, if there was one.
func call(ctx context.Context, m applier, r Request, q *definition.Request, c Credential, steps map[string]any) (Reply, error) {
	if c.Fields != nil {
		r.Fields = c.Fields // hosts may name what the method asked
	}
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
	out, err := r.sender(env)
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
	reply := Reply{a: a, env: answering(env, a)}
	if !succeeded(a, q.Outcome, reply.env) {
		who := theCredential
		if q.Auth == "client" {
			who = theApp
		}
		f, _ := r.refusal(a, q.Outcome, reply.env, who, s)
		return reply, f
	}
	if q.Parse == definition.ParseJWT {
		if err := r.proveAnswer(ctx, a); err != nil {
			return reply, err
		}
	}
	reply.Captured = capture(q.Capture, reply.env)
	return reply, nil
}

// authenticate puts on req what q says authenticates it.
func (r Request) authenticate(req *http.Request, m applier, q *definition.Request, c Credential, env definition.Env) error {
	switch q.Auth {
	case "credential":
		if err := setQuery(req, r.Connector.APIFor(r.Auth).Query, env); err != nil {
			return err
		}
		return m.Apply(req, r, c)
	case "client":
		if r.clientAuth(q) == definition.ClientAuthHeader {
			client, err := r.prove(definition.ClientAuthHeader, env)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", client.header)
		}
	}
	return r.sign(req, q.Sign, env)
}
