package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// ErrNoTest says that the definition has no test, or that the provider has not published its address.
var ErrNoTest = errors.New("the definition has no test")

// Test runs the definition's test with c: of several the first that c has the right for. Without a test
// the provider is asked about the token, if the definition says how; a definition without either gives
// ErrNoTest.
func Test(ctx context.Context, m Method, r Request, c Credential) (Reply, error) {
	tests := slices.DeleteFunc(slices.Clone(r.Connector.TestsFor(r.Auth)), r.unpublishedRequest)
	if len(tests) == 0 && r.Auth.Introspect != nil && !r.unpublishedRequest(r.Auth.Introspect.Request) {
		return r.introspect(ctx, c)
	}
	for i, q := range tests {
		reply, err := call(ctx, m, r, q, c, nil)
		if i < len(tests)-1 && reply.passesOn(q, err) {
			continue
		}
		return tested(r, reply, err)
	}
	return Reply{}, ErrNoTest
}

// passesOn reports whether the answer to a test says only that the credential lacks the right for this
// call. A firewall's page with status 403 does not: it says nothing about rights.
func (reply Reply) passesOn(q *definition.Request, err error) bool {
	if reply.a == nil {
		return false
	}
	if f := fault.As(err); f != nil && f.Kind == fault.Refused && !reply.a.page {
		if f.Code == "missing-scope" || reply.a.Status == http.StatusForbidden {
			return true
		}
	}
	return q.SkipWhen.Is(reply.env)
}

// tested is what came of a test that counts.
func tested(r Request, reply Reply, err error) (Reply, error) {
	if err == nil {
		return reply, nil
	}
	var pe *ProviderError
	if f := fault.As(err); f != nil && f.Kind == fault.Refused && f.Code == "" && errors.As(err, &pe) && pe.Status < 300 {
		// That is what the test's success expression is for.
		err = fault.E(fault.Refused, r.Connector.Name+" rejected this credential", pe).WithCode("credential-rejected")
	}
	return Reply{}, err
}
