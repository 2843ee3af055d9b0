package simulator

import "dowel/engine/definition"

// set puts value at path, making the objects and lists on the way.
func (d document) set(path []any, value any) {
	if len(path) == 0 {
		return
	}
	if root, ok := path[0].(string); ok {
		d[root] = put(d[root], path[1:], value)
	}
}

func put(into any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	if name, ok := path[0].(string); ok {
		m, _ := into.(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		m[name] = put(m[name], path[1:], value)
		return m
	}
	i, _ := path[0].(int)
	list, _ := into.([]any)
	for len(list) <= i && i < maxList {
		list = append(list, nil)
	}
	if i < len(list) {
		list[i] = put(list[i], path[1:], value)
	}
	return list
}

// maxList bounds the lists that an index in an expression can ask for.
const maxList = 100

// get returns what is at path; nil if nothing is.
func (d document) get(path []any) any {
	var at any = map[string]any(d)
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := at.(map[string]any)
			at = m[s]
		case int:
			list, _ := at.([]any)
			if s >= len(list) {
				return nil
			}
			at = list[s]
		}
	}
	return at
}

// body is the path of a member of the answer's body.
func body(names ...any) []any { return append([]any{"response", "body"}, names...) }

// answerBody is the body of the answer, an empty object if no expression reads anything.
func (d document) answerBody() any {
	if b := d.get(body()); b != nil {
		return b
	}
	return map[string]any{}
}

// give puts value where e reads it, or where the RFC has it.
func (d document) give(e *definition.Expression, usual string, value any) {
	if e != nil {
		d.place(e, value)
		return
	}
	d.usual(usual, value)
}

// usual sets a member of the body, unless the body is no object or has it.
func (d document) usual(name string, value any) {
	b := d.get(body())
	if _, isObject := b.(map[string]any); b != nil && !isObject {
		return
	}
	if d.get(body(name)) == nil {
		d.set(body(name), value)
	}
}

// merge lays b over a: objects member by member, lists entry by entry.
func merge(a, b any) any {
	switch b := b.(type) {
	case map[string]any:
		m, ok := a.(map[string]any)
		if !ok {
			return b
		}
		for k, v := range b {
			m[k] = merge(m[k], v)
		}
		return m
	case []any:
		list, ok := a.([]any)
		if !ok {
			return b
		}
		for i, v := range b {
			if i < len(list) {
				list[i] = merge(list[i], v)
			} else {
				list = append(list, v)
			}
		}
		return list
	case nil:
		return a
	}
	return b
}
