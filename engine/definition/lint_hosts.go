package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

func hostRules() []Rule {
	return []Rule{
		{"host-form", LevelError, "An entry of hosts is a host, or *. and a domain.", lintHostForm},
		{"host-too-wide", LevelError, "A wildcard stands for hosts of one provider, not for a part of the internet.", lintHostTooWide},
		{"host-not-declared", LevelError, "Credentials go only to hosts that the definition lists.", lintHostNotDeclared},
	}
}

var hostPattern = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\.)*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.?(:[0-9]{1,5})?$`)

func lintHostForm(l *linter) {
	for i := range l.c.Hosts {
		h := &l.c.Hosts[i]
		literal := h.outline("x")
		switch {
		case len(h.parts) == 1 && h.parts[0].expr != nil:
			// A value that is the whole host, or the whole address of the field.
		case strings.Contains(literal, "://") || strings.ContainsAny(literal, "/?#@"):
			l.reportAt(h.At, "%q is an address; here stands its host alone", cut(h.Source))
		case literal != "*" && !hostPattern.MatchString(literal):
			l.reportAt(h.At, "%q is not a host; a host is written as api.example.com or *.example.com", cut(h.Source))
		}
	}
}

// wideSuffix finds suffixes under which anybody can have a name: co.uk, com.au.
var wideSuffix = regexp.MustCompile(`^(ac|co|com|edu|gob|gov|ltd|me|mil|ne|net|nom|or|org|plc|sch)\.[a-z]{2}$`)

func lintHostTooWide(l *linter) {
	for i := range l.c.Hosts {
		h := &l.c.Hosts[i]
		domain, wild := strings.CutPrefix(strings.ToLower(h.Source), "*.")
		switch {
		case h.Source == "*":
			l.reportAt(h.At, "* stands for every host; list the provider's hosts")
		case wild && strings.HasPrefix(domain, "${"):
			l.reportAt(h.At, "what a person types would decide which domain this stands for; write the domain out")
		case wild && (!strings.Contains(domain, ".") || wideSuffix.MatchString(domain)):
			l.reportAt(h.At, "anybody can have a host under %s; write the provider's own domain", domain)
		}
	}
}

func lintHostNotDeclared(l *linter) {
	l.addresses(func(t *Template, underBase bool) {
		if underBase && strings.HasPrefix(t.Source, "/") || strings.HasPrefix(strings.ToLower(t.Source), "http:") {
			return
		}
		if missing := l.undeclared(t); missing != "" {
			l.reportAt(t.At, "%s is not among the hosts; add it to hosts, or nothing may be sent there", missing)
		}
	})
}

// undeclared returns the host of t if hosts does not cover it.
func (l *linter) undeclared(t *Template) string {
	host, whole := hostPart(t)
	for _, h := range l.c.Hosts {
		if covers(&h, host) {
			return ""
		}
	}
	if e := host.expr; e != nil && (whole || host.text == "${"+e.Source+"}") && (l.mayCapture(e) || e.discovered()) {
		return "" // compared with hosts when it is known
	}
	values, ok := l.valuesOf(host)
	if !ok {
		return host.text
	}
	for _, v := range values {
		literal := hostText{text: strings.Replace(host.text, "${"+host.expr.Source+"}", v, 1)}
		literal.tail = literal.text
		found := false
		for _, h := range l.c.Hosts {
			found = found || covers(&h, literal)
		}
		if !found {
			return literal.text
		}
	}
	return ""
}

// hostText is the host of an address, as it is written.
type hostText struct {
	text string
	tail string      // what follows the last formula
	expr *Expression // the only formula, if there is just one
}

// hostPart takes the host out of an address; whole says that a value is all of the beginning, so that
// it brings the scheme along.
func hostPart(t *Template) (h hostText, whole bool) {
	parts, whole := hostParts(t)
	formulas := 0
	for _, p := range parts {
		if p.expr != nil {
			h.text += "${" + p.expr.Source + "}"
			h.tail = ""
			h.expr = p.expr
			formulas++
			continue
		}
		h.text, h.tail = h.text+p.text, h.tail+p.text
	}
	if formulas != 1 {
		h.expr = nil
	}
	return h, whole
}

// hostParts are the parts of an address that make up its host; whole says that a value brings the scheme
// along.
func hostParts(t *Template) (host []part, whole bool) {
	for i, p := range t.parts {
		if p.expr != nil {
			host, whole = append(host, p), whole || i == 0
			continue
		}
		text := p.text
		if i == 0 {
			text = strings.TrimPrefix(text, "https://")
		}
		if end := strings.IndexAny(text, "/?#"); end >= 0 {
			return append(host, part{text: text[:end]}), whole
		}
		host = append(host, part{text: text})
	}
	return host, whole
}

// covers reports whether an entry of hosts stands for a host, for all values it may be filled with.
func covers(entry *Template, host hostText) bool {
	e, _ := hostPart(entry)
	if strings.EqualFold(e.text, host.text) {
		return true
	}
	domain, wild := strings.CutPrefix(strings.ToLower(e.text), "*.")
	return wild && strings.HasSuffix(strings.ToLower(host.tail), "."+domain)
}

// valuesOf lists what the formula in a host can yield: the options of a select field, or the value of
// a field that cannot be changed.
func (l *linter) valuesOf(h hostText) ([]string, bool) {
	if h.expr == nil {
		return nil, false
	}
	if values := l.choiceValues(h.expr.Source); len(values) > 0 {
		return values, true
	}
	if len(h.expr.uses) != 1 {
		return nil, false
	}
	u := h.expr.uses[0]
	if h.expr.Source != fmt.Sprintf("%s.%s", u.root, u.name) {
		return nil, false
	}
	lists := []Fields{l.c.Inputs}
	if u.root == "fields" {
		lists = nil
		for _, a := range l.c.Auth {
			lists = append(lists, a.Fields)
		}
	}
	var values []string
	for _, fs := range lists {
		f, ok := fs.Named(u.name)
		switch {
		case !ok:
			continue
		case f.Told:
			return nil, false
		case f.Hidden || f.Disabled:
			values = append(values, f.Default)
		case f.Type == "select":
			for _, o := range f.Options {
				values = append(values, o.Value)
			}
		default:
			return nil, false
		}
	}
	return values, len(values) > 0
}

// choiceValues lists what a formula yields that reads what an option stands for.
func (l *linter) choiceValues(formula string) []string {
	formula = strings.Replace(formula, "environment.", "values."+EnvironmentInput+".", 1)
	path := pathOf(formula)
	if len(path) != 3 || path[0] != "values" {
		return nil
	}
	questions := l.c.Inputs
	for _, a := range l.c.Auth {
		questions = slices.Concat(questions, a.Fields)
	}
	f, _ := questions.Named(path[1])
	var values []string
	for _, o := range f.Options {
		values = append(values, o.Values[path[2]])
	}
	return values
}

// mayCapture reports whether an address that an answer brings can be one of hosts.
func (l *linter) mayCapture(e *Expression) bool {
	for _, u := range e.uses {
		if u.root != "captured" && u.root != "callback" {
			return false
		}
	}
	return slices.ContainsFunc(l.c.Hosts, func(h Template) bool {
		return !h.Literal() || strings.HasPrefix(h.Source, "*.") || !l.named(&h)
	})
}

// named reports whether an address of the definition is at the host; one that none is at is there for
// what answers bring.
func (l *linter) named(entry *Template) bool {
	found := false
	l.addresses(func(t *Template, underBase bool) {
		host, _ := hostPart(t)
		found = found || host.expr == nil && covers(entry, host)
	})
	return found
}

// outline is the template with every formula replaced by a stand-in.
func (t *Template) outline(standIn string) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr != nil {
			b.WriteString(standIn)
			continue
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// discovered reports whether a formula reads nothing but what is discovered, which is compared with the
// hosts when it is known.
func (e *Expression) discovered() bool {
	return len(e.uses) > 0 && !slices.ContainsFunc(e.uses, func(u use) bool { return u.root != "discovered" })
}
