package definition

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of one file. What is within them is read in milliseconds; a definition written by a person
// is far below all of them.
const (
	maxBytes   = 256 << 10
	maxValues  = 20_000
	maxMembers = 1_000
	maxDepth   = 40
)

// document is the text of a definition, read: a tree of values that know their places in the text.
type document struct {
	file     string
	source   []byte
	root     *yaml.Node // nil if the text cannot be read at all
	merged   bool       // root holds what the definition extends as well
	findings []Finding
}

// read reads YAML and JSON into the same tree. Aliases, merge keys and tags are refused: they let a
// small text mean a large one, or another one than it shows.
func read(file string, source []byte) *document {
	d := &document{file: file, source: source}
	switch {
	case len(source) > maxBytes:
		d.complain(Position{1, 1}, "too-large", fmt.Sprintf("the file has %d KiB; a definition has at most %d", len(source)>>10, maxBytes>>10))
		return d
	case bytes.Count(source, []byte(",")) > maxValues || bytes.Count(source, []byte("\n")) > maxValues:
		// Most of the cost of a value is in reading it, so that one does not wait for the count.
		d.complain(Position{1, 1}, "too-large", fmt.Sprintf("the file has more than %d lines or commas", maxValues))
		return d
	case !utf8.Valid(source):
		d.complain(invalidByte(source), "encoding", "the file is not UTF-8 from here on")
		return d
	}
	source = []byte(strings.TrimPrefix(string(source), "\ufeff"))
	if isJSON(file, source) {
		d.root = d.readJSON(source)
	} else {
		d.root = d.readYAML(source)
	}
	if d.root == nil {
		return d
	}
	if w := (&walker{d: d}); !w.walk(d.root, 0) {
		d.root = nil
	}
	return d
}

func (d *document) complain(at Position, rule, message string) {
	d.findings = append(d.findings, Finding{
		File: d.file, Line: at.Line, Col: at.Col, Level: LevelError, Rule: rule, Message: message,
	})
}

// isJSON goes by the name; a text without one is JSON if it can be.
func isJSON(file string, source []byte) bool {
	switch path.Ext(file) {
	case ".json":
		return true
	case ".yaml", ".yml":
		return strings.HasPrefix(strings.TrimSpace(string(source)), "{") && validJSON(source)
	}
	return validJSON(source)
}

// invalidByte finds the first byte that is not UTF-8.
func invalidByte(source []byte) Position {
	at := Position{1, 1}
	for i := 0; i < len(source); {
		r, n := utf8.DecodeRune(source[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at.Col++
		if r == '\n' {
			at = Position{at.Line + 1, 1}
		}
		i += n
	}
	return at
}

// walker looks at every value once, before anything else does.
type walker struct {
	d      *document
	values int
}

// walk reports whether n may be used. Where a complaint leaves a meaning, it goes on, so that the
// others are found in the same run.
func (w *walker) walk(n *yaml.Node, depth int) bool {
	at := Position{n.Line, n.Column}
	w.values++
	switch {
	case depth > maxDepth:
		w.d.complain(at, "too-deep", fmt.Sprintf("this is nested more than %d levels deep", maxDepth))
		return false
	case w.values > maxValues:
		w.d.complain(at, "too-large", fmt.Sprintf("the file has more than %d values", maxValues))
		return false
	case n.Kind == yaml.AliasNode:
		w.d.complain(at, "alias", "aliases are not read; write the value out")
		return false
	case n.Anchor != "":
		w.d.complain(at, "alias", "anchors are not read; take away &"+n.Anchor+" and write the value where it is needed")
		return false
	}
	if n.Style&yaml.TaggedStyle != 0 {
		w.d.complain(at, "tag", "tags are not read; take away "+n.Tag)
		n.Tag, n.Style = "", n.Style&^yaml.TaggedStyle
		switch n.Kind {
		case yaml.MappingNode:
			n.Tag = "!!map"
		case yaml.SequenceNode:
			n.Tag = "!!seq"
		}
	}
	if n.Kind == yaml.MappingNode && !w.members(n) {
		return false
	}
	if n.Kind == yaml.ScalarNode {
		w.text(n)
	}
	for _, c := range n.Content {
		if !w.walk(c, depth+1) {
			return false
		}
	}
	return true
}

// members checks the keys of a mapping and takes out what counts twice.
func (w *walker) members(n *yaml.Node) bool {
	if len(n.Content)/2 > maxMembers {
		w.d.complain(Position{n.Line, n.Column}, "too-large", fmt.Sprintf("this mapping has more than %d members", maxMembers))
		return false
	}
	seen := make(map[string]int, len(n.Content)/2)
	kept := n.Content[:0]
	for pair := range slices.Chunk(slices.Clone(n.Content), 2) {
		key := pair[0]
		at := Position{key.Line, key.Column}
		switch {
		case key.Kind == yaml.AliasNode:
			w.d.complain(at, "alias", "aliases are not read; write the key out")
			return false
		case key.ShortTag() == "!!merge":
			w.d.complain(at, "alias", "merge keys are not read; write the members out")
			continue
		case key.Kind != yaml.ScalarNode:
			w.d.complain(at, "key-not-text", "a key must be a text")
			continue
		case key.ShortTag() != "!!str" && key.Style&yaml.TaggedStyle == 0:
			w.d.complain(at, "key-not-text", fmt.Sprintf("a key must be a text: put quotes around %q", key.Value))
			key.Tag, key.Style = "!!str", yaml.DoubleQuotedStyle
		}
		if line, twice := seen[key.Value]; twice {
			w.d.complain(at, "duplicate-key", fmt.Sprintf("%q stands here already, in line %d; only one can count", cut(key.Value), line))
			continue
		}
		seen[key.Value] = key.Line
		kept = append(kept, pair...)
	}
	n.Content = kept
	return true
}

// text refuses characters that no reader sees: control characters, and those that turn the direction
// of writing and so let a text look like another.
func (w *walker) text(n *yaml.Node) {
	i := strings.IndexFunc(n.Value, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f ||
			0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
	})
	if i >= 0 {
		r, _ := utf8.DecodeRuneInString(n.Value[i:])
		w.d.complain(Position{n.Line, n.Column}, "control-character", fmt.Sprintf("the text contains the character %U, which nobody sees", r))
	}
}

// cut shortens a text for a message.
func cut(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
