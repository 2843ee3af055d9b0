package simulator

import (
	"maps"
	"net/url"
	"regexp"
	"strings"

	"dowel/engine/definition"
)

// slots are the values found where a template has formulas, by the formula: "inputs.subdomain". What
// stands for a formula that does more than name a value is kept under "".
type slots map[string]string

func (s slots) add(more slots) {
	for k, v := range more {
		s[k] = v
	}
}

// agree reports whether no value is another in other.
func (s slots) agree(other slots) bool {
	for name, v := range s {
		if known, ok := other[name]; ok && name != "" && name != ownPath && !strings.EqualFold(v, known) {
			return false
		}
	}
	return true
}

// piece is a literal text or a formula of a template.
type piece struct {
	text, formula string
	isFormula     bool
}

var (
	formulaMark = regexp.MustCompile(`\$\{`)
	plainName   = regexp.MustCompile(`^(inputs|environment|values|fields|captured|credential|app|callback|request|steps)(\.[A-Za-z_][A-Za-z0-9_]*)+$|^assertion$|^signature$`)
)

// pieces cuts a template at its formulas.
func pieces(source string) []piece {
	var out []piece
	for {
		at := formulaMark.FindStringIndex(source)
		if at == nil {
			break
		}
		if at[0] > 0 {
			out = append(out, piece{text: source[:at[0]]})
		}
		rest := source[at[1]:]
		end := formulaEnd(rest)
		out = append(out, piece{formula: strings.TrimSpace(rest[:end]), isFormula: true})
		source = rest[min(end+1, len(rest)):]
	}
	if source != "" {
		out = append(out, piece{text: source})
	}
	return out
}

// formulaEnd finds the brace that closes a formula, past texts and braces inside it.
func formulaEnd(s string) int {
	depth := 0
	var quote rune
	for i, r := range s {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case strings.ContainsRune("'\"`", r):
			quote = r
		case r == '{':
			depth++
		case r == '}' && depth == 0:
			return i
		case r == '}':
			depth--
		}
	}
	return len(s)
}

// pattern recognizes what a template can be filled to.
type pattern struct {
	re    *regexp.Regexp
	names []string
	// bare says that nothing but a formula is there, so that nothing may be left of it.
	bare bool
}

// newPattern makes a pattern; part writes the expression for one formula, of which before and after
// are the texts around it.
func newPattern(ps []piece, part func(p piece, before, after string) string) pattern {
	var b strings.Builder
	out := pattern{bare: true}
	b.WriteString(`(?s)^`)
	for i, p := range ps {
		if !p.isFormula {
			out.bare = false
			b.WriteString(regexp.QuoteMeta(p.text))
			continue
		}
		var before, after string
		if i > 0 {
			before = ps[i-1].text
		}
		if i+1 < len(ps) {
			after = ps[i+1].text
		}
		name := p.formula
		if !plainName.MatchString(name) && name != ownPath {
			name = ""
		}
		out.names = append(out.names, name)
		b.WriteString(`(` + part(p, before, after) + `)`)
	}
	b.WriteString(`$`)
	out.re = regexp.MustCompile(b.String())
	return out
}

// valuePattern recognizes a header, a parameter or another text.
func valuePattern(source string) pattern {
	return newPattern(pieces(source), func(piece, string, string) string { return `.*` })
}

func (p pattern) match(s string) (slots, bool) {
	m := p.re.FindStringSubmatch(s)
	if m == nil {
		return nil, false
	}
	out := slots{}
	for i, name := range p.names {
		out[name] = m[i+1]
	}
	return out, true
}

// optional reports whether a text may come out empty, and is then not sent.
func (p pattern) optional(a *definition.Auth, inputs definition.Fields) bool {
	if !p.bare {
		return false
	}
	for _, name := range p.names {
		if name == "" || strings.HasPrefix(name, "captured.") {
			continue
		}
		field, ok := strings.CutPrefix(name, "fields.")
		var f definition.Field
		if ok && a != nil {
			f, ok = a.Fields.Named(field)
		} else if field, ok = strings.CutPrefix(name, "inputs."); ok {
			f, ok = inputs.Named(field)
		}
		if !ok || f.Must() || f.Default != "" {
			return false
		}
	}
	return true
}

// ownPath names what a formula that stands for the beginning of an address has after its host.
const ownPath = "#path"

// address recognizes the addresses a URL template can be filled to.
type address struct {
	host, path pattern
	// anyHost says that the template begins with a formula: the host is whatever was captured.
	anyHost bool
	// whole is that formula if it names a value: a whole address.
	whole string
	// query is what the definition says of the query without a formula.
	query url.Values
}

// newAddress reads a URL template of connector c; one that begins with a slash stands under base_url.
func newAddress(c *definition.Connector, a *definition.Auth, source string) (address, bool) {
	if base := c.APIFor(a).BaseURL; strings.HasPrefix(source, "/") && base != nil {
		source = strings.TrimRight(base.Source, "/") + source
	}
	out := address{query: literalQuery(source)}
	var host, path []piece
	ps := pieces(source)
	if len(ps) == 0 {
		return out, false
	}
	if ps[0].isFormula {
		// What is asked or captured may end with a path of its own.
		out.anyHost = true
		if plainName.MatchString(ps[0].formula) {
			out.whole = ps[0].formula
		}
		path = append([]piece{{formula: ownPath, isFormula: true}}, ps[1:]...)
	} else {
		_, after, ok := strings.Cut(ps[0].text, "://")
		if !ok {
			return out, false
		}
		ps[0].text = after
		host, path = splitHost(ps)
	}
	out.host = newPattern(host, func(p piece, before, after string) string { return hostPart(c, a, p, before, after) })
	out.path = newPattern(cutQuery(path), func(p piece, _, _ string) string {
		switch p.formula {
		case ownPath:
			return `(?:/[^/]+)*?`
		case restOfPath:
			return `(?:/.*)?`
		}
		return `[^/]+`
	})
	return out, true
}

// splitHost parts the pieces of an address at the first slash.
func splitHost(ps []piece) (host, path []piece) {
	for i, p := range ps {
		h, rest, found := strings.Cut(p.text, "/")
		if p.isFormula || !found {
			continue
		}
		host = append(append(host, ps[:i]...), piece{text: h})
		return host, append([]piece{{text: "/" + rest}}, ps[i+1:]...)
	}
	return ps, nil
}

// cutQuery drops what follows a question mark, because parameters are looked at one by one, and a
// fragment, which no server sees.
func cutQuery(ps []piece) []piece {
	for i, p := range ps {
		if at := strings.IndexAny(p.text, "?#"); at >= 0 && !p.isFormula {
			return append(append([]piece{}, ps[:i]...), piece{text: p.text[:at]})
		}
	}
	return ps
}

// literalQuery reads the parameters of a template that have no formulas.
func literalQuery(source string) url.Values {
	_, query, _ := strings.Cut(source, "?")
	query, _, _ = strings.Cut(query, "#")
	out := url.Values{}
	for _, param := range strings.Split(query, "&") {
		if values, err := url.ParseQuery(param); err == nil && !strings.Contains(param, "${") {
			maps.Copy(out, values)
		}
	}
	return out
}

// contradicts reports whether a parameter that the definition says has another value in query.
func (a address) contradicts(query url.Values) bool {
	for name, values := range a.query {
		if query.Has(name) && query.Get(name) != values[0] {
			return true
		}
	}
	return false
}

// hostPart is what a formula in a host can be: one of the options it has, one label in front of a
// fixed domain, or any name.
func hostPart(c *definition.Connector, a *definition.Auth, p piece, before, after string) string {
	if values := choiceValues(c, a, p.formula); len(values) > 0 {
		return strings.Join(values, "|")
	}
	fields := c.Inputs
	name, ok := strings.CutPrefix(p.formula, "inputs.")
	if !ok && a != nil {
		name = strings.TrimPrefix(p.formula, "fields.")
		fields = a.Fields
	}
	if f, ok := fields.Named(name); ok && len(f.Options) > 0 {
		var options []string
		for _, o := range f.Options {
			options = append(options, regexp.QuoteMeta(o.Value))
		}
		return strings.Join(options, "|")
	}
	if before == "" && strings.HasPrefix(after, ".") {
		return `[A-Za-z0-9_-]+`
	}
	return `[A-Za-z0-9._-]+(?::[0-9]+)?`
}

// choiceValues are what the options of a question stand for under the name that a formula reads, as
// expressions; none if it reads something else.
func choiceValues(c *definition.Connector, a *definition.Auth, formula string) []string {
	formula = strings.Replace(formula, "environment.", "values."+definition.EnvironmentInput+".", 1)
	field, name, _ := strings.Cut(strings.TrimPrefix(formula, "values."), ".")
	questions := c.Inputs
	if a != nil {
		questions = append(questions[:len(questions):len(questions)], a.Fields...)
	}
	f, ok := questions.Named(field)
	if !ok || !strings.HasPrefix(formula, "values.") {
		return nil
	}
	var out []string
	for _, o := range f.Options {
		out = append(out, regexp.QuoteMeta(o.Values[name]))
	}
	return out
}

// match compares host and path, the latter escaped.
func (a address) match(host, path string) (slots, bool) {
	out := slots{}
	if !a.anyHost {
		m, ok := a.host.match(host)
		if !ok {
			return nil, false
		}
		out.add(m)
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return nil, false
	}
	for _, p := range []string{decoded, strings.TrimSuffix(decoded, "/")} {
		if m, ok := a.path.match(p); ok {
			out.add(m)
			if a.whole != "" {
				out[a.whole] = "https://" + host + m[ownPath]
			}
			return out, true
		}
	}
	return nil, false
}
