// Package fault says what kind of failure an error is and what the caller may be told about it.
//
// An error is classified once, where its meaning is known, and wrapped everywhere else. The public
// text is written for the caller; the cause is for the log and never leaves the process. How a kind
// is shown (an HTTP status, a page) is decided at the doors, not here.
package fault

import (
	"context"
	"errors"
	"time"
)

// Kind is a class of failure that callers can act upon.
type Kind int

// The kinds. None is the kind of a nil error; what nobody classified is Internal.
const (
	None            Kind = iota
	Internal             // a defect of ours, or a cause nobody classified
	Invalid              // the caller's input cannot be accepted
	Unauthenticated      // nobody we know is calling
	Forbidden            // the caller is known and may not do this
	NotFound             // no such record in the caller's tenant
	Conflict             // somebody else was first, or the record has moved on
	Gone                 // it existed, and its time or its single use is over
	NeedsReauth          // the end user has to connect again
	Revoked              // the connection was ended
	Disabled             // an operator switched it off
	Unavailable          // the provider does not answer as it should; try again later
	Timeout              // the provider did not answer in time; try again later
	RateLimited          // too many requests, ours or the provider's
	Misconfigured        // the app or the operator's settings are refused by the provider
	Refused              // the provider, or the end user there, said no
	Corrupt              // a stored secret does not open
	StoreDown            // our own store does not answer; try again soon
)

var names = [...]string{
	"none", "internal", "invalid", "unauthenticated", "forbidden", "not-found", "conflict", "gone",
	"needs-reauth", "revoked", "disabled", "provider-unavailable", "provider-timeout", "rate-limited",
	"app-misconfigured", "provider-refused", "credential-unreadable", "store-unavailable",
}

// String returns the stable name of the kind, as used in problem types and metric labels.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(names) {
		return "internal"
	}
	return names[k]
}

// Error is a classified failure.
type Error struct {
	Kind   Kind
	Public string // what the caller may be told; a full phrase without a trailing stop
	// Field names the input that is at fault, if one is.
	Field string
	// Code is a finer, stable reason within the kind, for programs (such as "state-expired"). May be empty.
	Code string
	// RetryAfter is how long the caller should wait before trying again; zero when unknown.
	RetryAfter time.Duration
	cause      error
}

// Error joins the public text and the cause; it is meant for logs.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.Public
	}
	return e.Public + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// E classifies cause, which may be nil, and gives it a text for the caller.
func E(kind Kind, public string, cause error) *Error {
	return &Error{Kind: kind, Public: public, cause: cause}
}

// Field is E(Invalid, …) for one named input.
func Field(name, public string) *Error {
	return &Error{Kind: Invalid, Public: public, Field: name}
}

// WithCode returns e with its Code set.
func (e *Error) WithCode(code string) *Error { e.Code = code; return e }

// WithRetryAfter returns e with its RetryAfter set.
func (e *Error) WithRetryAfter(d time.Duration) *Error { e.RetryAfter = d; return e }

// As returns the outermost classified failure in err's chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// KindOf returns the kind of err: None for nil, Internal for what nobody classified. A context that
// ran out is a Timeout.
func KindOf(err error) Kind {
	if err == nil {
		return None
	}
	if e := As(err); e != nil {
		return e.Kind
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Timeout
	}
	return Internal
}

// Public returns what the caller may be told about err.
func Public(err error) string {
	if e := As(err); e != nil && e.Kind != Internal {
		return e.Public
	}
	return "something went wrong on our side"
}
