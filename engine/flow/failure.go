package flow

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"dowel/engine/audit"
	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
	"dowel/engine/storage"
)

// fail ends f, and returns what the person is told. Nothing of the provider's answer is kept but its
// error, cut and clean.
func (s *Service) fail(ctx context.Context, f storage.Flow, r *auth.Request, err error) (Progress, error) {
	var k *definition.Connector
	if r != nil {
		k = r.Connector
	}
	failure := s.failure(f, k, err)
	_, uerr := s.Store.UpdateFlow(context.WithoutCancel(ctx), f.Ref, func(f *storage.Flow) error {
		f.Status, f.Code, f.Message, f.Pending = storage.FlowFailed, failure.Code, failure.Message, nil
		f.Provider, f.ProviderCode, f.Reference = failure.Provider, providerCode(err), failure.Reference
		f.Outbox = append(f.Outbox, audit.New(audit.FlowFailed, f.Tenant, f.ID, "end_user:"+f.EndUser, map[string]string{
			"connector": f.Connector, "code": failure.Code, "error": failure.Message, "reference": failure.Reference,
		}))
		return nil
	})
	if uerr != nil {
		s.Logger.Warn("note failed flow", "flow", f.ID, "err", uerr)
	}
	p := about(f)
	p.Status, p.Failure = storage.FlowFailed, failure
	return p, nil
}

// explain is fail for a flow that has no record yet.
func (s *Service) explain(f storage.Flow, k *definition.Connector, err error) error {
	return &Stopped{Failure: s.failure(f, k, err), cause: err}
}

// Stopped is a flow that came to nothing before it had a record.
type Stopped struct {
	Failure *Failure
	cause   error
}

// Error is our text.
func (e *Stopped) Error() string { return e.Failure.Message + ": " + e.cause.Error() }

// Unwrap returns the cause, which carries the kind.
func (e *Stopped) Unwrap() error { return e.cause }

func (s *Service) failure(f storage.Flow, k *definition.Connector, err error) *Failure {
	out := &Failure{Code: failureCode(err), Message: fault.Public(err), Reference: strings.ToLower(rand.Text()[:10])}
	var pe *auth.ProviderError
	if errors.As(err, &pe) {
		out.Provider, out.Status = cmp.Or(pe.Description, pe.Code), pe.Status
		if typed(f, k) && (out.Code == "provider-error" || out.Code == "app-misconfigured") {
			out.Code = "invalid-key" // there was nobody but the person who typed it to refuse
		}
	}
	if k != nil {
		out.help(k, providerCode(err))
	}
	s.Logger.Warn("flow failed", "reference", out.Reference, "tenant", f.Tenant, "flow", f.ID, "connector", f.Connector, "code", out.Code, "err", err)
	return out
}

// typed reports whether what the provider was shown came from the person alone.
func typed(f storage.Flow, k *definition.Connector) bool {
	if k == nil || f.App != "" {
		return false
	}
	a := k.Method(f.Auth)
	return a != nil && a.Authorize == nil
}

func providerCode(err error) string {
	var pe *auth.ProviderError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}

// failureCode is the stable code a page has words for.
func failureCode(err error) string {
	e := fault.As(err)
	if e == nil {
		return "server-error"
	}
	switch e.Code {
	case "access_denied", "consent_required", "user_cancelled_authorize", "user_denied":
		return "denied"
	case "admin_consent_required", "interaction_required":
		return "admin-approval"
	case "credential-rejected", "key-unusable":
		return "invalid-key"
	case "redirect_uri_mismatch":
		return "redirect-uri-mismatch"
	case "missing-scope", "test-timeout", "browser-mismatch", "state-expired", "wrong-account", "app-missing",
		"nothing-to-choose", "cancelled", codeExpired, "account-rejected", "issuer-mismatch", "callback-incomplete", "callback-unverified", "callback-unconfirmed":
		return e.Code
	}
	switch e.Kind {
	case fault.Misconfigured:
		return "app-misconfigured"
	case fault.Unavailable, fault.Timeout, fault.RateLimited:
		return "provider-down"
	case fault.Refused, fault.NeedsReauth:
		return "provider-error"
	case fault.Invalid, fault.Forbidden:
		return "not-allowed"
	case fault.StoreDown:
		return "server-error"
	}
	return "server-error"
}

// help adds the definition's own explanation of the provider's error.
func (f *Failure) help(k *definition.Connector, code string) {
	for _, h := range k.ErrorHelp {
		if h.Code != "" && h.Code == code || h.Match != "" && strings.Contains(f.Provider, h.Match) {
			f.Cause, f.Fix = h.Cause, h.Fix
			return
		}
	}
}

// note writes a fact that changes nothing straight to the log.
func (s *Service) note(ctx context.Context, e audit.Event) {
	if err := s.Store.AppendEvents(context.WithoutCancel(ctx), []audit.Event{e}); err != nil {
		s.Logger.Warn("write event", "kind", e.Kind, "err", err)
	}
}
