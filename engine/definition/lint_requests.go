package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

func requestRules() []Rule {
	return []Rule{
		{"header-name", LevelError, "Header and cookie names are tokens (RFC 9110 §5.1).", lintHeaderName},
		{"header-value", LevelError, "A header value is one line.", lintHeaderValue},
		{"header-reserved", LevelError, "Some headers are the transport's own business.", lintHeaderReserved},
		{"two-bodies", LevelError, "A request has one body.", lintTwoBodies},
		{"body-unsent", LevelError, "GET and HEAD requests have no body (RFC 9110 §9.3.1).", lintBodyUnsent},
		{"client-auth-unused", LevelError, "How the client authenticates matters only where it does.", lintClientAuthUnused},
		{"success-constant", LevelWarning, "A success that is always true or never true decides nothing.", lintSuccessConstant},
		{"lifetime-unit", LevelError, "A duration is in s or ms, a moment in iso, epoch or epoch_ms.", lintLifetime},
		{"template-without-formula", LevelError, "A text that reads like a formula was meant to be one.", lintTemplateWithoutFormula},
		{"schedule", LevelError, "A schedule is a cron expression.", lintSchedule},
	}
}

var token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func (l *linter) headerLists(f func(ps Params, at string)) {
	l.paramLists("headers", f)
	l.paramLists("cookies", f)
}

func lintHeaderName(l *linter) {
	l.headerLists(func(ps Params, at string) {
		for _, p := range ps {
			if !token.MatchString(p.Name) {
				l.reportKey(at+"/"+escape(p.Name), "%q cannot be a name here: it is made of letters, digits and hyphens", cut(p.Name))
			}
		}
	})
}

func lintHeaderValue(l *linter) {
	l.headerLists(func(ps Params, _ string) {
		for i := range ps {
			for _, part := range ps[i].Value.parts {
				if strings.ContainsAny(part.text, "\r\n") {
					l.reportAt(ps[i].Value.At, "the value of %s has a line break in it", ps[i].Name)
					break
				}
			}
		}
	})
}

var transportHeaders = []string{
	"connection", "content-length", "cookie", "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
}

func lintHeaderReserved(l *linter) {
	l.paramLists("headers", func(ps Params, at string) {
		for _, p := range ps {
			if slices.Contains(transportHeaders, strings.ToLower(p.Name)) {
				l.reportKey(at+"/"+escape(p.Name), "%s is set by the transport or by cookies, and cannot be a definition's", p.Name)
			}
		}
	})
}

func (r *Request) bodies() []string {
	var out []string
	for key, given := range map[string]bool{"form": len(r.Form) > 0, "json": r.JSON != nil, "xml": r.XML != nil, "raw": r.Raw != nil} {
		if given {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

func lintTwoBodies(l *linter) {
	l.requests(func(r *Request, at string) {
		if b := r.bodies(); len(b) > 1 {
			l.reportKey(at+"/"+b[1], "the request has a body under %s already; only one is sent", b[0])
		}
	})
}

func lintBodyUnsent(l *linter) {
	l.requests(func(r *Request, at string) {
		if b := r.bodies(); len(b) > 0 && (r.Method == "GET" || r.Method == "HEAD") {
			l.reportKey(at+"/"+b[0], "a %s request has no body; put this under query, or make it a POST", r.Method)
		}
	})
}

func lintClientAuthUnused(l *linter) {
	l.requests(func(r *Request, at string) {
		if r.ClientAuth != "" && r.Auth != "client" {
			l.reportKey(at+"/client_auth", "the request is authenticated by %s, so client_auth does nothing; write auth: client", r.Auth)
		}
	})
}

func lintSuccessConstant(l *linter) {
	check := func(o Outcome) {
		if o.Success != nil && slices.Contains([]string{"true", "false", "1", "0"}, strings.TrimSpace(o.Success.Source)) {
			l.reportAt(o.Success.At, "success is %s whatever the answer; read it from response, or leave it to the status", o.Success.Source)
		}
	}
	l.requests(func(r *Request, _ string) { check(r.Outcome) })
	l.clientRequests(func(q *ClientRequest, _ string) { check(q.Outcome) })
	l.methods(func(a *Auth, _ string) {
		if a.Refresh != nil {
			check(a.Refresh.Outcome)
		}
	})
}

func lintLifetime(l *linter) {
	check := func(t *Lifetime, at string) {
		switch {
		case t == nil:
		case t.In != nil && t.At != nil:
			l.reportKey(at+"/at", "there is in already: something ends in so long or at a moment, not both")
		case t.In != nil && t.Unit != "" && t.Unit != "s" && t.Unit != "ms":
			l.report(at+"/unit", "in reads a duration, which is in s or ms; read a moment under at")
		case t.At != nil && (t.Unit == "s" || t.Unit == "ms"):
			l.report(at+"/unit", "at reads a moment, which is in iso, epoch or epoch_ms; read a duration under in")
		case t.In == nil && t.At == nil && t.Unit != "" && !readsAnswer(at):
			l.report(at+"/unit", "nothing is read from an answer here, so the unit does nothing")
		}
	}
	answer := func(t *TokenAnswer, at string) {
		check(t.Expires, at+"/answer/expires")
		check(t.RefreshExpires, at+"/answer/refresh_expires")
	}
	l.exchanges(func(t *TokenRequest, at string) { answer(&t.Answer, at) })
	l.methods(func(a *Auth, at string) {
		check(a.Expires, at+"/expires")
		if a.Introspect != nil {
			check(a.Introspect.Expires, at+"/introspect/expires")
		}
		if a.Device != nil {
			check(a.Device.Answer.Expires, at+"/device/answer/expires")
		}
		if a.Refresh != nil && a.Refresh.Answer != nil {
			answer(a.Refresh.Answer, at+"/refresh")
		}
		for i, s := range a.Login {
			check(s.Expires, fmt.Sprintf("%s/login/%d/expires", at, i))
		}
	})
}

// readsAnswer reports whether a lifetime has something that is read where it says nothing else.
func readsAnswer(at string) bool { return strings.Contains(at, "/answer/") }

var bareFormula = regexp.MustCompile(`^(inputs|fields|credential|captured|app|callback)\.[A-Za-z_][A-Za-z0-9_.]*$`)

func lintTemplateWithoutFormula(l *linter) {
	for _, t := range l.templates {
		host := slices.ContainsFunc(l.c.Hosts, func(h Template) bool { return h.At == t.At })
		if !host && bareFormula.MatchString(t.Source) {
			l.reportAt(t.At, "this sends the words %q; write ${%s} to send the value", t.Source, t.Source)
		}
	}
}

func lintSchedule(l *linter) {
	check := func(s, at string) {
		if s == "" {
			return
		}
		if err := checkSchedule(s); err != nil {
			l.report(at, "%q is not a schedule: %v", cut(s), err)
		}
	}
	l.methods(func(a *Auth, at string) {
		if a.Refresh != nil {
			check(a.Refresh.Schedule, at+"/refresh/schedule")
		}
		if a.Renew != nil {
			check(a.Renew.Schedule, at+"/renew/schedule")
		}
	})
}
