package definition

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// item is a value of a foreign description, and where it stands.
type item struct {
	node      *yaml.Node // nil if there is none
	pointer   string     // RFC 6901
	line, col int
}

func rootItem(n *yaml.Node) item { return item{node: n, line: n.Line, col: n.Column} }

// at is the item under a key or an index, as a pointer writes it.
func (i item) at(step string, s spot) item {
	where := s.at()
	return item{node: s.value, pointer: i.pointer + "/" + escape(step), line: where.Line, col: where.Col}
}

// missing stands for a member that is not there: it is pointed at where it should be.
func (i item) missing(key string) item {
	return item{pointer: i.pointer + "/" + escape(key), line: i.line, col: i.col}
}

// path writes the pointer as people do: $.authorization.accessTokenUrl.
func (i item) path() string {
	out := "$"
	for step := range strings.SplitSeq(strings.TrimPrefix(i.pointer, "/"), "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		_, err := strconv.Atoi(step)
		switch {
		case step == "":
		case err == nil:
			out += "[" + step + "]"
		case identifier(step) == step:
			out += "." + step
		default:
			out += "['" + cut(step) + "']"
		}
	}
	return out
}

// scalar is the text of a text, number or boolean.
func (i item) scalar() (string, bool) {
	if i.node == nil || i.node.Kind != yaml.ScalarNode || i.node.ShortTag() == "!!null" {
		return "", false
	}
	return i.node.Value, true
}

// items are the entries of a list; none of anything else.
func (i item) items() []item {
	if i.node == nil || i.node.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]item, 0, len(i.node.Content))
	for k, c := range i.node.Content {
		out = append(out, i.at(strconv.Itoa(k), spot{value: c}))
	}
	return out
}

// isMapping reports whether there is an object.
func (i item) isMapping() bool { return i.node != nil && i.node.Kind == yaml.MappingNode }

// object is an object of a description being taken apart. What nobody takes is said at the end.
type object struct {
	item
	m     *importer
	taken map[string]bool
}

func (m *importer) object(i item) *object { return &object{item: i, m: m, taken: map[string]bool{}} }

// keys lists the members in their order.
func (o *object) keys() []string {
	if !o.isMapping() {
		return nil
	}
	var out []string
	for k := 0; k+1 < len(o.node.Content); k += 2 {
		out = append(out, o.node.Content[k].Value)
	}
	return out
}

// take returns a member, under the first of the names that is there.
func (o *object) take(names ...string) (item, bool) {
	if !o.isMapping() {
		return o.missing(names[0]), false
	}
	for _, name := range names {
		if s, ok := child(o.node, name); ok {
			o.taken[name] = true
			return o.at(name, s), true
		}
	}
	return o.missing(names[0]), false
}

// text takes a text; a number or boolean counts as the text it is written as. Anything else is complained
// about.
func (o *object) text(names ...string) (string, item) {
	i, ok := o.take(names...)
	if !ok || i.node.ShortTag() == "!!null" {
		return "", i
	}
	s, ok := i.scalar()
	if !ok {
		o.m.note(i, importValue, "this is not a text")
	}
	return strings.TrimSpace(s), i
}

// bool takes a boolean; nil if it is not there. A text that says true or false counts, with a warning.
func (o *object) bool(name string) *bool {
	i, ok := o.take(name)
	if !ok {
		return nil
	}
	s, _ := i.scalar()
	b, err := strconv.ParseBool(strings.ToLower(s))
	switch {
	case err != nil || s == "0" || s == "1" || len(s) == 1:
		o.m.note(i, importDropped, "this is neither true nor false")
		return nil
	case i.node.ShortTag() == "!!str":
		o.m.note(i, importAlias, "this is a text; it was read as %t", b)
	}
	return &b
}

// ignore takes members that say nothing which a definition could.
func (o *object) ignore(names ...string) {
	for _, n := range names {
		o.taken[n] = true
	}
}

// rest complains about what nobody has taken.
func (o *object) rest() {
	for _, key := range o.keys() {
		if !o.taken[key] {
			i, _ := o.take(key)
			o.m.note(i, importDropped, "this was not carried over; no part of a definition says it")
		}
	}
}
