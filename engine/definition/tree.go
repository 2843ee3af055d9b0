package definition

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// plain returns the value of n as the schema checker wants it. Dates are the texts they are written
// as, and so is a number that is none in JSON.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		l := make([]any, len(n.Content))
		for i, c := range n.Content {
			l[i] = plain(c)
		}
		return l
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if n.Decode(&b) == nil {
			return b
		}
	case "!!int", "!!float":
		return plainNumber(n)
	}
	return n.Value
}

func plainNumber(n *yaml.Node) any {
	var i int64
	if n.ShortTag() == "!!int" && n.Decode(&i) == nil {
		return i
	}
	// The schema checker works with fractions of any size, which 1e999999 would fill the memory with.
	var f float64
	if n.Decode(&f) == nil && f-f == 0 && (f > -1e300 && f < 1e300) {
		return f
	}
	return n.Value
}

// spot is a value's place in the tree: the value, and its key if it is a member.
type spot struct{ key, value *yaml.Node }

// at is where to point a reader: a member's value, or its key when that is what is wrong.
func (s spot) at() Position {
	if s.value == nil {
		return Position{1, 1}
	}
	return Position{s.value.Line, s.value.Column}
}

func (s spot) keyAt() Position {
	if s.key == nil {
		return s.at()
	}
	return Position{s.key.Line, s.key.Column}
}

// name is the key, or what the value is an item of.
func (s spot) name() string {
	if s.key == nil {
		return ""
	}
	return s.key.Value
}

// find follows a JSON pointer (RFC 6901) from root; false if nothing stands there.
func find(root *yaml.Node, pointer string) (spot, bool) {
	s := spot{value: root}
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			return s, true
		}
		step = unescape(step)
		next, ok := child(s.value, step)
		if !ok {
			return s, false
		}
		if next.key == nil {
			next.key = s.key // an item is called by the name of its list
		}
		s = next
	}
	return s, true
}

func child(n *yaml.Node, step string) (spot, bool) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return spot{n.Content[i], n.Content[i+1]}, true
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
			return spot{value: n.Content[i]}, true
		}
	}
	return spot{}, false
}

// escape makes one step of a JSON pointer.
func escape(step string) string {
	return strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
}

// unescape reads one step of a JSON pointer as the schema checker writes it: escaped for a URL too.
func unescape(step string) string {
	if s, err := url.PathUnescape(step); err == nil {
		step = s
	}
	return strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
}

// setPaths fills in the JSON pointer of what findings point at.
func setPaths(root *yaml.Node, fs []Finding) {
	if root == nil || len(fs) == 0 {
		return
	}
	paths := map[Position]string{}
	var visit func(n *yaml.Node, path string)
	visit = func(n *yaml.Node, path string) {
		if at := (Position{n.Line, n.Column}); paths[at] == "" {
			paths[at] = path
		}
		for i, c := range n.Content {
			switch {
			case n.Kind == yaml.SequenceNode:
				visit(c, fmt.Sprintf("%s/%d", path, i))
			case i%2 == 1:
				p := path + "/" + escape(n.Content[i-1].Value)
				paths[Position{n.Content[i-1].Line, n.Content[i-1].Column}] = p
				visit(c, p)
			}
		}
	}
	visit(root, "")
	for i := range fs {
		if fs[i].Path == "" {
			fs[i].Path = paths[Position{fs[i].Line, fs[i].Col}]
		}
	}
}
