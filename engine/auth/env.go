package auth

import (
	"maps"

	"dowel/engine/definition"
	"dowel/engine/secret"
)

// env returns what the formulas of r's definition may read, with c's secrets if c is not nil. It is
// made for one request and dropped with it.
func (r Request) env(c *Credential) definition.Env {
	env := r.callEnv(c)
	if env["callback"] = r.callback; r.callback == nil {
		env["callback"] = callbackOf(r.RedirectURI, Answer{})
	}
	env["steps"] = map[string]any{}
	if c != nil {
		env["token"] = c.answer()
	}
	return env
}

// callEnv is env for what is put on every call with a credential, and no more: it is made on every
// token read that memory cannot answer. An absent mapping reads as an empty one.
func (r Request) callEnv(c *Credential) definition.Env {
	env := make(definition.Env, 8)
	fields := r.Fields
	if c != nil {
		if c.Fields != nil {
			fields = c.Fields
		}
		env["credential"] = c.env()
	}
	if len(r.Discovered) > 0 {
		env["discovered"] = anyMap(r.Discovered)
	}
	if len(r.Captured) > 0 {
		env["captured"] = anyMap(r.Captured)
	}
	if len(fields)+len(r.Auth.Fields) > 0 {
		env["fields"] = blank(revealedAny(fields), r.Auth.Fields)
	}
	inputs := anyMap(r.Inputs)
	for _, f := range r.Connector.Inputs {
		if v, ok := fields[f.Name]; ok && f.Secret() {
			inputs[f.Name] = v.Reveal() // a secret input is kept with the fields
		}
	}
	env["inputs"] = blank(inputs, r.Connector.Inputs)
	r.Connector.SetChoices(env, r.Auth, func(field string) string {
		if v, ok := inputs[field].(string); ok {
			return v
		}
		return fields[field].Reveal()
	})
	id, key := r.App.ClientID, r.App.ClientSecret
	if own, ok := fields["client_id"]; ok && id == "" {
		id, key = own.Reveal(), fields["client_secret"]
	}
	if id != "" || len(r.App.Fields)+len(r.Auth.AppFields) > 0 {
		app := blank(revealedAny(r.App.Fields), r.Auth.AppFields)
		app["client_id"], app["client_secret"] = id, key.Reveal()
		env["app"] = app
	}
	return env
}

// blank has formulas read an empty text where a field was left empty.
func blank(values map[string]any, fields definition.Fields) map[string]any {
	for _, f := range fields {
		if _, ok := values[f.Name]; !ok {
			values[f.Name] = ""
		}
	}
	return values
}

func (c *Credential) env() map[string]any {
	m := make(map[string]any, 6+len(c.Values))
	m["access_token"], m["refresh_token"] = c.AccessToken.Reveal(), c.RefreshToken.Reveal()
	m["id_token"], m["token_type"] = c.IDToken.Reveal(), c.TokenType
	if !c.TokenSecret.IsZero() {
		m["token_secret"] = c.TokenSecret.Reveal()
	}
	m["scopes"] = append([]string{}, c.Scopes...) // a list, where nothing is known to be granted as well
	if len(c.Tokens) > 0 {
		m["tokens"] = revealedAny(c.Tokens)
	}
	for k, v := range c.Values {
		m[k] = v.Reveal() // a login may call its session access_token as well
	}
	return m
}

// client returns the client id and secret that requests of r authenticate with: the app's, or those
// the person brought.
func (r Request) client(env definition.Env) (id, secretText string) {
	app, _ := env["app"].(map[string]any)
	id, _ = app["client_id"].(string)
	secretText, _ = app["client_secret"].(string)
	return id, secretText
}

// merge returns a with b laid over it.
func merge(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func revealedAny(m map[string]secret.Value) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v.Reveal()
	}
	return out
}
