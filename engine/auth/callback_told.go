package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/secret"
)

// back checks what the browser brought and takes out of it what the definition keeps. The request it
// returns knows it: its formulas may read the callback, and its fields hold what the callback answers.
// Nothing is sent but what the definition confirms the answer with, and that only when it is otherwise
// good.
func (r Request) back(ctx context.Context, a Answer) (_ Request, captured map[string]string, err error) {
	if err := r.checkCallback(a.Query); err != nil {
		return r, nil, err
	}
	if err := r.verify(r.Auth.Callback.Verify, a, r.env(nil)); err != nil {
		return r, nil, err
	}
	r.callback = callbackOf(r.RedirectURI, a)
	env := r.env(nil)
	if r.Auth.Callback.Denied.Is(env) {
		return r, nil, fault.E(fault.Refused, r.Connector.Name+" did not allow the connection", nil).WithCode("access_denied")
	}
	if r.Auth.Callback.From == definition.FromPost && a.Posted == nil {
		return r, nil, errAwaited
	}
	for _, name := range r.Auth.Callback.Required {
		if a.Query.Get(name) == "" && definition.Text(a.Posted[name]) == "" {
			return r, nil, r.incomplete(name)
		}
	}
	if r.Fields, err = r.toldFields(env); err != nil {
		return r, nil, err
	}
	captured = capture(r.Auth.Callback.Capture, env)
	confirmed, err := r.confirm(ctx)
	if err != nil {
		return r, nil, err
	}
	captured = merge(captured, confirmed)
	r.Captured = merge(r.Captured, captured)
	return r, captured, nil
}

// confirm asks the provider whether what the browser brought is true, and returns what is kept of the
// answers.
func (r Request) confirm(ctx context.Context) (captured map[string]string, err error) {
	steps := map[string]any{}
	for _, c := range r.Auth.Callback.Confirm {
		reply, err := Call(ctx, nil, r, c.Request, Credential{Fields: r.Fields}, steps)
		if f := fault.As(err); f != nil && (f.Kind == fault.Refused || f.Kind == fault.NeedsReauth) {
			return nil, fault.E(fault.Refused, r.Connector.Name+" does not confirm what the browser has brought", err).WithCode("callback-unconfirmed")
		}
		if err != nil {
			return nil, err
		}
		steps[c.ID] = reply.a.env()
		captured = merge(captured, reply.Captured)
	}
	return captured, nil
}

// errAwaited says that the browser is back before the provider's server has posted what it has to.
var errAwaited = errors.New("the provider has not posted its answer yet")

// callbackOf is what formulas may read of a callback.
func callbackOf(redirectURI string, a Answer) map[string]any {
	values := make(map[string]any, len(a.Query))
	for k, v := range a.Query {
		values[k] = v[0]
	}
	posted := a.Posted
	if posted == nil {
		posted = map[string]any{}
	}
	return map[string]any{"redirect_uri": redirectURI, "code": "", "query": values, "posted": posted}
}

// ReadPost reads what a provider's server posts for a flow: a JSON object, or a form.
func ReadPost(mediaType string, body []byte) (map[string]any, error) {
	var v any
	var err error
	switch mediaType {
	case "application/json":
		v, err = decodeJSON(body)
	case "application/x-www-form-urlencoded":
		v, err = decodeForm(string(body))
	default:
		err = fmt.Errorf("%s is neither JSON nor a form", clean(mediaType, 80))
	}
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is no object")
	}
	return m, nil
}

// toldFields are the fields with those that the callback answers, which are held to the same rules as
// what a person types.
func (r Request) toldFields(env definition.Env) (map[string]secret.Value, error) {
	if len(r.Auth.Callback.Fields) == 0 {
		return r.Fields, nil
	}
	out := maps.Clone(r.Fields)
	if out == nil {
		out = map[string]secret.Value{}
	}
	for _, told := range r.Auth.Callback.Fields {
		f, _ := r.Auth.Fields.Named(told.Name)
		v, bad := f.Accept(told.Value.Text(env))
		if bad != nil {
			// The complaint may repeat a part of the value, which may be secret.
			return nil, r.incomplete(told.Name)
		}
		if v != "" {
			out[f.Name] = secret.New(v)
		}
	}
	return out, nil
}

// incomplete is a callback without something that the definition needs.
func (r Request) incomplete(name string) error {
	return fault.E(fault.Refused, r.Connector.Name+" sent the browser back without "+clean(name, 40), fmt.Errorf("%s is missing or cannot be used", name)).WithCode("callback-incomplete")
}
