package definition

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// readYAML reads one YAML document; nil after a complaint.
func (d *document) readYAML(source []byte) *yaml.Node {
	if at, deep := tooDeepYAML(source); deep {
		d.complain(at, "too-deep", "this is nested too deeply")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(source))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			d.complain(Position{1, 1}, "syntax", "the file is empty")
			return nil
		}
		d.complain(yamlError(err))
		return nil
	}
	switch err := dec.Decode(&next); {
	case err == nil:
		d.complain(Position{next.Line, next.Column}, "many-documents", "a file holds one definition; put this one into a file of its own")
		return nil
	case !errors.Is(err, io.EOF):
		d.complain(yamlError(err))
		return nil
	}
	return doc.Content[0]
}

// tooDeepYAML finds nesting that would cost the parser more than it is worth, before it runs.
func tooDeepYAML(source []byte) (Position, bool) {
	at, open := Position{1, 0}, 0
	for _, c := range source {
		at.Col++
		switch c {
		case '\n':
			at = Position{at.Line + 1, 0}
		case '[', '{':
			open++
		case ']', '}':
			open = max(open-1, 0)
		}
		// Brackets inside texts are counted too; a definition has them closed, or has few.
		if open > 20*maxDepth {
			return at, true
		}
	}
	return Position{}, false
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(?s:(.*))$`)

// yamlError takes the line out of the message of the YAML reader.
func yamlError(err error) (at Position, rule, message string) {
	at = Position{1, 1}
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return at, "syntax", err.Error()
	}
	if line, err := strconv.Atoi(m[1]); err == nil && line > 0 {
		at.Line = line
	}
	switch m[2] {
	case "found character that cannot start any token":
		m[2] += "; put quotes around a text that begins with @, ` or %, and indent with blanks"
	case "mapping values are not allowed in this context":
		m[2] += "; put quotes around a text that contains a colon and a blank"
	}
	return at, "syntax", m[2]
}
