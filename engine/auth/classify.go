package auth

import (
	"net/http"
	"slices"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// party is who authenticated a request: 401 and 403 are about it.
type party int

const (
	theApp        party = iota // at token endpoints: client id and secret
	theCredential              // everywhere else: what the person allowed or typed
)

// verdict is what a failed answer means.
type verdict struct {
	kind   fault.Kind
	public string
	// code is the fault's: ours, or the provider's own.
	code string
	// understood says that the answer is an error we know, and not merely no success.
	understood bool
}

// classify says what a failed answer means: first as the definition's own classifiers say, then as
// the status does, then as RFC 6749 §5.2 and RFC 6750 §3.1 say.
func (r Request) classify(a *response, code string, env definition.Env, who party) verdict {
	e, name := r.Auth.Errors, r.Connector.Name
	know := func(k fault.Kind, public string) verdict { return verdict{k, public, theirCode(code), true} }
	switch {
	case e.DeadGrant.Is(env):
		return know(fault.NeedsReauth, name+" no longer accepts this connection")
	case e.App.Is(env):
		return know(fault.Misconfigured, name+" refused the app's client id or secret")
	case e.Throttled.Is(env), a.Status == http.StatusTooManyRequests, code == "slow_down":
		return know(fault.RateLimited, name+" asks to slow down")
	case e.Transient.Is(env), transientStatus(a.Status), slices.Contains(transientCodes[:], code):
		return know(fault.Unavailable, name+" has a problem at the moment")
	}
	if who == theCredential {
		if v, ok := r.aboutCredential(a, code); ok {
			return v
		}
	}
	switch {
	case code == "invalid_grant":
		return know(fault.NeedsReauth, name+" no longer accepts this connection")
	case code == "invalid_client", code == "unauthorized_client", code == "" && a.Status == http.StatusUnauthorized:
		return know(fault.Misconfigured, name+" refused the app's client id or secret")
	case code == "access_denied", code == "consent_required":
		return know(fault.Refused, "access was not allowed at "+name)
	case code == "" && a.body == nil:
		// A firewall's page has nothing to do with the grant, whatever its status.
		return verdict{kind: fault.Unavailable, public: name + " gave an answer that is not one"}
	}
	return verdict{fault.Refused, name + " refused the request", theirCode(code), code != "" || a.Status > 299}
}

// transientCodes are those of RFC 6749 §4.1.2.1, which token endpoints use as well.
var transientCodes = [...]string{"temporarily_unavailable", "server_error"}

func transientStatus(status int) bool {
	return status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooEarly
}

// aboutCredential judges an answer to a request that the credential authenticated. Many providers
// answer such a 401 with an empty body or a page.
func (r Request) aboutCredential(a *response, code string) (verdict, bool) {
	switch {
	case r.Auth.Kind == definition.NoCredential && (a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden && !a.page):
		return verdict{fault.Refused, r.Connector.Name + " does not answer without a credential", theirCode(code), true}, true
	case code == "insufficient_scope": // RFC 6750 §3.1
		return verdict{fault.Refused, r.Connector.Name + " wants more to be allowed for this", "missing-scope", true}, true
	case a.Status == http.StatusUnauthorized, code == "invalid_token",
		a.Status == http.StatusForbidden && !a.page:
		return verdict{fault.Refused, r.Connector.Name + " rejected this credential", "credential-rejected", true}, true
	}
	return verdict{}, false
}
