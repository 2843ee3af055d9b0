package simulator

import (
	"strings"

	"dowel/engine/definition"
)

// many are the standard parameters that may come several times (RFC 8693 §2.1).
func (k spec) many() []string {
	if k.kind != "token_exchange" {
		return nil
	}
	audience, _ := k.names.Name("audience")
	resource, _ := k.names.Name("resource")
	return []string{audience, resource}
}

// subjectGrant trades a token of somebody else's (RFC 8693 §2.1). A token that is no good is told as
// invalid_request (§2.2.2).
func (c *call) subjectGrant(k chosen, client *client) (*answer, *problem) {
	subject, actor := k.param("subject_token"), k.param("actor_token")
	switch {
	case subject == "" || k.param("subject_token_type") == "":
		return nil, refuse("invalid_request", "subject_token or subject_token_type is missing")
	case (actor == "") != (k.param("actor_token_type") == ""):
		return nil, refuse("invalid_request", "actor_token and actor_token_type go together")
	}
	x := k.auth.Exchange
	found, ok := valuePattern(x.SubjectToken.Source).match(subject)
	if !ok || Wrong(subject) || actor != "" && Wrong(actor) {
		return nil, refuse("invalid_request", "the token that is to be traded is not accepted")
	}
	for standard, want := range map[string][]*definition.Template{
		"subject_token_type": {&x.SubjectTokenType}, "actor_token": {x.ActorToken}, "actor_token_type": {x.ActorTokenType},
		"requested_token_type": {x.RequestedTokenType}, "audience": x.Audience.All(), "resource": x.Resource.All(),
	} {
		if !sentAs(want, k.param(standard)) {
			code := "invalid_request"
			if standard == "audience" || standard == "resource" {
				code = "invalid_target" // §2.2.2
			}
			return nil, refuse(code, standard+" is not what it should be")
		}
	}
	if !c.wait(c.s.options.RefreshLatency) {
		return nil, errGone
	}
	return c.granted(k, client, c.s.typist(found))
}

// sentAs compares what was sent, several values with blanks between them, with what the definition says.
func sentAs(want []*definition.Template, sent string) bool {
	var sources []string
	for _, t := range want {
		if t != nil {
			sources = append(sources, t.Source)
		}
	}
	if len(sources) == 0 {
		return sent == ""
	}
	_, ok := valuePattern(strings.Join(sources, " ")).match(sent)
	return ok
}

// issuedType is what the token that is given is (RFC 8693 §2.2.1).
func issuedType(a *definition.Auth) string {
	if t := a.Exchange.RequestedTokenType; t != nil && t.Literal() {
		return t.Source
	}
	return "urn:ietf:params:oauth:token-type:access_token"
}
