package definition

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"
)

// Env holds the values a formula may read, by the names documented in connectors/README.md.
type Env map[string]any

// place says which names a formula may use where it stands. Secrets have no name in a place whose
// result a browser sees, so a formula cannot carry one there.
type place struct {
	fields     fieldAccess
	app        bool // app.client_id and what is registered beside it; of that, what is secret as with fields
	appSecret  bool // app.client_secret
	appKey     bool // app.client_secret as the key of a keyed hash, which does not tell it
	callback   bool // callback.redirect_uri, callback.query, callback.code
	credential bool
	captured   bool
	steps      bool
	response   bool
	token      bool // the raw answer of the token endpoint
	assertion  bool // the assertion that is being traded
	option     bool
	request    bool // the request that is being signed
	signature  bool
	idToken    bool // the claims of the ID token
}

type fieldAccess int

const (
	noFields fieldAccess = iota
	publicFields
	allFields
)

// The places of formulas.
var (
	inHosts     = place{fields: publicFields, app: true, captured: true}
	inAuthorize = place{fields: publicFields, app: true, callback: true}
	inIssuer    = place{fields: publicFields, app: true}
	inCallback  = place{fields: publicFields, callback: true}
	inConfirm   = place{fields: allFields, app: true, appSecret: true, callback: true, steps: true}
	inLaunch    = place{callback: true}
	inVerify    = place{fields: allFields, app: true, appSecret: true}
	inSigner    = place{fields: publicFields, app: true}
	inAsking    = place{fields: allFields, app: true, appSecret: true}
	inExchange  = place{fields: allFields, app: true, appSecret: true, callback: true, captured: true}
	inRefresh   = place{fields: allFields, app: true, appSecret: true, callback: true, captured: true, credential: true}
	inCall      = place{fields: allFields, app: true, appKey: true, captured: true, credential: true}
	inRevoke    = place{fields: allFields, app: true, appSecret: true, captured: true, credential: true}
	inLogin     = place{fields: allFields, captured: true, steps: true}
	inIdentity  = place{fields: publicFields, app: true, captured: true, steps: true, response: true, token: true, callback: true, idToken: true}
	inOption    = place{captured: true, option: true}
	inRegister  = place{fields: allFields}
	inProof     = place{fields: publicFields, app: true, captured: true, idToken: true}
	inTLS       = place{fields: allFields, app: true}
	inJWT       = place{fields: allFields, app: true, appSecret: true, captured: true}
	// What a signature is computed with is not sent; where it goes is.
	inSign   = place{fields: allFields, app: true, appSecret: true, captured: true, credential: true, request: true}
	inSigned = place{fields: allFields, app: true, captured: true, credential: true, request: true, signature: true}

	// The person sees the code and the address.
	inDeviceAnswer = place{fields: publicFields, app: true, response: true}
)

// answering is the place of a formula that reads the answer to a request made in p.
func (p place) answering() place {
	p.response = true
	return p
}

// requesting is the place of a formula that reads the request it is a part of, made in p.
func (p place) requesting() place {
	p.request = true
	return p
}

// types describes p to the compiler. Names that a definition makes up are any text here; names.check
// knows which there are.
func (p place) types() types.Map {
	made := types.Map{types.Extra: types.String}
	env := types.Map{"inputs": made, "environment": made, "values": types.Map{types.Extra: made}, "discovered": made}
	if p.fields != noFields {
		env["fields"] = made
	}
	if p.app {
		env["app"] = made // but for what allows refuses
	}
	if p.callback {
		env["callback"] = types.Map{
			"redirect_uri": types.String, "code": types.String, "query": made, "posted": types.Map{types.Extra: types.Any},
		}
	}
	if p.credential {
		env["credential"] = types.Map{
			"scopes": types.Array(types.String), "tokens": made, types.Extra: types.String,
		}
	}
	if p.captured {
		env["captured"] = types.Map{types.Extra: types.Any}
	}
	if p.steps {
		env["steps"] = types.Map{types.Extra: answerType()}
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
	if p.idToken {
		env["id_token"] = types.Map{types.Extra: types.Any}
	}
	if p.assertion {
		env["assertion"] = types.String
	}
	if p.request {
		env["request"] = requestType()
	}
	if p.signature {
		env["signature"] = types.String
	}
	return env
}

// requestType is what is known of a request that is being signed, beside the texts of ofRequest.
func requestType() types.Map {
	made := types.Map{types.Extra: types.String}
	return types.Map{
		"params": made, "headers": made, "size": types.Int, "timestamp": types.Int, "timestamp_ms": types.Int, types.Extra: types.String,
	}
}

func answerType() types.Map {
	return types.Map{
		"status": types.Int, "headers": types.Map{types.Extra: types.String}, "cookies": types.Map{types.Extra: types.String},
		"body": types.Any, "text": types.String,
	}
}

// roots are the names a formula may begin with, somewhere.
var roots = []string{"inputs", "environment", "values", "discovered", "fields", "app", "callback", "credential", "captured", "steps", "response", "token", "option", "assertion", "request", "signature", "id_token"}

// byName are the roots that hold secrets. At run time they hold all of them, so they are read by
// names that can be checked, or not at all.
var byName = []string{"inputs", "fields", "app", "credential"}

// allows refuses names that do not exist in p, whatever the definition.
func (p place) allows(uses []use) *formulaFault {
	env := p.types()
	for _, u := range uses {
		_, here := env[u.root]
		switch {
		case strings.HasPrefix(u.root, "$"):
			return &formulaFault{rule: "formula", message: u.root + " is not used in definitions", offset: u.offset}
		case slices.Contains(roots, u.root) && !here:
			if u.root == "app" && u.name == "client_secret" || u.root == "credential" || u.root == "fields" {
				return &formulaFault{rule: "secret-in-the-open", message: u.root + " holds secrets and cannot be used here", offset: u.offset}
			}
			return &formulaFault{rule: "unknown-name", message: fmt.Sprintf("%s cannot be used here; %s", u.root, suggest(u.root, keysOf(anyMap(env)))), offset: u.offset}
		case u.root == "app" && u.name == "client_secret" && !p.appSecret && (!p.appKey || !u.key):
			return &formulaFault{rule: "secret-in-the-open", message: "the client secret may only be sent to the token endpoint", offset: u.offset}
		case slices.Contains(byName, u.root) && u.name == "":
			return &formulaFault{rule: "formula", message: fmt.Sprintf("%s is read by name, such as %s.name", u.root, u.root), offset: u.offset}
		}
	}
	return nil
}

func anyMap(m types.Map) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
