package definition

import "slices"

func appRules() []Rule {
	return []Rule{
		{"app-field-reserved", LevelError, "The client id and secret are asked by themselves.", lintAppFieldReserved},
		{"unused-app-field", LevelWarning, "Operators are not asked for what nothing reads.", lintUnusedAppField},
		{"app-secret-missing", LevelError, "A client that authenticates with its secret has one.", lintAppSecretMissing},
		{"tls-missing", LevelError, "A client that authenticates with a certificate has one (RFC 8705 §2).", lintTLSMissing},
	}
}

// appFields calls f for everything that an operator is asked, with its JSON pointer.
func (l *linter) appFields(f func(i int, d Field, at string)) {
	for i, a := range l.c.Auth {
		for _, d := range a.AppFields {
			if at := methodAt(i) + "/app_fields/" + escape(d.Name); l.has(at) {
				f(i, d, at)
			}
		}
	}
}

func lintAppFieldReserved(l *linter) {
	l.appFields(func(_ int, d Field, at string) {
		if slices.Contains(ofApp, d.Name) {
			l.reportKey(at, "every app has a %s, which app.%s reads; take this question away", d.Name, d.Name)
		}
	})
}

func lintUnusedAppField(l *linter) {
	l.appFields(func(i int, d Field, at string) {
		if !slices.Contains(ofApp, d.Name) && !l.reads("app", d.Name, i) && !l.reads("app", d.Name, -1) {
			l.reportKey(at, "nothing reads app.%s; use it or do not ask for it", d.Name)
		}
	})
}

func lintAppSecretMissing(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Token == nil || a.AppSecret != none {
			return
		}
		if how := a.Token.ClientAuth; a.ClientSecret == nil && slices.Contains([]ClientAuth{ClientAuthHeader, ClientAuthBody, ClientAuthSecretJWT}, how) {
			l.report(at+"/token/client_auth", "%s needs a client secret, and app_secret says that the app has none; choose another way", how)
		}
	})
}

func lintTLSMissing(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.TLS == nil && slices.Contains(a.clientAuths(), ClientAuthMTLS) {
			l.report(at, "client_auth: mtls shows a certificate, and nothing says which; add tls with certificate and key")
		}
	})
}
