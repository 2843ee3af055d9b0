package auth

import (
	"errors"
	"slices"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// CheckApp reports what of an operator's answers about an app looks right and is of no use for a all the
// same: keys that cannot sign, a certificate whose key is another. Each complaint names its field.
func CheckApp(k *definition.Connector, a *definition.Auth, app App) []*fault.Error {
	return Request{Connector: k, Auth: a, App: app}.useless([]string{"app"})
}

// ofPerson are the roots of what whoever connects has answered.
var ofPerson = []string{"inputs", "fields"}

// useless are the complaints about keys and certificates that come from answers under roots.
func (r Request) useless(roots []string) []*fault.Error {
	env := r.env(nil)
	var out []*fault.Error
	check := func(from *definition.Template, read func() error) {
		asked := r.Connector.Asked(r.Auth, from)
		if len(asked) == 0 || !slices.Contains(roots, asked[0].Root) {
			return
		}
		if given, _ := env[asked[0].Root].(map[string]any); given[asked[0].Field.Name] == nil || given[asked[0].Field.Name] == "" {
			return // whether it has to be answered, and when, is not looked at here
		}
		err := read()
		if bad, ok := errors.AsType[*badAppKey](err); ok {
			out = append(out, fault.Field(bad.field, bad.complaint))
		} else if f := fault.As(err); f != nil && f.Field != "" {
			out = append(out, f)
		}
	}
	for _, j := range append(r.Auth.JWTs(), r.Auth.Signings()...) {
		check(&j.Key, func() error { _, err := r.signingKey(j, env); return err })
	}
	if t := r.Auth.TLS; t != nil {
		check(&t.Certificate, func() error { _, err := r.certificate(env); return err })
	}
	return out
}
