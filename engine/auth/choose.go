package auth

import (
	"context"
	"fmt"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// Option is one of the things at the provider a connection may mean.
type Option struct {
	Value    string            `json:"value"`
	Name     string            `json:"name"`
	Captured map[string]string `json:"captured"`
}

// maxOptions bounds a list shown to a person.
const maxOptions = 500

// Options asks the provider what there is to choose from.
func Options(ctx context.Context, m Method, r Request, ch *definition.Choice, c Credential) ([]Option, error) {
	reply, err := Call(ctx, m, r, ch.Request, c, nil)
	if err != nil {
		return nil, err
	}
	list, ok := ch.Options.Value(reply.env).([]any)
	if !ok {
		return nil, fault.E(fault.Unavailable, r.Connector.Name+" did not say what there is to choose from", fmt.Errorf("%s is not a list", ch.Options.Source))
	}
	var out []Option
	for _, item := range list[:min(len(list), maxOptions)] {
		env := r.callEnv(nil)
		env["option"] = item
		o := Option{Value: ch.Value.Text(env), Name: clean(ch.Name.Text(env), 200), Captured: capture(ch.Capture, env)}
		if o.Value == "" {
			continue
		}
		if o.Name == "" {
			o.Name = o.Value
		}
		out = append(out, o)
	}
	return out, nil
}
