package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v5"
	"go.yaml.in/yaml/v3"

	"dowel/engine/access"
)

// document is the description of the API, as data and as schemas.
type document struct {
	root    map[string]any
	strict  *jsonschema.Compiler
	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema
}

const documentName = "mem:///openapi.json"

var described = sync.OnceValues(func() (*document, error) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	d := &document{strict: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	if err := yaml.Unmarshal(text, &d.root); err != nil {
		return nil, err
	}
	close(d.root)
	encoded, err := json.Marshal(d.root)
	if err != nil {
		return nil, err
	}
	d.strict.Draft, d.strict.AssertFormat = jsonschema.Draft2020, true
	return d, d.strict.AddResource(documentName, bytes.NewReader(encoded))
})

// close lets no object have members that are not described, so that an answer cannot have any either.
func close(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, open := node["additionalProperties"]; node["properties"] != nil && node["type"] == "object" && !open {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			close(child)
		}
	case []any:
		for _, child := range node {
			close(child)
		}
	}
}

func theDocument(t *testing.T) *document {
	t.Helper()
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows names through the document and what it refers to, and returns where it ends as well.
func (d *document) at(names ...string) (node any, pointer string) {
	node = d.root
	for i := 0; i < len(names); i++ {
		m, ok := node.(map[string]any)
		if !ok {
			return nil, ""
		}
		if ref, ok := m["$ref"].(string); ok {
			return d.at(slices.Concat(parts(ref), names[i:])...)
		}
		node = m[names[i]]
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(names[i])
	}
	if m, ok := node.(map[string]any); ok {
		if ref, ok := m["$ref"].(string); ok {
			return d.at(parts(ref)...)
		}
	}
	return node, pointer
}

func parts(ref string) []string { return strings.Split(strings.TrimPrefix(ref, "#/"), "/") }

// schema compiles what lies at a pointer.
func (d *document) schema(t *testing.T, pointer string) *jsonschema.Schema {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.schemas[pointer]; s != nil {
		return s
	}
	s, err := d.strict.Compile(documentName + "#" + pointer)
	if err != nil {
		t.Fatalf("%s: %v", pointer, err)
	}
	d.schemas[pointer] = s
	return s
}

// operation is where the scenario's request is described; nil: nowhere.
func (s scenario) operation(d *document) []string {
	paths, _ := d.root["paths"].(map[string]any)
	var all []string
	for path := range paths {
		all = append(all, s.method+" "+path)
	}
	slices.Sort(all)
	_, path, found := strings.Cut(s.route(all), " ")
	if !found {
		return nil
	}
	return []string{"paths", path, strings.ToLower(s.method)}
}

// scopes lists the scopes that the request needs, by the description; none if the scenario does not look at
// them. One that does has to name one of them.
func (s scenario) scopes(t *testing.T) []access.Action {
	t.Helper()
	d := theDocument(t)
	op := s.operation(d)
	if op == nil || s.scope == "" {
		return nil
	}
	var scopes []access.Action
	list, _ := d.at(append(op, "security")...)
	for _, requirement := range list.([]any) {
		for _, scope := range requirement.(map[string]any)["apiKey"].([]any) {
			scopes = append(scopes, access.Action(scope.(string)))
		}
	}
	if !slices.Contains(scopes, s.scope) {
		t.Errorf("the description wants the scopes %v, the scenario %s", scopes, s.scope)
	}
	return scopes
}

// described holds the request, if it is taken, and the answer against the description.
func (s scenario) described(t *testing.T, a answer) {
	t.Helper()
	d := theDocument(t)
	op := s.operation(d)
	if op == nil {
		return // of something that is not there
	}
	status := strconv.Itoa(a.status)
	response, pointer := d.at(append(op, "responses", status)...)
	if response == nil {
		response, pointer = d.at(append(op, "responses", "default")...)
		if a.status < 400 || response == nil {
			t.Errorf("the description has no status %d", a.status)
			return
		}
	}
	media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	d.holds(t, "the answer", response, pointer, media, []byte(a.text))
	if a.status < 300 && s.kind == "" && s.body != nil {
		sent, err := json.Marshal(s.body)
		if text, ok := s.body.(string); ok {
			sent, err = []byte(text), nil
		}
		if err != nil {
			t.Fatal(err)
		}
		request, pointer := d.at(append(op, "requestBody")...)
		d.holds(t, "the request", request, pointer, "application/json", sent)
	}
}

// holds checks a body against the schema of its media type.
func (d *document) holds(t *testing.T, what string, at any, pointer, media string, body []byte) {
	t.Helper()
	content, _ := at.(map[string]any)["content"].(map[string]any)
	if len(content) == 0 && len(body) == 0 {
		return
	}
	if content[media] == nil {
		t.Errorf("%s is %s, which is not described: %s", what, media, body)
		return
	}
	if !strings.HasSuffix(media, "json") {
		return
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	schema := d.schema(t, pointer+"/content/"+strings.ReplaceAll(media, "/", "~1")+"/schema")
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s is not as described: %#v\n%s", what, err, body)
	}
}

func TestEveryRouteIsDescribedAndTheOtherWayRound(t *testing.T) {
	h := newHouse(t)
	var all []string
	paths, _ := theDocument(t).root["paths"].(map[string]any)
	for path, item := range paths {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				all = append(all, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(all)
	if diff := cmp.Diff(h.routes(), all); diff != "" {
		t.Errorf("described (-routes +described):\n%s", diff)
	}
}

func TestTheDescriptionIsServedToAnybody(t *testing.T) {
	want, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	a := h.ask(scenario{method: http.MethodGet, path: "/openapi.yaml"}, "")
	if a.status != http.StatusOK || a.text != string(want) || a.header.Get("Content-Type") != "application/yaml; charset=utf-8" {
		t.Errorf("%d %s, %d bytes", a.status, a.header.Get("Content-Type"), len(a.text))
	}
}

func TestEveryOperationSaysWhatItIs(t *testing.T) {
	d := theDocument(t)
	tags := map[string]bool{}
	for _, tag := range d.root["tags"].([]any) {
		tags[tag.(map[string]any)["name"].(string)] = false
	}
	ids := map[string]bool{}
	for path, item := range d.root["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			o, ok := op.(map[string]any)
			if !ok {
				continue
			}
			id, _ := o["operationId"].(string)
			if summary, _ := o["summary"].(string); summary == "" || id == "" || ids[id] || o["security"] == nil {
				t.Errorf("%s %s: summary %q, operationId %q, security %v", method, path, summary, id, o["security"])
			}
			ids[id] = true
			for _, tag := range o["tags"].([]any) {
				if _, known := tags[tag.(string)]; !known {
					t.Errorf("%s %s: tag %s is not described", method, path, tag)
				}
				tags[tag.(string)] = true
			}
			for _, p := range strings.Split(path, "/") {
				if strings.HasPrefix(p, "{") && item.(map[string]any)["parameters"] == nil {
					t.Errorf("%s %s: %s is not described", method, path, p)
				}
			}
		}
	}
	for tag, used := range tags {
		if !used {
			t.Errorf("nothing has the tag %s", tag)
		}
	}
}
