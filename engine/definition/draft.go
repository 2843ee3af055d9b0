package definition

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// draft is a mapping that is being written. Its keys stand in the order in which they were set; what is
// empty is not set.
type draft struct{ yaml.Node }

func newDraft() *draft { return &draft{yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}} }

func (d *draft) empty() bool { return d == nil || len(d.Content) == 0 }

func textNode(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func (d *draft) put(key string, n *yaml.Node) {
	d.Content = append(d.Content, textNode(key), n)
}

// text sets a text.
func (d *draft) text(key, value string) {
	if value != "" {
		d.put(key, textNode(value))
	}
}

// null sets a key to null, which leaves a standard parameter out.
func (d *draft) null(key string) {
	d.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"})
}

func (d *draft) bool(key string, value bool) {
	d.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value)})
}

func (d *draft) mapping(key string, value *draft) {
	if !value.empty() {
		d.put(key, &value.Node)
	}
}

func (d *draft) texts(key string, values []string) {
	if len(values) > 0 {
		d.list(key, values)
	}
}

// list is texts, and sets an empty list too.
func (d *draft) list(key string, values []string) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, v := range values {
		n.Content = append(n.Content, textNode(v))
	}
	d.put(key, n)
}

func (d *draft) mappings(key string, values []*draft) {
	if len(values) == 0 {
		return
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, v := range values {
		n.Content = append(n.Content, &v.Node)
	}
	d.put(key, n)
}

// set replaces the value of a key that is there.
func (d *draft) set(key, value string) {
	if s, ok := child(&d.Node, key); ok {
		s.value.Value = value
	}
}

// drop takes a key away.
func drop(n *yaml.Node, key string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = append(n.Content[:i], n.Content[i+2:]...)
			return
		}
	}
}

// has reports whether a key was set.
func (d *draft) has(key string) bool {
	_, ok := child(&d.Node, key)
	return ok
}

// draftSections are the sections of a definition, in their order; a blank line stands between two.
var draftSections = [][]string{
	{"id", "name", "description", "color", "categories", "links", "verified"},
	{"inputs", "hosts"},
	{"auth"},
	{"api", "test", "identity"},
}

// yaml writes the definition in the way in which the definitions that come with Dowel are written.
func (d *draft) yaml() []byte {
	var out bytes.Buffer
	out.WriteString("# yaml-language-server: $schema=../schemas/connector.schema.json\n")
	for i, keys := range draftSections {
		section := newDraft()
		for _, key := range keys {
			if s, ok := child(&d.Node, key); ok {
				section.put(key, s.value)
			}
		}
		if section.empty() {
			continue
		}
		if i > 0 {
			out.WriteString("\n")
		}
		for j := 1; j < len(section.Content); j += 2 {
			fold(section.Content[j], len(section.Content[j-1].Value)+2, 2)
		}
		e := yaml.NewEncoder(&out)
		e.SetIndent(2)
		if err := e.Encode(&section.Node); err != nil {
			panic(fmt.Sprintf("a draft cannot be written: %v", err)) // it was made of texts here
		}
		_ = e.Close() // a buffer takes everything
	}
	return out.Bytes()
}

// widest is how long a line may be that holds a whole mapping or list.
const widest = 100

// fold writes a mapping or list in one line where it fits: at is the column in which it begins, indent
// that of its lines if it does not. A list of mappings keeps its lines.
func fold(n *yaml.Node, at, indent int) {
	if n.Kind == yaml.ScalarNode {
		if strings.Contains(n.Value, "'") && strings.Contains(n.Value, ": ") {
			n.Style = yaml.DoubleQuotedStyle // better to read than doubled quotes
		}
		return
	}
	if length, flat := inLine(n); flat && at+length <= widest {
		flow(n)
		return
	}
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			fold(c, indent+2, indent+4)
		case i%2 == 1:
			fold(c, indent+len(n.Content[i-1].Value)+2, indent+2)
		}
	}
}

// inLine is how long n is in one line, about. It reports false for what is to keep its lines.
func inLine(n *yaml.Node) (length int, flat bool) {
	if n.Kind == yaml.ScalarNode {
		return utf8.RuneCountInString(n.Value) + 2, true
	}
	if _, method := child(n, "kind"); method && n.Kind == yaml.MappingNode {
		return 0, false
	}
	for _, c := range n.Content {
		if n.Kind == yaml.SequenceNode && c.Kind == yaml.MappingNode && len(c.Content) > 4 {
			return 0, false
		}
		l, flat := inLine(c)
		if !flat {
			return 0, false
		}
		length += l + 2
	}
	return length, true
}

// flow writes n and what is in it in one line; what means something there is put in quotes.
func flow(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		if n.Tag == "!!str" && strings.ContainsAny(n.Value, "{}[],:&*#?|<>=!%@`'\"") {
			n.Style = yaml.DoubleQuotedStyle
		}
		return
	}
	n.Style = yaml.FlowStyle
	for _, c := range n.Content {
		flow(c)
	}
}
