package definition

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"go.yaml.in/yaml/v3"
)

// A definition may extend another: what it does not say itself is as the other says. The two are put
// together before anything is checked, so that what is checked, kept and run is one definition, which
// needs the other no more.

// maxAncestors bounds how many definitions stand behind one.
const maxAncestors = 4

// ownKeys are never taken over: they say which connector this is, and how far it is checked.
var ownKeys = []string{"$schema", "id", "name", "description", "verified", "deprecated", "replaces", "extends"}

// extended puts what d extends under it. The parents are looked for in this order.
func (d *document) extended(from []Parents) {
	var before []string
	for {
		s, ok := child(d.root, "extends")
		if !ok || s.value.Kind != yaml.ScalarNode {
			return
		}
		at, id := Position{s.value.Line, s.value.Column}, s.value.Value
		if len(before) == maxAncestors || slices.Contains(before, id) || id == d.id() {
			d.complain(at, "extends", fmt.Sprintf("%q extends itself, or more than %d definitions one after the other", cut(id), maxAncestors))
			return
		}
		before = append(before, id)
		inherited, why := parent(from, id)
		if inherited == nil {
			d.complain(at, "extends", why)
			return
		}
		standAt(inherited, at)
		next, more := child(inherited, "extends")
		d.root = under(d.root, inherited)
		d.merged = true
		if !more {
			return
		}
		set(d.root, "extends", next.value) // on to what the parent extends
	}
}

func (d *document) id() string {
	s, ok := child(d.root, "id")
	if !ok {
		return ""
	}
	return s.value.Value
}

// Parents finds a definition that others extend, by its id: the name of its file and its text, or
// an error that is errNoParent if there is none.
type Parents func(id string) (file string, source []byte, err error)

var errNoParent = errors.New("there is no such definition")

// In finds definitions in a directory.
func In(dir fs.FS) Parents {
	return func(id string) (string, []byte, error) {
		for _, ext := range []string{".yaml", ".yml", ".json"} {
			name := id + ext
			if !fs.ValidPath(name) {
				break
			}
			source, err := readFile(dir, name)
			if !errors.Is(err, fs.ErrNotExist) {
				return name, source, err
			}
		}
		return "", nil, errNoParent
	}
}

// parent reads the definition with the given id; nil, and why, if it cannot be had.
func parent(from []Parents, id string) (*yaml.Node, string) {
	for _, find := range from {
		name, source, err := find(id)
		if errors.Is(err, errNoParent) {
			continue
		}
		if err != nil {
			return nil, fmt.Sprintf("%s cannot be read: %v", cut(id), err)
		}
		d := read(name, source)
		if d.root == nil || d.root.Kind != yaml.MappingNode || HasErrors(d.findings) {
			return nil, name + " has errors of its own; check it first"
		}
		return d.root, ""
	}
	return nil, fmt.Sprintf("there is no definition %q to extend", cut(id))
}

// standAt has every value of n stand where the definition names its parent: that is the line to change.
func standAt(n *yaml.Node, at Position) {
	n.Line, n.Column = at.Line, at.Col
	for _, c := range n.Content {
		standAt(c, at)
	}
}

func set(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
		}
	}
}

// under lays a definition over its parent.
func under(own, parent *yaml.Node) *yaml.Node {
	inherited := *parent
	inherited.Content = nil
	for pair := range slices.Chunk(parent.Content, 2) {
		if !slices.Contains(ownKeys, pair[0].Value) {
			inherited.Content = append(inherited.Content, pair...)
		}
	}
	return laid("", own, &inherited)
}

// nullStays are the mappings in which null says something: this parameter is not sent.
var nullStays = []string{"params", "names", "headers", "query", "form", "cookies", "body", "json"}

// instead lists keys of which one takes the place of the others.
var instead = [][]string{
	{"get", "post", "put", "patch", "delete", "head", "url", "method"},
	{"form", "json", "xml", "raw"},
	{"from", "request"},
	{"scopes", "scope_groups"},
	{"in", "at"},
}

// laid puts own over inherited; both stand under key. Mappings are put together member by member, lists
// of things that have ids by those, and everything else is replaced.
func laid(key string, own, inherited *yaml.Node) *yaml.Node {
	switch {
	case own.Kind == yaml.MappingNode && inherited.Kind == yaml.MappingNode:
		return laidMembers(key, own, inherited)
	case own.Kind == yaml.SequenceNode && inherited.Kind == yaml.SequenceNode && haveIDs(own) && haveIDs(inherited):
		return laidItems(key, own, inherited)
	}
	return own
}

func laidMembers(key string, own, inherited *yaml.Node) *yaml.Node {
	if a, ok := child(own, "kind"); ok {
		if b, ok := child(inherited, "kind"); ok && a.value.Value != b.value.Value {
			return own // another kind has nothing to take over
		}
	}
	out := *own
	out.Content = nil
	for pair := range slices.Chunk(inherited.Content, 2) {
		mine, ok := child(own, pair[0].Value)
		switch {
		case !ok && replaced(pair[0].Value, own):
		case !ok:
			out.Content = append(out.Content, pair...)
		case mine.value.ShortTag() == "!!null" && !slices.Contains(nullStays, key):
		default:
			out.Content = append(out.Content, mine.key, laid(mine.key.Value, mine.value, pair[1]))
		}
	}
	for pair := range slices.Chunk(own.Content, 2) {
		if _, ok := child(inherited, pair[0].Value); !ok {
			out.Content = append(out.Content, pair...)
		}
	}
	return &out
}

// replaced reports whether own has a key that takes the place of an inherited one.
func replaced(key string, own *yaml.Node) bool {
	for _, group := range instead {
		if !slices.Contains(group, key) {
			continue
		}
		for _, other := range group {
			if _, ok := child(own, other); ok {
				return true
			}
		}
	}
	return false
}

func haveIDs(list *yaml.Node) bool {
	return !slices.ContainsFunc(list.Content, func(n *yaml.Node) bool {
		_, ok := child(n, "id")
		return !ok
	})
}

func laidItems(key string, own, inherited *yaml.Node) *yaml.Node {
	out := *own
	out.Content = nil
	for _, item := range inherited.Content {
		if mine := withID(own, item); mine != nil {
			if kind, ok := child(mine, "kind"); ok && kind.value.ShortTag() == "!!null" {
				continue // takes it away
			}
			item = laid(key, mine, item)
		}
		out.Content = append(out.Content, item)
	}
	for _, item := range own.Content {
		if withID(inherited, item) == nil {
			out.Content = append(out.Content, item)
		}
	}
	return &out
}

// withID finds the item of list that has the same id as item.
func withID(list, item *yaml.Node) *yaml.Node {
	id, _ := child(item, "id")
	i := slices.IndexFunc(list.Content, func(n *yaml.Node) bool {
		s, _ := child(n, "id")
		return s.value.Value == id.value.Value
	})
	if i < 0 {
		return nil
	}
	return list.Content[i]
}

// text is what d says: what was read or, of one that extends others, all that they say together.
func (d *document) text() []byte {
	if !d.merged {
		return d.source
	}
	whole := *d.root
	whole.Content = nil
	for pair := range slices.Chunk(d.root.Content, 2) {
		if pair[0].Value != "extends" {
			whole.Content = append(whole.Content, pair...)
		}
	}
	text, err := yaml.Marshal(&whole)
	if err != nil {
		d.complain(Position{1, 1}, "extends", err.Error())
	}
	return text
}
