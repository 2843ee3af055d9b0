package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"go.yaml.in/yaml/v3"

	"dowel/schemas"
)

// schema checks trees against the JSON Schema of definitions and says in words what is wrong.
// It is immutable and safe for concurrent use.
type schema struct {
	compiled *jsonschema.Schema
	raw      any // the schema itself, to take names and messages from
}

const schemaURL = "dowel:connector"

func newSchema(fsys fs.FS) (*schema, error) {
	text, err := fs.ReadFile(fsys, schemas.Connector)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	s := &schema{}
	if err := json.Unmarshal(text, &s.raw); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	c.LoadURL = func(string) (io.ReadCloser, error) {
		return nil, errors.New("a schema is never fetched")
	}
	if err := c.AddResource(schemaURL, bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	if s.compiled, err = c.Compile(schemaURL); err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	return s, nil
}

// check returns everything that the schema finds wrong with d.
func (s *schema) check(d *document) []Finding {
	err := s.compiled.Validate(plain(d.root))
	if err == nil {
		return nil
	}
	var ve *jsonschema.ValidationError
	if !errors.As(err, &ve) {
		d.complain(Position{1, 1}, "syntax", err.Error())
		return nil
	}
	r := &schemaReport{schema: s, d: d, told: map[Position]bool{}}
	r.collect(ve)
	return r.findings()
}

// schemaReport turns the errors of one check into findings.
type schemaReport struct {
	schema *schema
	d      *document
	all    []Finding
	told   map[Position]bool // where a key is unknown, there is no more to say
}

// collect walks to the errors that have no further causes. What an alternative lacks is no help to a
// reader; there the schema has a message of its own.
func (r *schemaReport) collect(e *jsonschema.ValidationError) {
	keyword := lastStep(e.AbsoluteKeywordLocation)
	if len(e.Causes) > 0 && keyword != "oneOf" && keyword != "anyOf" {
		for _, c := range e.Causes {
			r.collect(c)
		}
		return
	}
	r.leaf(e, keyword)
}

func (r *schemaReport) leaf(e *jsonschema.ValidationError, keyword string) {
	where, _ := find(r.d.root, e.InstanceLocation)
	holder := r.schema.holder(e.AbsoluteKeywordLocation)
	switch {
	case strings.Contains(e.KeywordLocation, "/propertyNames"):
		r.badName(e, where, holder, keyword)
	case keyword == "additionalProperties":
		r.unknownKeys(where, holder)
	case keyword == "required":
		r.missingKeys(where, holder)
	case strings.Contains(e.AbsoluteKeywordLocation, "/dependentRequired/"):
		r.missingBeside(where, holder, lastStep(e.AbsoluteKeywordLocation))
	case keyword == "type":
		r.add(where.at(), "type", wrongType(where, holder))
	case keyword == "enum" || keyword == "const":
		r.notOneOf(where, holder)
	case slices.Contains([]string{"minLength", "minItems", "minProperties"}, keyword):
		r.add(where.at(), "empty", fmt.Sprintf("%s is empty", quoted(where)))
	case keyword == "maxLength":
		r.add(where.at(), "too-long", fmt.Sprintf("%s is longer than %v characters", quoted(where), holder["maxLength"]))
	case keyword == "minimum":
		r.add(where.at(), "range", fmt.Sprintf("%s must be at least %v", quoted(where), holder["minimum"]))
	case keyword == "pattern" || keyword == "format":
		r.add(where.at(), "pattern", fmt.Sprintf("%s: %s", quoted(where), message(holder, e.Message)))
	default:
		r.add(where.at(), "combination", message(holder, e.Message))
	}
}

// findings drops what is told twice.
func (r *schemaReport) findings() []Finding {
	var out []Finding
	for _, f := range r.all {
		known := f.Rule == "key-of-another-kind" && r.told[Position{f.Line, f.Col}]
		if !known && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func (r *schemaReport) add(at Position, rule, text string) {
	r.all = append(r.all, Finding{
		File: r.d.file, Line: at.Line, Col: at.Col, Level: LevelError, Rule: rule, Message: text,
	})
}

// addUnknown is add for a word that is none of the options; text says where it stands.
func (r *schemaReport) addUnknown(at Position, rule, text, given string, options []string) {
	r.add(at, rule, text+"; "+suggest(given, options))
	r.all[len(r.all)-1].Fix = meantFix(at, given, nearest(given, options))
}

func (r *schemaReport) unknownKeys(where spot, holder map[string]any) {
	known := keysOf(holder["properties"])
	for i := 0; i+1 < len(where.value.Content); i += 2 {
		key := where.value.Content[i]
		if slices.Contains(known, key.Value) {
			continue
		}
		at := Position{key.Line, key.Column}
		r.told[at] = true
		r.addUnknown(at, "unknown-key", fmt.Sprintf("unknown key %q%s", cut(key.Value), inside(where)), key.Value, known)
	}
}

func (r *schemaReport) missingKeys(where spot, holder map[string]any) {
	for _, name := range texts(holder["required"]) {
		if _, ok := child(where.value, name); ok {
			continue
		}
		because := ""
		if kind, ok := child(where.value, "kind"); ok && name != "id" {
			because = " for kind " + cut(kind.value.Value)
		}
		r.add(where.at(), "missing-key", fmt.Sprintf("%q is missing%s%s", name, inside(where), because))
	}
}

// missingBeside is about a key that needs another one beside it.
func (r *schemaReport) missingBeside(where spot, holder map[string]any, key string) {
	if key == "method" {
		r.add(where.at(), "missing-key", `"method" stands beside "url"; get, post and the others say the method themselves`)
		return
	}
	s, _ := child(where.value, key)
	for _, name := range texts(holder[key]) {
		if _, ok := child(where.value, name); !ok {
			r.add(s.keyAt(), "missing-key", fmt.Sprintf("%q does nothing without %q", key, name))
		}
	}
}

// badName is about a key; the instance is the key itself, so where is what stands under it.
func (r *schemaReport) badName(e *jsonschema.ValidationError, where spot, holder map[string]any, keyword string) {
	if keyword != "enum" {
		r.add(where.keyAt(), "name", fmt.Sprintf("%q: %s", cut(where.name()), message(holder, "a name is not empty and not endless")))
		return
	}
	parent, _ := find(r.d.root, e.InstanceLocation[:strings.LastIndexByte(e.InstanceLocation, '/')])
	if kind, ok := child(parent.value, "kind"); ok && strings.Contains(e.AbsoluteKeywordLocation, "/allOf/") {
		text := fmt.Sprintf("%q does not belong to kind %s", where.name(), kind.value.Value)
		if of := r.schema.kindsOf(where.name()); len(of) > 0 {
			text += "; it is a key of " + strings.Join(of, ", ")
		}
		r.add(where.keyAt(), "key-of-another-kind", text)
		return
	}
	known := texts(holder["enum"])
	r.addUnknown(where.keyAt(), "unknown-key", fmt.Sprintf("unknown key %q%s", cut(where.name()), inside(parent)), where.name(), known)
}

func (r *schemaReport) notOneOf(where spot, holder map[string]any) {
	options := texts(holder["enum"])
	if c, ok := holder["const"].(string); ok {
		options = []string{c}
	}
	rule := "enum"
	if where.name() == "kind" {
		rule = "kind-unknown"
	}
	given := cut(where.value.Value)
	switch where.value.Kind {
	case yaml.MappingNode:
		given = "a mapping"
	case yaml.SequenceNode:
		given = "a list"
	}
	r.addUnknown(where.at(), rule, fmt.Sprintf("%s cannot be %q", quoted(where), given), given, options)
}

// kindsOf lists the auth kinds that have a key.
func (s *schema) kindsOf(key string) []string {
	branches, _ := s.lookup("/$defs/auth/allOf").([]any)
	var out []string
	for i := range branches {
		at := fmt.Sprintf("/$defs/auth/allOf/%d", i)
		if slices.Contains(texts(s.lookup(at+"/then/propertyNames/enum")), key) {
			kind, _ := s.lookup(at + "/if/properties/kind/const").(string)
			out = append(out, kind)
		}
	}
	return out
}

// holder returns the schema object that a failed keyword stands in.
func (s *schema) holder(location string) map[string]any {
	_, pointer, _ := strings.Cut(location, "#")
	for pointer != "" {
		if m, ok := s.lookup(pointer).(map[string]any); ok && lastStep(pointer) != "properties" {
			return m
		}
		pointer = pointer[:max(strings.LastIndexByte(pointer, '/'), 0)]
	}
	m, _ := s.raw.(map[string]any)
	return m
}

// lookup follows a JSON pointer in the schema; nil if nothing stands there.
func (s *schema) lookup(pointer string) any {
	v := s.raw
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch at := v.(type) {
		case map[string]any:
			v = at[unescape(step)]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}
