package definition

import (
	"fmt"
	"slices"
)

func lintUnconfirmedCallback(l *linter) {
	l.methods(func(a *Auth, at string) {
		told, where := a.chosenByBrowser()
		switch {
		case told == "" || a.tradesProof() || a.Callback.Verify != nil || a.Callback.confirms():
		case len(a.Callback.Confirm) > 0:
			l.reportKey(at+"/callback/confirm", "no request here reads what the browser brings, so it would confirm anything; read callback.query")
		default:
			l.reportKey(at+"/"+where, "%s comes with the browser, where anybody can change it, and the app's own secret would open what it names; ask the provider under callback.confirm, or check its signature under callback.verify", told)
		}
	})
}

// tradesProof reports whether whoever connects shows something that only they have: what a provider has
// given for this connection, or a secret of their own.
func (a *Auth) tradesProof() bool {
	return a.Authorize == nil || a.Kind == AuthorizationCode || a.Kind == OAuth1 || slices.ContainsFunc(a.Fields, Field.Secret)
}

// chosenByBrowser finds something that is kept or sent on and that the browser says in the open, with
// its JSON pointer under the method.
func (a *Auth) chosenByBrowser() (told, where string) {
	for _, c := range a.Callback.Fields {
		return "fields." + c.Name, "callback/fields/" + c.Name
	}
	for _, c := range a.Callback.Capture {
		return "captured." + c.Name, "callback/capture/" + c.Name
	}
	if a.Token == nil {
		return "", ""
	}
	for i := range a.Token.Params {
		for _, p := range a.Token.Params[i].Value.parts {
			if p.expr == nil {
				continue
			}
			for _, name := range p.expr.namesOf("callback.query") {
				return "callback.query." + name, "token/params/" + a.Token.Params[i].Name
			}
		}
	}
	return "", ""
}

// confirms reports whether a request shows that what the browser brings is true.
func (c *Callback) confirms() bool {
	told := false
	for _, confirmation := range c.Confirm {
		confirmation.Request.EachFormula(func(e *Expression) {
			told = told || slices.ContainsFunc(e.uses, func(u use) bool {
				return u.root == "callback.query" || u.root == "callback.posted" ||
					u.root == "fields" && c.Fields.has(u.name)
			})
		})
	}
	return told
}

func (cs Captures) has(name string) bool {
	return slices.ContainsFunc(cs, func(c Capture) bool { return c.Name == name })
}

func lintCredentialTooEarly(l *linter) {
	check := func(q *Request, at string) {
		if q != nil && q.Auth == "credential" {
			l.report(at+"/request/auth", "there is no credential yet; write client, or none and send under headers what there is")
		}
	}
	l.methods(func(a *Auth, at string) {
		for i, c := range a.Callback.Confirm {
			check(c.Request, fmt.Sprintf("%s/callback/confirm/%d", at, i))
		}
		for i, s := range a.Login {
			check(s.Request, fmt.Sprintf("%s/login/%d", at, i))
		}
	})
}
