package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"dowel/schemas"
)

// schemaText is the schema as data, with $ref followed.
type schemaText struct {
	t    *testing.T
	root map[string]any
}

func readSchema(t *testing.T) schemaText {
	text, err := schemas.FS.ReadFile(schemas.Connector)
	if err != nil {
		t.Fatal(err)
	}
	s := schemaText{t: t}
	if err := json.Unmarshal(text, &s.root); err != nil {
		t.Fatal(err)
	}
	return s
}

// follow returns what a subschema really says: behind $ref, and for a mapping where a word may stand too.
func (s schemaText) follow(v any) map[string]any {
	m, _ := v.(map[string]any)
	for {
		next, ok := m["$ref"].(string)
		if !ok {
			if other, ok := m["else"].(map[string]any); ok && m["properties"] == nil {
				m = other
				continue
			}
			return m
		}
		defs := s.root["$defs"].(map[string]any)
		m = defs[strings.TrimPrefix(next, "#/$defs/")].(map[string]any)
	}
}

func TestTheSchemaMirrorsTheGoTypes(t *testing.T) {
	s := readSchema(t)
	s.mirrors(s.root, reflect.TypeFor[Connector](), "", map[reflect.Type]bool{})
}

func (s schemaText) mirrors(v any, typ reflect.Type, at string, seen map[reflect.Type]bool) {
	m := s.follow(v)
	switch {
	case typ.Kind() == reflect.Pointer:
		s.mirrors(m, typ.Elem(), at, seen)
		return
	case typ == reflect.TypeFor[Fields]():
		s.mirrors(m["additionalProperties"], reflect.TypeFor[Field](), at+"/*", seen)
		return
	case typ == reflect.TypeFor[ScopeGroups]():
		s.mirrors(m["additionalProperties"], reflect.TypeFor[Scopes](), at+"/*", seen)
		return
	case typ.Kind() == reflect.Slice && m["items"] != nil:
		s.mirrors(m["items"], typ.Elem(), at+"/0", seen)
		return
	case typ.Kind() != reflect.Struct || m["properties"] == nil:
		return
	case seen[typ]:
		return
	}
	seen[typ] = true
	fields := map[string]reflect.Type{}
	yamlFields(typ, fields)
	switch typ {
	case reflect.TypeFor[Request]():
		for _, name := range shorthands {
			fields[name] = reflect.TypeFor[Template]()
		}
	case reflect.TypeFor[PKCE]():
		for _, name := range []string{"mode", "method", "encoding"} {
			fields[name] = reflect.TypeFor[string]()
		}
	case reflect.TypeFor[Connector]():
		fields["$schema"] = reflect.TypeFor[string]()
	}
	properties := m["properties"].(map[string]any)
	inSchema, inGo := slices.Sorted(maps.Keys(properties)), slices.Sorted(maps.Keys(fields))
	if diff := cmp.Diff(inSchema, inGo); diff != "" {
		s.t.Errorf("%s, %v (-schema +Go):\n%s", at, typ, diff)
	}
	for name, sub := range properties {
		if fields[name] != nil {
			s.mirrors(sub, fields[name], at+"/"+name, seen)
		}
	}
}

func yamlFields(typ reflect.Type, into map[string]reflect.Type) {
	for f := range typ.Fields() {
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			yamlFields(f.Type, into)
		case name != "" && name != "-":
			into[name] = f.Type
		}
	}
}

func TestEveryPropertyIsDescribed(t *testing.T) {
	s := readSchema(t)
	for at, p := range s.properties(s.root, "") {
		m := p.(map[string]any)
		text, _ := m["description"].(string)
		if text == "" {
			text, _ = s.follow(m)["description"].(string)
		}
		if !strings.HasSuffix(text, ".") {
			t.Errorf("%s: description %q is not a sentence", at, text)
		}
	}
}

// properties lists all properties of the schema by JSON pointer. Those of a condition only repeat others.
func (s schemaText) properties(v any, at string) map[string]any {
	all := map[string]any{}
	switch v := v.(type) {
	case map[string]any:
		for k, sub := range v {
			if k == "allOf" || k == "if" || k == "examples" {
				continue
			}
			if properties, ok := sub.(map[string]any); ok && k == "properties" {
				for name, p := range properties {
					all[at+"/properties/"+name] = p
				}
			}
			maps.Copy(all, s.properties(sub, at+"/"+k))
		}
	case []any:
		for i, sub := range v {
			maps.Copy(all, s.properties(sub, fmt.Sprintf("%s/%d", at, i)))
		}
	}
	return all
}

func goodFiles(t testing.TB) []string {
	files, err := filepath.Glob(filepath.Join(testdata, "*.good.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no good definitions", err)
	}
	return files
}

// goodDefinitions is a directory of the good definitions, for those that extend others.
func goodDefinitions(t testing.TB) Parents {
	dir := fstest.MapFS{}
	for _, file := range goodFiles(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir[strings.TrimSuffix(filepath.Base(file), ".good.yaml")+".yaml"] = &fstest.MapFile{Data: source}
	}
	return In(dir)
}

func TestGoodDefinitionsHaveNoFindingAndUseEveryProperty(t *testing.T) {
	family := goodDefinitions(t)
	s := readSchema(t)
	unused := s.properties(s.root, "")
	for _, file := range goodFiles(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".good.yaml")
		fromYAML, findings := Parse(name+".yaml", source, family)
		for _, f := range findings {
			t.Errorf("%s: %v", file, f)
		}
		fromJSON, findings := Parse(name+".json", asJSON(t, source), family)
		for _, f := range findings {
			t.Errorf("%s as JSON: %v", file, f)
		}
		if diff := cmp.Diff(essence(fromYAML), essence(fromJSON)); diff != "" {
			t.Errorf("%s (-YAML +JSON):\n%s", file, diff)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(source, &doc); err != nil {
			t.Fatal(err)
		}
		s.use(s.root, "", doc.Content[0], unused)
	}
	for at := range unused {
		t.Errorf("no good definition uses %s", at)
	}
}

// use takes what n uses out of unused.
func (s schemaText) use(v any, at string, n *yaml.Node, unused map[string]any) {
	m, _ := v.(map[string]any)
	if ref, ok := m["$ref"].(string); ok {
		at = strings.TrimPrefix(ref, "#")
		s.use(s.root["$defs"].(map[string]any)[lastStep(ref)], at, n, unused)
		return
	}
	if list, ok := m["then"].(map[string]any); ok && n.Kind == yaml.SequenceNode && list["items"] != nil {
		m = list
	}
	if m["properties"] == nil && m["else"] != nil && m["items"] == nil {
		s.use(m["else"], at+"/else", n, unused)
		return
	}
	properties, _ := m["properties"].(map[string]any)
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			s.use(m["items"], at+"/items", c, unused)
		case i%2 == 0:
		case properties[n.Content[i-1].Value] != nil:
			name := n.Content[i-1].Value
			delete(unused, at+"/properties/"+name)
			s.use(properties[name], at+"/properties/"+name, c, unused)
		default:
			s.use(m["additionalProperties"], at+"/additionalProperties", c, unused)
		}
	}
}

// essence is a connector without what depends on how it was written down.
func essence(v any) any {
	return plainValue(reflect.ValueOf(v))
}

func plainValue(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plainValue(v.Elem())
	case reflect.Struct:
		out := map[string]any{}
		for f, value := range v.Fields() {
			switch f.Type {
			case reflect.TypeFor[Position](), reflect.TypeFor[[]use](), reflect.TypeFor[[]byte](), reflect.TypeFor[yaml.Kind]():
				continue
			}
			if f.Name != "Version" && f.Name != "File" && f.Name != "program" && f.Name != "pattern" && f.Name != "offset" {
				out[f.Name] = plainValue(value)
			}
		}
		return out
	case reflect.Slice:
		out := []any{}
		for i := range v.Len() {
			out = append(out, plainValue(v.Index(i)))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for k, value := range v.Seq2() {
			out[fmt.Sprint(k)] = plainValue(value)
		}
		return out
	}
	return fmt.Sprint(v)
}
