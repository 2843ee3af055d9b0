package definition

import (
	"slices"
	"strconv"
	"strings"
)

func choiceRules() []Rule {
	return []Rule{
		{"option-values", LevelError, "Whatever is chosen, the same names stand for something.", lintOptionValues},
		{"environment-unused", LevelWarning, "Environments differ in what something reads.", lintEnvironmentUnused},
		{"private-without-host", LevelWarning, "Only a host lies in a private network.", lintPrivateWithoutHost},
	}
}

func lintOptionValues(l *linter) {
	environments, _ := l.c.Environments.question().Named(EnvironmentInput)
	l.optionValues(environments, func(i int) string {
		return "/environments/" + escape(environments.Options[i].Value)
	})
	l.fields(func(d Field, at string) {
		l.optionValues(d, func(i int) string { return at + "/options/" + strconv.Itoa(i) })
	})
}

// optionValues reports the options of d that lack a name which others have.
func (l *linter) optionValues(d Field, at func(option int) string) {
	names := d.valueNames()
	for i, o := range d.Options {
		for _, name := range names {
			if _, ok := o.Values[name]; !ok {
				l.report(at(i), "%s does not say what %s is; every option has the same values", o.Value, name)
			}
		}
	}
}

func lintEnvironmentUnused(l *linter) {
	if len(l.c.Environments) == 0 {
		return
	}
	for _, name := range l.c.Environments[0].names() {
		if !l.reads("environment", name, -2) && !l.reads("values."+EnvironmentInput, name, -2) {
			l.reportKey("/environments", "nothing reads environment.%s, so the environments do not differ in it", name)
		}
	}
}

func (e Environment) names() []string {
	return Field{Options: []Option{{Values: e.Values}}}.valueNames()
}

func lintPrivateWithoutHost(l *linter) {
	l.fields(func(d Field, at string) {
		if d.Private && !slices.ContainsFunc(l.c.Hosts, func(h Template) bool {
			return strings.Contains(h.Source, "inputs."+d.Name) || strings.Contains(h.Source, "fields."+d.Name)
		}) {
			l.reportKey(at+"/private", "%q names no host, so it cannot lie in a private network; take private away or list it under hosts", d.Name)
		}
	})
}
