package definition

import (
	"fmt"
	"iter"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a text with formulas in it: "https://${inputs.subdomain}.zendesk.com". What a formula
// yields is data: it is never read as a template again.
type Template struct {
	Source string
	At     Position
	parts  []part
}

// part is a literal text or a formula.
type part struct {
	text   string
	expr   *Expression
	offset int // of the formula in the template, in bytes
}

// UnmarshalYAML keeps the text and where it stands; compile comes later. Numbers and booleans count
// as the text they are written as.
func (t *Template) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: a template must be a text", n.Line)
	}
	t.Source, t.At = n.Value, Position{n.Line, n.Column}
	return nil
}

// IsZero reports whether the definition does not give this template.
func (t Template) IsZero() bool { return t.Source == "" && t.At == Position{} }

// Literal reports whether t holds no formula.
func (t Template) Literal() bool { return !strings.Contains(t.Source, "${") }

// split cuts a template into literal texts and formulas.
func (t *Template) split() error {
	t.parts = nil
	rest := t.Source
	for {
		before, after, found := strings.Cut(rest, "${")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !found {
			return nil
		}
		end := closing(after)
		if end < 0 {
			return fmt.Errorf("a ${ has no closing }")
		}
		formula := strings.TrimLeft(after[:end], " \t\n")
		t.parts = append(t.parts, part{
			expr:   &Expression{Source: strings.TrimSpace(formula), At: t.At},
			offset: len(t.Source) - len(after) + end - len(formula),
		})
		rest = after[end+1:]
	}
}

// closing finds the } that ends a formula, past nested braces and quoted texts.
func closing(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			switch c {
			case '\\':
				i++
			case quote:
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// Fill returns the text with every formula replaced by its value.
func (t *Template) Fill(env Env) (string, error) {
	var few [4]string // most templates have no more parts
	texts := few[:0]
	for _, p := range t.parts {
		text := p.text
		if p.expr != nil {
			v, err := p.expr.Eval(env)
			if err != nil {
				return "", err
			}
			text = Text(v)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ""), nil
}

// Single returns the value of a template that is one formula and nothing else, with its type kept.
func (t *Template) single(env Env) (any, bool, error) {
	if len(t.parts) != 1 || t.parts[0].expr == nil {
		return nil, false, nil
	}
	v, err := t.parts[0].expr.Eval(env)
	return v, true, err
}

// FillURL is Fill for an address: a value inside the host must be made of host characters, a value
// in the path is one escaped segment and no dots, a value in the query is escaped. Only a value at
// the very beginning may be a whole address. The result is parsed again before it is returned.
func (t *Template) FillURL(env Env) (*url.URL, error) { return t.fillURL("", env) }

// FillUnder is FillURL for a template that begins with a slash and stands under base.
func (t *Template) FillUnder(base *url.URL, env Env) (*url.URL, error) {
	return t.fillURL(strings.TrimRight(base.String(), "/"), env)
}

func (t *Template) fillURL(base string, env Env) (*url.URL, error) {
	var b strings.Builder
	b.WriteString(base)
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.expr.Eval(env)
		if err != nil {
			return nil, err
		}
		text, err := urlPart(b.String(), Text(v))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.expr.Source, err)
		}
		b.WriteString(text)
	}
	u, err := url.Parse(b.String())
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%q does not fill to an address", t.Source)
	}
	return u, nil
}

// urlPart prepares value for its place in an address, of which before is already written.
func urlPart(before, value string) (string, error) {
	scheme, rest, hasScheme := strings.Cut(before, "://")
	switch {
	case before == "":
		u, err := url.Parse(value)
		if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return "", fmt.Errorf("the value is not an address")
		}
		return strings.TrimRight(value, "/"), nil
	case !hasScheme || scheme == "":
		return "", fmt.Errorf("a value cannot make up the scheme")
	case strings.ContainsAny(rest, "?"):
		return url.QueryEscape(value), nil
	case strings.Contains(rest, "/"):
		if value == "" || value == "." || value == ".." {
			return "", fmt.Errorf("the value cannot be part of a path")
		}
		return url.PathEscape(value), nil
	default:
		if !hostForm.MatchString(value) {
			return "", fmt.Errorf("the value cannot be part of a host name")
		}
		return value, nil
	}
}

// Tree is a JSON-like value whose texts are templates.
type Tree struct {
	text *Template
	list []Tree
	keys []string
	vals []Tree
	lit  any // number, boolean or null
	kind yaml.Kind
}

// UnmarshalYAML reads any value.
func (t *Tree) UnmarshalYAML(n *yaml.Node) error {
	t.kind = n.Kind
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			var v Tree
			if err := v.UnmarshalYAML(n.Content[i+1]); err != nil {
				return err
			}
			t.keys, t.vals = append(t.keys, n.Content[i].Value), append(t.vals, v)
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			var v Tree
			if err := v.UnmarshalYAML(c); err != nil {
				return err
			}
			t.list = append(t.list, v)
		}
	case yaml.ScalarNode:
		if n.ShortTag() == "!!str" {
			t.text = &Template{Source: n.Value, At: Position{n.Line, n.Column}}
			return nil
		}
		return n.Decode(&t.lit)
	default:
		return fmt.Errorf("line %d: this kind of value cannot stand here", n.Line)
	}
	return nil
}

// Fill returns the value as encoding/json would take it. A text that is one formula keeps the type
// of its value; a member whose formula yields nil is left out.
func (t *Tree) Fill(env Env) (any, error) {
	switch {
	case t.text != nil:
		if v, ok, err := t.text.single(env); ok || err != nil {
			return v, err
		}
		return t.text.Fill(env)
	case t.kind == yaml.MappingNode:
		out := make(map[string]any, len(t.keys))
		for i, k := range t.keys {
			v, err := t.vals[i].Fill(env)
			if err != nil {
				return nil, err
			}
			if v != nil || t.vals[i].text == nil {
				out[k] = v
			}
		}
		return out, nil
	case t.kind == yaml.SequenceNode:
		out := make([]any, 0, len(t.list))
		for i := range t.list {
			v, err := t.list[i].Fill(env)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	default:
		return t.lit, nil
	}
}

// templates calls f for every template in t.
func (t *Tree) templates(f func(*Template)) {
	if t.text != nil {
		f(t.text)
	}
	for i := range t.list {
		t.list[i].templates(f)
	}
	for i := range t.vals {
		t.vals[i].templates(f)
	}
}

// Null reports whether t is written as null.
func (t *Tree) Null() bool { return t.kind == yaml.ScalarNode && t.text == nil && t.lit == nil }

// Members are the members of a mapping, in the order of the file.
func (t *Tree) Members() iter.Seq2[string, *Tree] {
	return func(yield func(string, *Tree) bool) {
		for i := range t.keys {
			if !yield(t.keys[i], &t.vals[i]) {
				return
			}
		}
	}
}
