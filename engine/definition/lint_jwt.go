package definition

import (
	"slices"
	"strings"
	"time"
)

func jwtRules() []Rule {
	return []Rule{
		{"key-not-secret", LevelError, "What signs is asked as a secret, and never written in a definition.", lintKeyNotSecret},
		{"key-algorithm", LevelError, "An algorithm signs with a key of its own kind (RFC 7518 §3.1).", lintKeyAlgorithm},
		{"jwt-header-reserved", LevelError, "Which algorithm and key it is has keys of its own, and a token brings no key to be believed by (RFC 8725 §3.10).", lintJWTHeader},
		{"client-assertion-unused", LevelError, "What is signed for the client is shown to somebody.", lintClientAssertionUnused},
		{"jwt-lifetime", LevelWarning, "A signed token that leaks is good until it ends.", lintJWTLifetime},
	}
}

// jwts calls f for every token that the file says how to make, with its JSON pointer.
func (l *linter) jwts(f func(a *Auth, j *JWT, at string)) {
	l.methods(func(a *Auth, at string) {
		for key, j := range map[string]*JWT{"assertion": a.Assertion, "client_assertion": a.ClientAssertion, "client_secret": a.ClientSecret} {
			if j != nil && l.has(at+"/"+key) {
				f(a, j, at+"/"+key)
			}
		}
	})
	l.signers(func(a *Auth, s *Sign, at string) {
		if j := s.Signing(); j != nil {
			f(a, j, at)
		}
	})
}

func lintKeyNotSecret(l *linter) {
	l.jwts(func(a *Auth, j *JWT, at string) { l.secretOnly(a, &j.Key, at+"/key") })
	l.methods(func(a *Auth, at string) {
		if a.TLS != nil {
			l.secretOnly(a, &a.TLS.Key, at+"/tls/key")
		}
	})
}

// secretOnly complains about a key that is not asked as a secret.
func (l *linter) secretOnly(a *Auth, key *Template, at string) {
	asked := l.c.Asked(a, key)
	for _, q := range asked {
		if !q.Field.Secret() {
			l.report(at, "%s.%s is a key and would be kept and shown in the open; make it a password, or a textarea of format key", q.Root, q.Field.Name)
		}
	}
	if key.Literal() {
		l.report(at, "everybody who can read the definition could sign with this; ask for the key in a field")
	}
}

func lintKeyAlgorithm(l *linter) {
	l.jwts(func(a *Auth, j *JWT, at string) {
		if j.KeyEncoding != "" && !j.Symmetric() {
			l.reportKey(at+"/key_encoding", "%s signs with a private key, which says itself how it is written; key_encoding is for HS algorithms", j.Alg)
		}
		if j == a.ClientAssertion {
			l.assertionAlgorithm(a, j, at)
		}
		for _, q := range l.c.Asked(a, &j.Key) {
			armored := q.Field.Format == "pem" || q.Field.Format == "key"
			switch {
			case j.Symmetric() && armored:
				l.report(at+"/key", "%s signs with a shared secret, and %s asks for a private key; choose another algorithm or another field", j.Alg, q.Field.Name)
			case !j.Symmetric() && q.Field.Type == "password":
				l.report(at+"/key", "%s signs with a private key, whose lines %s cannot take; make it a textarea of format key", j.Alg, q.Field.Name)
			}
		}
	})
}

// assertionAlgorithm compares how a client authenticates with what it signs with.
func (l *linter) assertionAlgorithm(a *Auth, j *JWT, at string) {
	how := a.clientAuths()
	switch {
	case j.Symmetric() && slices.Contains(how, ClientAuthPrivateKeyJWT):
		l.report(at+"/alg", "private_key_jwt signs with a private key, and %s with a shared secret; write client_secret_jwt or another algorithm", j.Alg)
	case !j.Symmetric() && slices.Contains(how, ClientAuthSecretJWT):
		l.report(at+"/alg", "client_secret_jwt signs with the client secret, and %s with a private key; write private_key_jwt or an HS algorithm", j.Alg)
	}
}

func lintClientAssertionUnused(l *linter) {
	l.methods(func(a *Auth, at string) {
		how := a.clientAuths()
		signs := slices.Contains(how, ClientAuthPrivateKeyJWT) || slices.Contains(how, ClientAuthSecretJWT)
		if l.has(at+"/client_assertion") && !signs {
			l.reportKey(at+"/client_assertion", "nothing sends it; write client_auth: private_key_jwt or client_secret_jwt")
		}
		shown := slices.Contains(how, ClientAuthHeader) || slices.Contains(how, ClientAuthBody) || l.reads("app", "client_secret", slices.Index(l.c.Auth, a))
		if a.ClientSecret != nil && !shown {
			l.reportKey(at+"/client_secret", "nothing sends it; write client_auth: header or body")
		}
	})
}

// ofHeader are the members of a header that have another place, or none.
var ofHeader = map[string]string{
	"alg": "see alg", "kid": "see kid", "crit": "nothing here is critical", "b64": "the payload is always encoded",
	"jwk": "the provider knows the key", "jku": "the provider knows the key", "x5u": "the provider knows the key",
}

func lintJWTHeader(l *linter) {
	l.jwts(func(_ *Auth, j *JWT, at string) {
		for _, p := range j.Header {
			if why, reserved := ofHeader[strings.ToLower(p.Name)]; reserved {
				l.reportKey(at+"/header/"+escape(p.Name), "%s cannot be given here: %s", p.Name, why)
			}
		}
	})
}

// longestAssertion is what providers take at most; what is asked of ours is up to the definition.
const (
	longestAssertion    = Duration(time.Hour)
	longestClientSecret = Duration(183 * 24 * time.Hour)
)

func lintJWTLifetime(l *linter) {
	l.jwts(func(a *Auth, j *JWT, at string) {
		switch {
		case l.has(at+"/claims/exp") && l.has(at+"/lifetime"):
			l.reportKey(at+"/lifetime", "claims say themselves when the token ends, so this does nothing")
		case j == a.ClientSecret && j.Lifetime > longestClientSecret:
			l.report(at+"/lifetime", "a new one is made for every request, so minutes are enough; no provider takes one for more than six months")
		case j != a.ClientSecret && j.Lifetime > longestAssertion:
			l.report(at+"/lifetime", "a new one is made for every request, so minutes are enough; most providers take an hour at most")
		}
	})
}
