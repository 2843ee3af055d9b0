package ui

import "slices"

// Failed is one failure as it happened.
type Failed struct {
	Code string // one of FailureCodes; an unknown one is shown as server-error
	// Words are the provider's own, cut and clean; they are shown as a quotation, never as our text.
	Words     string
	Reference string // finds the log line
	// Status is the provider's HTTP status; 0: none.
	Status int
	// Cause and Fix, when not empty, stand in place of our texts: the definition's own explanation.
	Cause, Fix string
	// ForAdmin shows the text for the people who run the tenant instead of the one for its end users.
	ForAdmin bool
	// ApprovalURL can be sent to whoever may approve the app at the provider.
	ApprovalURL string
	// Account is the account concerned: of duplicate-account, the one already connected.
	Account string
	// Scopes are those missing, of missing-scope.
	Scopes []Scope
	// Flow, of test-timeout, may be posted to /connect/{ticket}/save to keep the credential unverified.
	Flow string
}

// FailureText is what a failure says: what happened, why, and what to do about it.
type FailureText struct {
	Code, Title, Cause, Fix string
	// Retry says that trying again from the form makes sense.
	Retry bool
}

// FailureCodes lists the stable codes of failures.
func FailureCodes() []string {
	return []string{
		"popup-blocked", "denied", "state-expired", "code-expired", "wrong-account", "duplicate-account",
		"redirect-uri-mismatch", "admin-approval", "missing-scope", "invalid-key", "test-timeout",
		"provider-down", "session-expired", "session-used", "connector-disabled", "not-allowed",
		"app-missing", "server-unknown", "app-misconfigured", "browser-mismatch", "server-error", "provider-error",
		"nothing-to-choose", "account-rejected", "issuer-mismatch", "cancelled",
		"callback-incomplete", "callback-unverified", "callback-unconfirmed", "launch-refused", "rate-limited",
	}
}

// final lists the failures that trying again in this session cannot mend.
func final(code string) bool {
	return slices.Contains([]string{
		"session-expired", "session-used", "connector-disabled", "not-allowed", "app-missing", "launch-refused",
	}, code)
}

// Failure returns the words for f. The names of connector and tenant may be empty.
func (u *UI) Failure(f Failed, connector, tenant string) FailureText {
	code := f.Code
	if _, ok := u.texts["failure."+code+".title"]; !ok {
		code = "server-error"
	}
	say := func(part string) string {
		key := "failure." + code + "." + part
		if f.ForAdmin {
			if _, ok := u.texts[key+".admin"]; ok {
				key += ".admin"
			}
		}
		s, err := u.texts.text(key,
			"connector", orElse(connector, u.texts.or("the_provider", "")), "tenant", orElse(tenant, u.texts.or("the_app", "")),
			"status", statusText(f.Status), "account", orElse(f.Account, u.texts.or("the_account", "")))
		if err != nil {
			return ""
		}
		return s
	}
	return FailureText{
		Code: f.Code, Title: say("title"), Cause: orElse(f.Cause, say("cause")), Fix: orElse(f.Fix, say("fix")),
		Retry: !final(code),
	}
}

// AtField returns f as one sentence after the other, for the field that is to blame: what happened, why,
// and the provider's own words as a quotation.
func (u *UI) AtField(f Failed, connector, tenant string) string {
	text := u.Failure(f, connector, tenant)
	out := text.Title + ". " + text.Cause
	if f.Words == "" {
		return out
	}
	said, err := u.texts.text("failure.said", "connector", connector, "words", f.Words)
	if err != nil {
		return out
	}
	return out + " " + said
}
