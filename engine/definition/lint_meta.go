package definition

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

func metaRules() []Rule {
	return []Rule{
		{"id-mismatch", LevelError, "The file is named after the connector, so that both are found by one name.", lintIDMismatch},
		{"deprecated-without-reason", LevelError, "People who are told not to use something are told why, and what to use.", lintDeprecated},
		{"docs-missing", LevelWarning, "A reader can compare a definition with the provider's own documentation.", lintDocs},
		{"verified-missing", LevelWarning, "A definition says how far it has been checked.", lintVerified},
		{"duplicate-id", LevelError, "Ids name one thing.", lintDuplicateID},
		{"missing-test", LevelWarning, "Without a test nobody can tell whether a credential works.", lintMissingTest},
		{"missing-identity", LevelWarning, "Without an identity a reconnect cannot tell another account from the same one.", lintMissingIdentity},
		{"missing-revoke", LevelWarning, "Without a revoke request a disconnect leaves the access at the provider.", lintMissingRevoke},
		{"identity-source", LevelError, "An identity reads an answer that exists.", lintIdentitySource},
	}
}

func lintIDMismatch(l *linter) {
	base := path.Base(l.d.file)
	ext := path.Ext(base)
	if !slices.Contains([]string{".yaml", ".yml", ".json"}, ext) {
		return // not from a directory of definitions
	}
	if name := strings.TrimSuffix(base, ext); name != l.c.ID {
		l.report("/id", "the file is named %q; rename it to %s%s or write id: %s", base, l.c.ID, ext, name)
	}
}

func lintDeprecated(l *linter) {
	if l.has("/deprecated") && strings.TrimSpace(l.c.Deprecated) == "" {
		l.report("/deprecated", "say why this is deprecated and what to use instead, or take the key away")
	}
}

func lintDocs(l *linter) {
	if l.c.Links.Docs == "" {
		l.report("", "links.docs is missing: give the address of the provider's documentation of its authentication")
	}
}

func lintVerified(l *linter) {
	if !l.has("/verified") {
		l.report("", "verified is missing: say how far this was checked, such as verified: {level: documented, date: 2026-11-21}")
	}
}

func lintDuplicateID(l *linter) {
	unique := func(what, at string, ids []string) {
		for i, id := range ids {
			if id != "" && slices.Contains(ids[:i], id) {
				l.report(fmt.Sprintf("%s/%d/id", at, i), "another %s has the id %q already", what, id)
			}
		}
	}
	steps := func(at string, steps []*Step) {
		var ids []string
		for _, s := range steps {
			ids = append(ids, s.ID)
		}
		unique("step", at, ids)
	}
	confirmations := func(at string, cs []*Confirmation) {
		var ids []string
		for _, c := range cs {
			ids = append(ids, c.ID)
		}
		unique("confirmation", at, ids)
	}
	also := func(at string, id *Identity) {
		if id == nil {
			return
		}
		var ids []string
		for _, s := range id.Also {
			ids = append(ids, s.ID)
		}
		unique("step", at, ids)
	}
	choices := func(at string, cs []*Choice) {
		var ids []string
		for _, c := range cs {
			ids = append(ids, c.ID)
		}
		unique("question", at, ids)
	}
	var methods []string
	choices("/choose", l.c.Choose)
	also("/identity/also", l.c.Identity)
	l.methods(func(a *Auth, at string) {
		methods = append(methods, a.ID)
		choices(at+"/choose", a.Choose)
		confirmations(at+"/callback/confirm", a.Callback.Confirm)
		steps(at+"/login", a.Login)
		also(at+"/identity/also", a.Identity)
	})
	unique("method", "/auth", methods)
}

func lintMissingTest(l *linter) {
	l.methods(func(a *Auth, at string) {
		if !l.c.Testable(a) && !l.has(at+"/test") && !l.has("/test") {
			l.report(at, "%q has no test: give a cheap call under test, or write test: none if the provider has none", a.ID)
		}
	})
}

func lintMissingIdentity(l *linter) {
	l.methods(func(a *Auth, at string) {
		if l.c.IdentityFor(a) == nil && !l.has(at+"/identity") && !l.has("/identity") {
			l.report(at, "%q tells no identity: read one under identity, or write identity: none if no call tells", a.ID)
		}
	})
}

func lintMissingRevoke(l *linter) {
	l.methods(func(a *Auth, at string) {
		if a.Kind.Consented() && !l.has(at+"/revoke") {
			l.report(at, "%q cannot be revoked: describe the request under revoke, or write revoke: none if the provider has none", a.ID)
		}
	})
}

func lintIdentitySource(l *linter) {
	l.methods(func(a *Auth, at string) {
		id := l.c.IdentityFor(a)
		if id == nil {
			return
		}
		if a.Identity != nil {
			at += "/identity/from"
		} else {
			at = "/identity/from"
		}
		switch {
		case id.From == "test" && !l.c.Testable(a):
			l.report(at, "the identity of %q is read from the test, and there is none", a.ID)
		case id.From == "id_token" && !a.proves():
			l.report(at, "the identity of %q is read from the ID token, and nothing says how that is verified; add id_token", a.ID)
		case id.From == "token" && a.Token == nil:
			l.report(at, "the identity of %q is read from the token endpoint's answer, and kind %s has no token endpoint", a.ID, a.Kind)
		}
	})
}
