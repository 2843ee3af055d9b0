package definition

import (
	"fmt"
	"slices"
	"strings"
)

// Rule is one named thing that can be wrong with a definition.
type Rule struct {
	Name  string
	Level Level
	Doc   string // what the rule is for, in one sentence
	// check looks for breaches in a definition that the schema finds nothing wrong with; nil for the
	// rules of the reader, the schema and the formulas, which apply earlier.
	check func(*linter)
}

// Rules lists all rules by name.
func Rules() []Rule {
	all := slices.Concat(
		readerRules(),
		schemaRules(),
		formulaRules(),
		metaRules(),
		hostRules(),
		addressRules(),
		fieldRules(),
		choiceRules(),
		requestRules(),
		signRules(),
		oauthRules(),
		callbackRules(),
		customRules(),
		captureRules(),
		answerRules(),
		testRules(), identityRules(), idTokenRules(), registrationRules(),
		jwtRules(),
		appRules(),
	)
	slices.SortFunc(all, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// checked are the rules that lint applies; they do not change.
var checked = slices.DeleteFunc(Rules(), func(r Rule) bool { return r.check == nil })

// linter applies the rules to one definition. Definitions are seldom wrong and read often, so places
// in the file are looked up when something is found.
type linter struct {
	c         *Connector
	d         *document
	used      map[usedName]bool
	templates []*Template
	rule      Rule
	findings  []Finding
}

// lint applies the rules of the given level and worse to what k has compiled.
func lint(k *compiler, level Level) []Finding {
	l := &linter{c: k.c, d: k.d, used: k.used, templates: k.templates}
	for _, r := range checked {
		if level == LevelError && r.Level != LevelError {
			continue
		}
		l.rule = r
		r.check(l)
	}
	return l.findings
}

// report complains about the value at a JSON pointer, or about its key.
func (l *linter) report(pointer, format string, args ...any) {
	s, _ := find(l.d.root, pointer)
	l.add(s.at(), pointer, format, args)
}

func (l *linter) reportKey(pointer, format string, args ...any) {
	s, _ := find(l.d.root, pointer)
	l.add(s.keyAt(), pointer, format, args)
}

// reportAt complains about a text that knows its place.
func (l *linter) reportAt(at Position, format string, args ...any) { l.add(at, "", format, args) }

func (l *linter) add(at Position, pointer, format string, args []any) {
	l.findings = append(l.findings, Finding{
		File: l.d.file, Line: at.Line, Col: at.Col, Level: l.rule.Level, Rule: l.rule.Name, Path: pointer,
		Message: fmt.Sprintf(format, args...),
	})
}

// has reports whether the file has something at a JSON pointer.
func (l *linter) has(pointer string) bool {
	_, ok := find(l.d.root, pointer)
	return ok
}

// methods calls f for every auth method, with its JSON pointer.
func (l *linter) methods(f func(a *Auth, at string)) {
	for i, a := range l.c.Auth {
		f(a, methodAt(i))
	}
}

// methodAt is the JSON pointer of the method with the given index.
func methodAt(i int) string { return fmt.Sprintf("/auth/%d", i) }

// requests calls f for every request besides the token requests, with its JSON pointer.
func (l *linter) requests(f func(r *Request, at string)) {
	one := func(r *Request, at string) {
		if r != nil {
			f(r, at)
		}
	}
	identity := func(id *Identity, at string) {
		if id == nil {
			return
		}
		one(id.Request, at+"/request")
		for i, s := range id.Also {
			one(s.Request, fmt.Sprintf("%s/also/%d/request", at, i))
		}
		one(id.Picture, at+"/picture")
	}
	choices := func(cs []*Choice, at string) {
		for i, ch := range cs {
			one(ch.Request, fmt.Sprintf("%s/%d/request", at, i))
		}
	}
	l.tests(l.c.Test, "/test", f)
	identity(l.c.Identity, "/identity")
	choices(l.c.Choose, "/choose")
	l.methods(func(a *Auth, at string) {
		one(a.Revoke, at+"/revoke")
		if a.Introspect != nil {
			one(a.Introspect.Request, at+"/introspect/request")
		}
		l.tests(a.Test, at+"/test", f)
		identity(a.Identity, at+"/identity")
		choices(a.Choose, at+"/choose")
		for i, c := range a.Callback.Confirm {
			one(c.Request, fmt.Sprintf("%s/callback/confirm/%d/request", at, i))
		}
		for i, s := range a.Login {
			one(s.Request, fmt.Sprintf("%s/login/%d/request", at, i))
		}
	})
}

// clientRequests calls f for every request in which the client authenticates by itself, with its JSON
// pointer.
func (l *linter) clientRequests(f func(q *ClientRequest, at string)) {
	l.methods(func(a *Auth, at string) {
		if a.Device != nil {
			f(&a.Device.ClientRequest, at+"/device")
		}
	})
	l.exchanges(func(t *TokenRequest, at string) { f(&t.ClientRequest, at) })
}

// paramLists calls f for every list of parameters under a key of the given name, with its JSON pointer.
func (l *linter) paramLists(key string, f func(ps Params, at string)) {
	pick := func(headers, query, cookies Params, at string) {
		ps := map[string]Params{"headers": headers, "query": query, "cookies": cookies}[key]
		if len(ps) > 0 {
			f(ps, at+"/"+key)
		}
	}
	pick(l.c.API.Headers, l.c.API.Query, nil, "/api")
	l.requests(func(r *Request, at string) { pick(r.Headers, r.Query, nil, at) })
	l.clientRequests(func(q *ClientRequest, at string) { pick(q.Headers, nil, nil, at) })
	l.methods(func(a *Auth, at string) {
		if a.Authorize != nil && a.Authorize.PAR != nil {
			pick(a.Authorize.PAR.Headers, nil, nil, at+"/authorize/par")
		}
		if a.Refresh != nil {
			pick(a.Refresh.Headers, nil, nil, at+"/refresh")
		}
		if a.API != nil {
			pick(a.API.Headers, a.API.Query, nil, at+"/api")
		}
		if a.Apply != nil && l.has(at+"/apply") {
			pick(a.Apply.Headers, a.Apply.Query, a.Apply.Cookies, at+"/apply")
		}
	})
	l.signers(func(_ *Auth, s *Sign, at string) {
		places := s.Places()
		pick(places.Headers, places.Query, nil, at)
	})
}
