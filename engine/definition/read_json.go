package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

func validJSON(source []byte) bool { return json.Valid(source) }

// readJSON reads a JSON text into the tree that YAML is read into; nil after a complaint.
func (d *document) readJSON(source []byte) *yaml.Node {
	var any json.RawMessage
	if err := json.Unmarshal(source, &any); err != nil {
		at := &cursor{source: source, at: Position{1, 1}}
		var se *json.SyntaxError
		if errors.As(err, &se) {
			at.to(max(int(se.Offset)-1, 0))
		}
		d.complain(at.at, "syntax", strings.TrimPrefix(err.Error(), "json: "))
		return nil
	}
	r := &jsonReader{dec: json.NewDecoder(bytes.NewReader(source)), cursor: cursor{source: source, at: Position{1, 1}}}
	r.dec.UseNumber()
	n := r.value(0)
	if n == nil {
		d.complain(r.at, "too-deep", "this is nested too deeply")
	}
	return n
}

type jsonReader struct {
	dec *json.Decoder
	cursor
}

// token returns the next token and where it begins. The text is known to be valid.
func (r *jsonReader) token() (json.Token, Position) {
	from := int(r.dec.InputOffset())
	for from < len(r.source) && strings.IndexByte(" \t\r\n,:", r.source[from]) >= 0 {
		from++
	}
	r.to(from)
	at := r.at
	t, err := r.dec.Token()
	if err != nil {
		return nil, at // cannot be, after json.Unmarshal
	}
	return t, at
}

// value reads one value; nil if it is nested too deeply.
func (r *jsonReader) value(depth int) *yaml.Node {
	t, at := r.token()
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: at.Line, Column: at.Col}
	switch t := t.(type) {
	case json.Delim:
		if depth > maxDepth {
			return nil
		}
		n.Kind, n.Tag, n.Style = yaml.SequenceNode, "!!seq", yaml.FlowStyle
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for r.dec.More() {
			c := r.value(depth + 1)
			if c == nil {
				return nil
			}
			n.Content = append(n.Content, c)
		}
		r.token()
	case string:
		n.Tag, n.Style, n.Value = "!!str", yaml.DoubleQuotedStyle, t
	case json.Number:
		n.Tag, n.Value = "!!int", t.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	case bool:
		n.Tag, n.Value = "!!bool", "false"
		if t {
			n.Value = "true"
		}
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}

// cursor walks through a text once and knows its line and column; columns count characters.
type cursor struct {
	source []byte
	offset int
	at     Position
}

func (c *cursor) to(offset int) {
	for c.offset < min(offset, len(c.source)) {
		r, n := utf8.DecodeRune(c.source[c.offset:])
		c.offset += n
		c.at.Col++
		if r == '\n' {
			c.at = Position{c.at.Line + 1, 1}
		}
	}
}
