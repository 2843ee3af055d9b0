package auth

import (
	"errors"
	"net/url"

	"dowel/engine/fault"
)

// checkCallback refuses an authorization response that is ambiguous, is from another issuer, or is an
// error. That it belongs to the request is known: it was found by its state.
func (r Request) checkCallback(q url.Values) error {
	for k, v := range q {
		if len(v) > 1 {
			// RFC 6749 §3.1: parameters must not be included more than once.
			return fault.E(fault.Invalid, "the answer contains "+clean(k, 40)+" twice", nil).WithCode("callback-ambiguous")
		}
	}
	if err := r.checkIssuer(q.Get("iss")); err != nil {
		return err
	}
	code := q.Get("error")
	if code == "" {
		return nil
	}
	pe := &ProviderError{Code: clean(code, 80), Description: clean(q.Get("error_description"), 300)}
	kind, public := fault.Refused, r.Connector.Name+" did not allow the connection"
	switch code {
	case "temporarily_unavailable", "server_error":
		kind, public = fault.Unavailable, r.Connector.Name+" has a problem at the moment"
	case "unauthorized_client", "invalid_client":
		kind, public = fault.Misconfigured, r.Connector.Name+" refused the app's client id"
	}
	return fault.E(kind, public, pe).WithCode(theirCode(pe.Code))
}

// checkIssuer compares the issuer that an answer names (RFC 9207 §2.4), before its code is sent
// anywhere. A provider that names none does not support the parameter and is not refused for it. An
// issuer that the definition does not name must at least be at one of its hosts: otherwise a
// connector of one provider could have the browser fetch the code of another.
func (r Request) checkIssuer(got string) error {
	if got == "" {
		if r.Discovered[tellsIssuer] == "true" {
			// RFC 9207 §2.4: a server that says it names itself does so in every answer.
			return otherIssuer(errors.New("iss is missing"))
		}
		return nil
	}
	if r.Auth.Issuer != nil {
		want, err := r.Auth.Issuer.Fill(r.env(nil))
		if err != nil {
			return invalidRequest("issuer", err)
		}
		if got != want {
			return otherIssuer(errors.New("iss differs"))
		}
		return nil
	}
	u, err := url.Parse(got)
	if err != nil {
		return otherIssuer(errors.New("iss is not an address"))
	}
	out, err := r.scoped()
	if err != nil {
		return err
	}
	if err := out.Check(u); err != nil {
		return otherIssuer(err)
	}
	return nil
}

func otherIssuer(cause error) error {
	return fault.E(fault.Refused, "the answer is from another provider", cause).WithCode("issuer-mismatch")
}
