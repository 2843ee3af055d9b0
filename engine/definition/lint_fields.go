package definition

import (
	"fmt"
	"slices"
	"strings"
)

func fieldRules() []Rule {
	return []Rule{
		{"secret-default", LevelError, "A secret in a definition is no secret.", lintSecretDefault},
		{"hidden-without-default", LevelError, "A field that is never shown has a value.", lintHiddenWithoutDefault},
		{"hidden-required", LevelError, "Nobody can answer a field that is never shown.", lintHiddenRequired},
		{"disabled-without-default", LevelError, "A field that cannot be changed has a value.", lintDisabledWithoutDefault},
		{"select-without-options", LevelError, "A select field has options to choose from.", lintSelectWithoutOptions},
		{"options-without-select", LevelError, "Options of another type of field would do nothing.", lintOptionsWithoutSelect},
		{"range-without-number", LevelError, "Bounds belong to numbers, and leave some.", lintRange},
		{"pattern-rejects-example", LevelError, "What is shown as an example is accepted as an answer.", lintExample},
		{"pattern-rejects-default", LevelError, "What an empty answer stands for is accepted as an answer.", lintDefault},
		{"field-twice", LevelError, "A name is asked once, before connecting or by the method.", lintFieldTwice},
		{"nothing-secret", LevelError, "What proves who somebody is, is kept like a password.", lintNothingSecret},
		{"unused-field", LevelWarning, "People are not asked for what nothing reads.", lintUnusedField},
	}
}

// lintNothingSecret finds methods that ask for a credential in the open, such as an API key that is the user
// name of RFC 7617 beside a constant password.
func lintNothingSecret(l *linter) {
	l.methods(func(a *Auth, at string) {
		if !slices.Contains([]AuthKind{Basic, APIKey, Bearer}, a.Kind) || !l.has(at+"/fields") || a.UsesApp() {
			return
		}
		secret := func(d Field) bool { return d.Secret() || d.Told }
		if !slices.ContainsFunc(a.Fields, secret) && !slices.ContainsFunc(l.c.Inputs, secret) {
			l.reportKey(at+"/fields", "nothing that is asked here is kept secret; give what proves who somebody is type: password")
		}
	})
}

// fields calls f for every question, with its JSON pointer.
func (l *linter) fields(f func(d Field, at string)) {
	for _, d := range l.asked() {
		f(d, "/inputs/"+escape(d.Name))
	}
	l.methods(func(a *Auth, at string) {
		for key, fs := range map[string]Fields{"fields": a.Fields, "app_fields": a.AppFields} {
			if !l.has(at + "/" + key) {
				continue // those that the kind brings along
			}
			for _, d := range fs {
				f(d, at+"/"+key+"/"+escape(d.Name))
			}
		}
	})
}

// asked are the inputs that the file writes; the question for the environment is not among them.
func (l *linter) asked() Fields {
	return l.c.Inputs[len(l.c.Environments.question()):]
}

func lintSecretDefault(l *linter) {
	l.fields(func(d Field, at string) {
		if d.Secret() && d.Default != "" {
			l.reportKey(at+"/default", "everybody who can read the definition could read the default of %q; take it away", d.Name)
		}
	})
}

func lintHiddenWithoutDefault(l *linter) {
	l.fields(func(d Field, at string) {
		if d.Hidden && !d.Told && d.Default == "" {
			l.reportKey(at+"/hidden", "%q is never shown and has no default, so it is always empty; give a default or show it", d.Name)
		}
	})
}

func lintHiddenRequired(l *linter) {
	l.fields(func(d Field, at string) {
		if d.Hidden && !d.Told && d.Required != nil && *d.Required {
			l.reportKey(at+"/required", "%q is never shown, so nobody can be required to answer it", d.Name)
		}
	})
}

func lintDisabledWithoutDefault(l *linter) {
	l.fields(func(d Field, at string) {
		if d.Disabled && d.Default == "" {
			l.reportKey(at+"/disabled", "%q cannot be changed and has no default, so it is always empty; give a default or enable it", d.Name)
		}
	})
}

func lintSelectWithoutOptions(l *linter) {
	l.fields(func(d Field, at string) {
		if d.Type == "select" && len(d.Options) == 0 {
			l.report(at+"/type", "%q has nothing to select from; list options", d.Name)
		}
	})
}

func lintOptionsWithoutSelect(l *linter) {
	l.fields(func(d Field, at string) {
		if d.Type != "select" && len(d.Options) > 0 {
			l.reportKey(at+"/options", "%q is not a select field, so its options do nothing; write type: select", d.Name)
		}
	})
}

func lintRange(l *linter) {
	l.fields(func(d Field, at string) {
		switch {
		case d.Min != nil && d.Type != "number":
			l.reportKey(at+"/min", "%q is not a number, so min does nothing; write type: number", d.Name)
		case d.Max != nil && d.Type != "number":
			l.reportKey(at+"/max", "%q is not a number, so max does nothing; write type: number", d.Name)
		case d.Min != nil && d.Max != nil && *d.Min > *d.Max:
			l.report(at+"/min", "no number is at least %v and at most %v", *d.Min, *d.Max)
		}
	})
}

func lintExample(l *linter) {
	l.fields(func(d Field, at string) {
		// An example may be cut short, so that it is not taken for somebody's key.
		if d.Example == "" || d.Type == "select" || strings.HasSuffix(d.Example, "…") {
			return
		}
		if why := d.check(d.Clean(d.Example)); why != "" {
			l.report(at+"/example", "the field does not accept its own example: %s", why)
		}
	})
}

func lintDefault(l *linter) {
	l.fields(func(d Field, at string) {
		if d.Default == "" || d.Type == "select" && len(d.Options) == 0 {
			return
		}
		if why := d.check(d.Clean(d.Default)); why != "" {
			l.report(at+"/default", "the field does not accept its own default: %s", why)
		}
	})
}

func lintFieldTwice(l *linter) {
	if _, twice := l.asked().Named(EnvironmentInput); twice && len(l.c.Environments) > 0 {
		l.reportKey("/inputs/"+EnvironmentInput, "environments ask for the %s already; give the input another name", EnvironmentInput)
	}
	l.methods(func(a *Auth, at string) {
		for _, d := range a.Fields {
			if _, twice := l.c.Inputs.Named(d.Name); twice {
				l.reportKey(fmt.Sprintf("%s/fields/%s", at, escape(d.Name)), "%q is asked under inputs already; read it as inputs.%s", d.Name, d.Name)
			}
		}
	})
}

func lintUnusedField(l *linter) {
	for _, d := range l.asked() {
		if !l.reads("inputs", d.Name, -2) {
			l.reportKey("/inputs/"+escape(d.Name), "nothing reads inputs.%s; use it or do not ask for it", d.Name)
		}
	}
	for i, a := range l.c.Auth {
		at := fmt.Sprintf("/auth/%d", i)
		// Without a place to put them, the fields of a custom form are there for the workflow.
		if !l.has(at+"/fields") || a.Kind == Custom && !l.has(at+"/apply") && !l.has(at+"/login") {
			continue
		}
		for _, d := range a.Fields {
			client := a.Token != nil && d.Name == "client_id" || a.authenticates() && d.Name == "client_secret"
			if !client && !l.reads("fields", d.Name, i) {
				l.reportKey(at+"/fields/"+escape(d.Name), "nothing reads fields.%s; use it or do not ask for it", d.Name)
			}
		}
	}
}

// reads reports whether a formula of the given method (-2: of any) reads a name.
func (l *linter) reads(root, name string, method int) bool {
	for u := range l.used {
		if u.root == root && (u.name == name || u.name == "") && (method == -2 || u.method == method) {
			return true
		}
	}
	return false
}
