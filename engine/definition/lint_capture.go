package definition

import (
	"fmt"
	"regexp"
)

func captureRules() []Rule {
	return []Rule{
		{"capture-shadow", LevelWarning, "Of two values captured under one name, the later one counts.", lintCaptureShadow},
		{"secret-captured", LevelError, "Captured values and identities are shown and stored in the open.", lintSecretCaptured},
		{"choice-without-capture", LevelError, "What a person chooses is kept.", lintChoiceWithoutCapture},
	}
}

// captures calls f for every list of captured values of a method, with its JSON pointer.
func (l *linter) captures(a *Auth, at string, f func(cs Captures, at string)) {
	list := func(cs Captures, at string) {
		if len(cs) > 0 {
			f(cs, at)
		}
	}
	list(a.Callback.Capture, at+"/callback/capture")
	for i, c := range a.Callback.Confirm {
		list(c.Request.Capture, fmt.Sprintf("%s/callback/confirm/%d/request/capture", at, i))
	}
	for i, t := range a.Exchanges() {
		list(t.Answer.Capture, exchangeAt(at, i)+"/answer/capture")
	}
	for i, s := range a.Login {
		if s.Request != nil {
			list(s.Request.Capture, fmt.Sprintf("%s/login/%d/request/capture", at, i))
		}
	}
	own := func(given bool) string {
		if given {
			return at
		}
		return ""
	}
	l.tests(l.c.TestsFor(a), own(a.Test != nil)+"/test", func(r *Request, at string) { list(r.Capture, at+"/capture") })
	if a.Introspect != nil {
		list(a.Introspect.Request.Capture, at+"/introspect/request/capture")
	}
	for i, ch := range l.c.ChoicesFor(a) {
		list(ch.Capture, fmt.Sprintf("%s/choose/%d/capture", own(a.Choose != nil), i))
	}
}

// anotherTest finds the pointer of a test that is made instead of one before, and so may capture the same.
var anotherTest = regexp.MustCompile(`/test/[1-9][0-9]*/capture$`)

func lintCaptureShadow(l *linter) {
	l.methods(func(a *Auth, at string) {
		seen := map[string]bool{}
		l.captures(a, at, func(cs Captures, at string) {
			for _, c := range cs {
				if seen[c.Name] && !anotherTest.MatchString(at) {
					l.reportKey(at+"/"+c.Name, "%q is captured before; this one replaces it", c.Name)
				}
				seen[c.Name] = true
			}
		})
	})
}

// secretMember finds formulas that end in what an answer usually calls a secret, or read a cookie, which
// is a session more often than not.
var secretMember = regexp.MustCompile(`(?i)\bresponse\.cookies\.|\b(body|token)[^ ]*\.(access_?token|refresh_?token|id_?token|client_?secret|password|secret|api_?key)\s*$`)

// secretTold finds formulas that end in what a callback usually calls a secret.
var secretTold = regexp.MustCompile(`(?i)\bcallback\.(query|posted)\.(\w*_)?(token|secret|password|api_?key|consumer_key)\s*$`)

func lintSecretCaptured(l *linter) {
	check := func(e *Expression) {
		switch {
		case e == nil:
		case secretTold.MatchString(e.Source):
			l.reportAt(e.At, "%s looks like a secret, and this is stored and shown in the open; let it answer a field of type password, under callback.fields", e.Source)
		case secretMember.MatchString(e.Source):
			l.reportAt(e.At, "%s looks like a secret, and this is stored and shown in the open; keep further tokens under answer.tokens, session values under credential", e.Source)
		}
	}
	told := map[Position]bool{}
	l.methods(func(a *Auth, at string) {
		l.captures(a, at, func(cs Captures, _ string) {
			for i := range cs {
				if at := cs[i].Value.At; !told[at] {
					told[at] = true
					check(&cs[i].Value)
				}
			}
		})
		if a.Identity != nil {
			a.Identity.each(check)
		}
	})
	if l.c.Identity != nil {
		l.c.Identity.each(check)
	}
}

// each calls f for the formulas whose values are kept.
func (id *Identity) each(f func(*Expression)) {
	for _, e := range []*Expression{id.Issuer, id.Subject, id.Email, id.Name, id.Username, id.Avatar} {
		f(e)
	}
}

func lintChoiceWithoutCapture(l *linter) {
	check := func(cs []*Choice, at string) {
		for i, ch := range cs {
			if len(ch.Capture) == 0 {
				l.report(fmt.Sprintf("%s/%d", at, i), "what is chosen is lost: keep it under capture, such as capture: {%s: option.id}", ch.ID)
			}
		}
	}
	check(l.c.Choose, "/choose")
	l.methods(func(a *Auth, at string) { check(a.Choose, at+"/choose") })
}
