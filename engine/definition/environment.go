package definition

import (
	"strings"

	"github.com/expr-lang/expr/types"
)

// Env holds the values a formula may read, by the names documented in connectors/README.md.
type Env map[string]any

// place says which names a formula may use where it stands. Secrets have no name in a place whose
// result a browser sees, so a formula cannot carry one there.
type place struct {
	fields     fieldAccess
	app        bool // app.client_id
	appSecret  bool // app.client_secret
	callback   bool // callback.redirect_uri, callback.query, callback.code
	credential bool
	captured   bool
	steps      bool
	response   bool
	token      bool // the raw answer of the token endpoint
	option     bool
}

type fieldAccess int

const (
	noFields fieldAccess = iota
	publicFields
	allFields
)

// The places of formulas.
var (
	inHosts     = place{fields: publicFields, captured: true}
	inAuthorize = place{fields: publicFields, app: true, callback: true}
	inIssuer    = place{fields: publicFields}
	inCallback  = place{fields: publicFields, callback: true}
	inExchange  = place{fields: allFields, app: true, appSecret: true, callback: true, captured: true}
	inRefresh   = place{fields: allFields, app: true, appSecret: true, callback: true, captured: true, credential: true}
	inCall      = place{fields: allFields, app: true, captured: true, credential: true}
	inRevoke    = place{fields: allFields, app: true, appSecret: true, captured: true, credential: true}
	inLogin     = place{fields: allFields, captured: true, steps: true}
	inIdentity  = place{fields: publicFields, captured: true, steps: true, response: true, token: true}
	inOption    = place{captured: true, option: true}
)

// answering is the place of a formula that reads the answer to a request made in p.
func (p place) answering() place {
	p.response = true
	return p
}

// names are what the formulas of one auth method can refer to by name.
type names struct {
	inputs, fields   Fields
	captured         []string
	tokens, sessions []string // credential.tokens.<name>, credential.<name>
	steps            []string
}

// types describes p to the compiler.
func (p place) types(n names) types.Map {
	env := types.Map{"inputs": fieldTypes(n.inputs, p.fields)}
	if p.fields != noFields {
		env["fields"] = fieldTypes(n.fields, p.fields)
	}
	if p.app {
		app := types.Map{"client_id": types.String}
		if p.appSecret {
			app["client_secret"] = types.String
		}
		env["app"] = app
	}
	if p.callback {
		env["callback"] = types.Map{
			"redirect_uri": types.String, "code": types.String, "query": types.Map{types.Extra: types.String},
		}
	}
	if p.credential {
		env["credential"] = credentialType(n)
	}
	if p.captured {
		env["captured"] = mapOf(n.captured, types.Any)
	}
	if p.steps {
		env["steps"] = mapOf(n.steps, answerType())
	}
	if p.response {
		env["response"] = answerType()
	}
	if p.token {
		env["token"] = types.Any
	}
	if p.option {
		env["option"] = types.Any
	}
	return env
}

func fieldTypes(fs Fields, access fieldAccess) types.Map {
	m := types.Map{}
	for _, f := range fs {
		if access == allFields || !f.Secret() {
			m[f.Name] = types.String
		}
	}
	return m
}

func credentialType(n names) types.Map {
	m := types.Map{
		"access_token": types.String, "refresh_token": types.String, "token_type": types.String,
		"id_token": types.String, "scopes": types.Array(types.String), "tokens": mapOf(n.tokens, types.String),
	}
	for _, s := range n.sessions {
		m[s] = types.String
	}
	return m
}

func answerType() types.Map {
	return types.Map{
		"status": types.Int, "headers": types.Map{types.Extra: types.String}, "body": types.Any, "text": types.String,
	}
}

func mapOf(keys []string, t types.Type) types.Map {
	m := types.Map{}
	for _, k := range keys {
		m[k] = t
	}
	return m
}

// secretHere explains an unknown name that exists elsewhere but is a secret; empty if it is not one.
func (n names) secretHere(source string) string {
	for _, fs := range []Fields{n.inputs, n.fields} {
		for _, f := range fs {
			if f.Secret() && (strings.Contains(source, "fields."+f.Name) || strings.Contains(source, "inputs."+f.Name)) {
				return f.Name + " is secret and would be seen by the browser or stored in the open"
			}
		}
	}
	if strings.Contains(source, "client_secret") {
		return "the client secret may only be sent to the token endpoint"
	}
	return ""
}
