package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dowel/schemas"
)

// TestDocsDescribeEveryKey keeps the guide's reference as the schema has it.
func TestDocsDescribeEveryKey(t *testing.T) {
	text, err := schemas.FS.ReadFile(schemas.Connector)
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(text, &r.root); err != nil {
		t.Fatal(err)
	}
	r.order = keysInOrder(t, text)
	r.write()
	documented(t, "../../connectors/README.md", "reference", r.out.String())
}

// reference writes the schema for people: a table for the file, and one for each kind of mapping in it.
type reference struct {
	root  map[string]any
	order map[string][]string // keys of each properties object, as the schema has them
	todo  []string            // $defs to describe
	done  []string
	out   strings.Builder
}

// keysInOrder lists the keys of every object of a JSON text in their order, by JSON pointer.
func keysInOrder(t *testing.T, text []byte) map[string][]string {
	d, out := json.NewDecoder(strings.NewReader(string(text))), map[string][]string{}
	var value func(at string)
	value = func(at string) {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		delim, ok := token.(json.Delim)
		for i := 0; ok && d.More(); i++ {
			if delim == '[' {
				value(fmt.Sprintf("%s/%d", at, i))
				continue
			}
			key, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			out[at] = append(out[at], key.(string))
			value(at + "/" + key.(string))
		}
		if ok {
			if _, err := d.Token(); err != nil {
				t.Fatal(err)
			}
		}
	}
	value("")
	return out
}

func (r *reference) write() {
	r.out.WriteString("\n### The file\n\n")
	r.table(r.root, "")
	for len(r.todo) > 0 {
		name := r.todo[0]
		r.todo = r.todo[1:]
		if slices.Contains(r.done, name) {
			continue
		}
		r.done = append(r.done, name)
		def, at := r.object(r.root["$defs"].(map[string]any)[name], "/$defs/"+name)
		fmt.Fprintf(&r.out, "### `%s`\n\n", name)
		if d, ok := def["description"].(string); ok {
			r.out.WriteString(cell(d) + "\n\n")
		}
		r.table(def, at)
		if name == "auth" {
			r.kinds(def)
		}
	}
}

// object looks past what says "or none" and what only refers.
func (r *reference) object(v any, at string) (map[string]any, string) {
	m, _ := v.(map[string]any)
	if m["properties"] == nil {
		if other, ok := m["else"].(map[string]any); ok {
			if ref, ok := other["$ref"].(string); ok {
				at = strings.TrimPrefix(ref, "#")
				return r.object(r.root["$defs"].(map[string]any)[at[len("/$defs/"):]], at)
			}
		}
	}
	return m, at
}

func (r *reference) table(m map[string]any, at string) {
	r.out.WriteString("| key | value | |\n|---|---|---|\n")
	properties, _ := m["properties"].(map[string]any)
	required, _ := m["required"].([]any)
	for _, key := range r.order[at+"/properties"] {
		p, _ := properties[key].(map[string]any)
		must := ""
		if slices.Contains(required, any(key)) {
			must = " (required)"
		}
		fmt.Fprintf(&r.out, "| `%s`%s | %s | %s |\n", key, must, cell(r.value(p)), cell(r.text(p)))
	}
	r.out.WriteString("\n")
}

func cell(s string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(s) }

// kinds says which keys a method of each kind has, beside those that all have.
func (r *reference) kinds(auth map[string]any) {
	branches, _ := auth["allOf"].([]any)
	keys := map[string][]string{}
	var order, all []string
	for _, b := range branches {
		branch, _ := b.(map[string]any)
		kind, _ := dig(branch, "if", "properties", "kind", "const").(string)
		names, _ := dig(branch, "then", "propertyNames", "enum").([]any)
		required, _ := dig(branch, "then", "required").([]any)
		if kind == "" || names == nil {
			continue
		}
		order = append(order, kind)
		for _, n := range names {
			keys[kind] = append(keys[kind], n.(string))
		}
		for _, n := range required {
			i := slices.Index(keys[kind], n.(string))
			keys[kind][i] += " (required)"
		}
	}
	for _, k := range keys[order[0]] {
		if !slices.ContainsFunc(order, func(kind string) bool { return !slices.Contains(keys[kind], k) }) {
			all = append(all, k)
		}
	}
	fmt.Fprintf(&r.out, "A method of any kind may have `%s`; beside them:\n\n| kind | keys |\n|---|---|\n", strings.Join(all, "`, `"))
	for _, kind := range order {
		own := slices.DeleteFunc(slices.Clone(keys[kind]), func(k string) bool { return slices.Contains(all, k) })
		fmt.Fprintf(&r.out, "| `%s` | %s |\n", kind, strings.Join(own, ", "))
	}
	r.out.WriteString("\n")
}

// dig follows names through nested mappings.
func dig(m map[string]any, names ...string) any {
	for _, n := range names[:len(names)-1] {
		m, _ = m[n].(map[string]any)
	}
	return m[names[len(names)-1]]
}

// value is what may stand under a key.
func (r *reference) value(p map[string]any) string {
	if ref, ok := p["$ref"].(string); ok {
		name := ref[len("#/$defs/"):]
		def, at := r.object(r.root["$defs"].(map[string]any)[name], "/$defs/"+name)
		switch {
		case def["properties"] != nil:
			inner := at[len("/$defs/"):]
			r.todo = append(r.todo, inner)
			word := "[" + inner + "](#" + strings.ToLower(inner) + ")"
			if inner != name {
				return word + " or `none`"
			}
			return word
		case def["additionalProperties"] != nil:
			if next, ok := def["additionalProperties"].(map[string]any); ok && next["$ref"] != nil {
				return "names and " + r.value(next)
			}
			return "names and texts"
		case def["enum"] != nil:
			return oneOf(def["enum"])
		}
		return map[string]string{"text": "text", "formula": "formula", "address": "address", "duration": "duration", "schedule": "cron expression", "link": "link", "id": "id"}[name]
	}
	switch {
	case p["enum"] != nil:
		return oneOf(p["enum"])
	case p["type"] == "array":
		items, _ := p["items"].(map[string]any)
		return "list of " + r.value(items)
	case p["type"] == "object" && p["additionalProperties"] != nil:
		if next, ok := p["additionalProperties"].(map[string]any); ok && next["$ref"] != nil {
			return "names and " + r.value(next)
		}
		if p["properties"] != nil {
			var keys []string
			for k := range p["properties"].(map[string]any) {
				keys = append(keys, "`"+k+"`")
			}
			slices.Sort(keys)
			return strings.Join(keys, ", ")
		}
		return "names and texts"
	}
	switch t := p["type"].(type) {
	case string:
		return map[string]string{"string": "text", "integer": "number", "number": "number", "boolean": "true or false", "object": "mapping"}[t]
	case []any:
		return "text"
	}
	return "anything"
}

func oneOf(v any) string {
	var out []string
	for _, o := range v.([]any) {
		out = append(out, fmt.Sprintf("`%v`", o))
	}
	return strings.Join(out, ", ")
}

// text is what a key means, with its default and its first example.
func (r *reference) text(p map[string]any) string {
	out, _ := p["description"].(string)
	if out == "" {
		if ref, ok := p["$ref"].(string); ok {
			def, _ := r.root["$defs"].(map[string]any)[ref[len("#/$defs/"):]].(map[string]any)
			out, _ = def["description"].(string)
		}
	}
	if d, ok := p["default"]; ok && d != false {
		out += fmt.Sprintf(" Default: `%v`.", plainly(d))
	}
	if examples, ok := p["examples"].([]any); ok && len(examples) > 0 {
		out += " Example: `" + plainly(examples[0]) + "`."
	}
	return out
}

func plainly(v any) string {
	if s, ok := v.(string); ok {
		if s == " " {
			return `" "`
		}
		return s
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}
