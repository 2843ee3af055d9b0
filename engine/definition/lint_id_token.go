package definition

import (
	"slices"
	"strings"
)

func idTokenRules() []Rule {
	return []Rule{
		{"id-token-keys", LevelError, "An ID token is believed for its signature, and that takes a key.", lintIDTokenKeys},
		{"jwt-unverified", LevelWarning, "Who signed an answer is known if its signature is verified.", lintJWTUnverified},
	}
}

func lintIDTokenKeys(l *linter) {
	l.methods(func(a *Auth, at string) {
		t := a.IDToken
		if t == nil {
			return
		}
		shared := slices.IndexFunc(t.Algs, func(alg string) bool { return strings.HasPrefix(alg, "HS") })
		public := slices.IndexFunc(t.Algs, func(alg string) bool { return !strings.HasPrefix(alg, "HS") })
		switch {
		case shared >= 0 && public >= 0:
			l.report(at+"/id_token/algs", "a shared secret and a public key are never taken for each other (RFC 8725 §2.1); list algorithms of one sort")
		case public >= 0 && t.JWKSURL == nil:
			l.reportKey(at+"/id_token", "nothing says where the provider's keys are; add jwks_url")
		case shared >= 0 && t.JWKSURL != nil:
			l.reportKey(at+"/id_token/jwks_url", "%s is verified with the client secret, so no keys are fetched", t.Algs[0])
		case shared >= 0 && a.Token != nil && a.Token.ClientAuth == ClientAuthNone:
			l.report(at+"/id_token/algs", "%s is verified with the client secret, and client_auth: none says that there is none", t.Algs[0])
		}
	})
}

func lintJWTUnverified(l *linter) {
	l.methods(func(a *Auth, at string) {
		id := l.c.IdentityFor(a)
		if a.Authorize == nil || a.proves() || id == nil || id.Request == nil || id.Request.Parse != ParseJWT {
			return
		}
		if a.Identity == nil {
			at = ""
		}
		l.report(at+"/identity/request/parse", "nothing says with which keys %q verifies this; say so under id_token, whose keys and algorithms count here too", a.ID)
	})
}
