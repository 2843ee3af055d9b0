package auth

import (
	"dowel/engine/definition"
	"dowel/engine/egress"
	"dowel/engine/secret"
)

// env returns what the formulas of r's definition may read, with c's secrets if c is not nil. It is
// made for one request and dropped with it.
func (r Request) env(c *Credential) definition.Env {
	env := definition.Env{
		"inputs":   anyMap(r.Inputs),
		"captured": anyMap(r.Captured),
		"app":      map[string]any{"client_id": r.App.ClientID, "client_secret": r.App.ClientSecret.Reveal()},
		"callback": map[string]any{"redirect_uri": r.RedirectURI, "code": "", "query": map[string]any{}},
		"steps":    map[string]any{},
	}
	fields := r.Fields
	if c != nil {
		if c.Fields != nil {
			fields = c.Fields
		}
		env["credential"] = c.env()
		env["token"] = c.Answer
	}
	env["fields"] = revealedAny(fields)
	inputs := env["inputs"].(map[string]any)
	for _, f := range r.Connector.Inputs {
		if v, ok := fields[f.Name]; ok && f.Secret() {
			inputs[f.Name] = v.Reveal() // a secret input is kept with the fields
		}
	}
	if id, ok := fields["client_id"]; ok && r.App.ClientID == "" {
		env["app"] = map[string]any{"client_id": id.Reveal(), "client_secret": fields["client_secret"].Reveal()}
	}
	return env
}

func (c *Credential) env() map[string]any {
	m := map[string]any{}
	for k, v := range c.Values {
		m[k] = v.Reveal()
	}
	m["access_token"], m["refresh_token"] = c.AccessToken.Reveal(), c.RefreshToken.Reveal()
	m["id_token"], m["token_type"] = c.IDToken.Reveal(), c.TokenType
	m["scopes"], m["tokens"] = c.Scopes, revealedAny(c.Tokens)
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

// answering adds an answer to env.
func answering(env definition.Env, a *response) definition.Env {
	out := make(definition.Env, len(env)+1)
	for k, v := range env {
		out[k] = v
	}
	out["response"] = a.env()
	return out
}

// response is a provider's answer, read.
type response struct {
	*egress.Response
	body any
}

func (a *response) env() map[string]any {
	headers := map[string]any{}
	for k := range a.Header {
		headers[lower(k)] = a.Header.Get(k)
	}
	return map[string]any{"status": a.Status, "headers": headers, "body": a.body, "text": string(a.Body)}
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
