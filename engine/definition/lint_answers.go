package definition

import (
	"regexp"
	"slices"
	"strings"
)

func answerRules() []Rule {
	return []Rule{
		{"text-has-no-members", LevelError, "An answer that is read as a text has no members.", lintTextMembers},
		{"then-without-token", LevelError, "A further request to the token endpoint trades what the one before has brought.", lintThenWithoutToken},
	}
}

// readings calls f for everything that reads an answer of the given form: how it is read, and the
// formulas that read it.
func (l *linter) readings(f func(how Reading, formulas []*Expression)) {
	l.requests(func(r *Request, _ string) { f(r.Reading, append(r.formulas(), r.Capture.formulas()...)) })
	l.exchanges(func(t *TokenRequest, _ string) { f(t.Reading, append(t.formulas(), t.Answer.formulas()...)) })
	l.methods(func(a *Auth, _ string) {
		if in := a.Introspect; in != nil {
			f(in.Request.Reading, []*Expression{in.Active, in.Scopes, in.Expires.In, in.Expires.At})
		}
		if a.Device != nil {
			f(a.Device.Reading, append(a.Device.formulas(), a.Device.Answer.formulas()...))
		}
		if a.Refresh != nil && a.Refresh.Answer != nil {
			f(a.Refresh.Reading, append(a.Refresh.formulas(), a.Refresh.Answer.formulas()...))
		}
		for _, s := range a.Login {
			if s.Request != nil {
				f(s.Request.Reading, s.Credential.formulas())
			}
		}
	})
}

func (o Outcome) formulas() []*Expression {
	return []*Expression{o.Success, o.Error, o.ErrorDescription}
}

func (cs Captures) formulas() []*Expression {
	var out []*Expression
	for i := range cs {
		out = append(out, &cs[i].Value)
	}
	return out
}

func (t *TokenAnswer) formulas() []*Expression {
	out := append([]*Expression{t.AccessToken, t.RefreshToken, t.TokenType, t.IDToken, t.Scopes}, t.Tokens.formulas()...)
	for _, l := range []*Lifetime{t.Expires, t.RefreshExpires} {
		if l != nil {
			out = append(out, l.In, l.At)
		}
	}
	return append(out, t.Capture.formulas()...)
}

func (a *DeviceAnswer) formulas() []*Expression {
	out := []*Expression{a.DeviceCode, a.UserCode, a.VerificationURI, a.VerificationURIComplete, a.Interval}
	if a.Expires != nil {
		out = append(out, a.Expires.In, a.Expires.At)
	}
	return out
}

var memberOfBody = regexp.MustCompile(`\bresponse\??\.body\??[.\[]`)

func lintTextMembers(l *linter) {
	l.readings(func(how Reading, formulas []*Expression) {
		for _, e := range formulas {
			if how.Parse == ParseText && e != nil && memberOfBody.MatchString(e.Source) {
				l.reportAt(e.At, "the answer is read as a text (parse: text), so this is never there; read response.body itself")
			}
		}
	})
}

func lintThenWithoutToken(l *linter) {
	l.methods(func(a *Auth, at string) {
		for i, t := range a.Exchanges() {
			if i > 0 && !t.trades() {
				l.report(exchangeAt(at, i), "this sends nothing of what the request before has brought: put ${credential.access_token} under params or headers")
			}
		}
	})
}

// trades reports whether a request sends something of a credential.
func (t *TokenRequest) trades() bool {
	templates := []*Template{&t.URL}
	for _, ps := range []Params{t.Params, t.Headers} {
		for i := range ps {
			templates = append(templates, &ps[i].Value)
		}
	}
	for _, w := range templates {
		for _, p := range w.parts {
			if p.expr != nil && slices.ContainsFunc(p.expr.uses, func(u use) bool { return strings.HasPrefix(u.root, "credential") }) {
				return true
			}
		}
	}
	return false
}
