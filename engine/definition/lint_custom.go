package definition

import "fmt"

func customRules() []Rule {
	return []Rule{
		{"login-without-credential", LevelError, "A login keeps something of what it is answered.", lintLoginWithoutCredential},
		{"renew-without-login", LevelError, "What renews a session is its login.", lintRenewWithoutLogin},
		{"on-expiry-without-expires", LevelError, "What the end means matters only where there is one.", lintOnExpiry},
		{"verify-without-test", LevelError, "To verify a credential at its end takes a test.", lintVerifyWithoutTest},
		{"session-shadow", LevelError, "A session value has a name of its own.", lintSessionShadow},
	}
}

func lintLoginWithoutCredential(l *linter) {
	l.methods(func(a *Auth, at string) {
		for _, s := range a.Login {
			if len(s.Credential) > 0 {
				return
			}
		}
		if len(a.Login) > 0 {
			l.reportKey(at+"/login", "no step keeps anything: read the session under credential, such as credential: {session: response.body.token}")
		}
	})
}

func lintRenewWithoutLogin(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Renew != nil && len(a.Login) == 0 {
			l.reportKey(at+"/renew", "there is no login to run again")
		}
	})
}

func lintOnExpiry(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.OnExpiry != "" && a.Expires == nil {
			l.reportKey(at+"/on_expiry", "the credential does not end; say when under expires")
		}
	})
}

func lintVerifyWithoutTest(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.OnExpiry == "verify" && !l.c.Testable(a) {
			l.report(at+"/on_expiry", "there is no test to verify with; add one, or write expire")
		}
	})
}

func lintSessionShadow(l *linter) {
	l.methods(func(a *Auth, at string) {
		for i, s := range a.Login {
			for _, v := range s.Credential {
				for _, name := range ofCredential {
					if v.Name == name {
						l.reportKey(fmt.Sprintf("%s/login/%d/credential/%s", at, i, name), "every credential has %s; choose another name", name)
					}
				}
			}
		}
	})
}
