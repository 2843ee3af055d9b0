package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxOpenAPI is the largest description of an API that is read, in bytes: they are longer than
// definitions, and only a few of their lines are of use.
const maxOpenAPI = 8 << 20

// maxOpenAPIValues is about how many values such a description may have in YAML, where each costs memory.
const maxOpenAPIValues = 400_000

// openAPIParts are the members that are looked at.
var openAPIParts = []string{"openapi", "swagger", "info", "servers", "externalDocs", "components", "security"}

// read takes the description apart, and reports whether it is one.
func (m *openAPI) read(source []byte) bool {
	m.d.root = &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	root := rootItem(m.d.root)
	switch {
	case len(source) > maxOpenAPI:
		m.note(root, importValue, "the description has more than %d MiB", maxOpenAPI>>20)
		return false
	case !utf8.Valid(source):
		m.note(root, importValue, "the description is not UTF-8")
		return false
	}
	parts := map[string]yaml.Node{}
	var err error
	if trimmed := bytes.TrimSpace(source); len(trimmed) > 0 && trimmed[0] == '{' {
		parts, err = jsonParts(source)
	} else if at, deep := tooDeepYAML(source); deep {
		err = fmt.Errorf("it is nested too deeply in line %d", at.Line)
	} else if n := bytes.Count(source, []byte("\n")) + bytes.Count(source, []byte(",")); n > maxOpenAPIValues {
		err = fmt.Errorf("it has more than %d lines and commas", maxOpenAPIValues)
	} else {
		err = yamlParts(source, parts)
	}
	if err != nil {
		m.note(root, importValue, "the description cannot be read: %v", err)
		return false
	}
	m.parts = parts
	version, _ := m.part("openapi").scalar()
	if old, _ := m.part("swagger").scalar(); old != "" {
		m.note(m.part("swagger"), importValue, "this is Swagger %s; turn the description into OpenAPI 3 first", cut(old))
		return false
	}
	if !strings.HasPrefix(version, "3.") {
		m.note(m.part("openapi"), importMissing, "a description of OpenAPI 3 says its version here")
		return false
	}
	return true
}

// yamlParts reads those members of a YAML mapping that are looked at. It is looked at as a tree, in which
// aliases stand for nothing.
func yamlParts(source []byte, parts map[string]yaml.Node) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(source, &doc); err != nil {
		return err
	}
	if len(doc.Content) == 0 {
		return errors.New("it is empty")
	}
	for _, name := range openAPIParts {
		if s, ok := child(doc.Content[0], name); ok {
			parts[name] = *s.value
		}
	}
	return nil
}

// jsonParts reads those members of a JSON object that are looked at.
func jsonParts(source []byte) (map[string]yaml.Node, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(source, &all); err != nil {
		return nil, err
	}
	parts := map[string]yaml.Node{}
	for _, name := range openAPIParts {
		raw, ok := all[name]
		if !ok {
			continue
		}
		if name == "components" {
			var components struct {
				SecuritySchemes json.RawMessage `json:"securitySchemes"`
			}
			if err := json.Unmarshal(raw, &components); err != nil {
				return nil, err
			}
			if components.SecuritySchemes == nil {
				continue
			}
			raw = append(append([]byte(`{"securitySchemes":`), components.SecuritySchemes...), '}')
		}
		d := read(name+".json", raw)
		if d.root == nil || HasErrors(d.findings) {
			return nil, fmt.Errorf("%s: %v", name, d.findings)
		}
		unplaced(d.root)
		parts[name] = *d.root
	}
	return parts, nil
}

// unplaced takes the place of values away that were read out of their text.
func unplaced(n *yaml.Node) {
	n.Line, n.Column = 0, 0
	for _, c := range n.Content {
		unplaced(c)
	}
}
