package definition

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// message is what the schema says about its own keyword, or otherwise.
func message(holder map[string]any, otherwise string) string {
	if m, ok := holder["errorMessage"].(string); ok {
		return m
	}
	return otherwise
}

func lastStep(pointer string) string { return pointer[strings.LastIndexByte(pointer, '/')+1:] }

// keysOf lists the keys of a JSON object in alphabetical order.
func keysOf(v any) []string {
	m, _ := v.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

// texts lists the texts of a JSON array.
func texts(v any) []string {
	l, _ := v.([]any)
	var out []string
	for _, t := range l {
		if s, ok := t.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func quoted(s spot) string {
	if s.name() == "" {
		return "the file"
	}
	return fmt.Sprintf("%q", cut(s.name()))
}

func inside(s spot) string {
	if s.name() == "" {
		return ""
	}
	return " in " + quoted(s)
}

// wrongType says what stands there and what is wanted.
func wrongType(s spot, holder map[string]any) string {
	wanted := texts(holder["type"])
	if t, ok := holder["type"].(string); ok {
		wanted = []string{t}
	}
	var words []string
	for _, t := range wanted {
		words = append(words, typeWord(t))
	}
	text := fmt.Sprintf("%s must be %s, not %s", quoted(s), strings.Join(words, " or "), nodeWord(s.value))
	if slices.Contains(wanted, "string") && s.value.Kind == yaml.ScalarNode && s.value.ShortTag() != "!!null" {
		text += fmt.Sprintf("; put quotes around it: %q", cut(s.value.Value))
	}
	return text
}

func typeWord(t string) string {
	switch t {
	case "object":
		return "a mapping"
	case "array":
		return "a list"
	case "string":
		return "a text"
	case "boolean":
		return "true or false"
	case "integer":
		return "a whole number"
	case "null":
		return "null"
	}
	return "a " + t
}

func nodeWord(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	}
	return "a text"
}

// nearest is the option that was probably meant; empty if none is near.
func nearest(given string, options []string) string {
	best, distance := "", 3
	for _, o := range options {
		if d := edits(strings.ToLower(given), strings.ToLower(o)); d < distance && d < len(o) {
			best, distance = o, d
		}
	}
	// clientauth means client_auth, and clientAuth does too.
	bare := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	for _, o := range options {
		if bare(o) == bare(given) {
			best = o
		}
	}
	return best
}

// suggest names the option that was probably meant, or all of them.
func suggest(given string, options []string) string {
	best := nearest(given, options)
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(options) == 0:
		return "nothing can stand here"
	case len(options) == 1:
		return fmt.Sprintf("only %q can stand here", options[0])
	}
	return "here there can be " + strings.Join(options, ", ")
}

// edits is the number of letters to change, add or drop to get from a to b; texts that are far too
// long are simply far apart.
func edits(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := before
			if a[i-1] != b[j-1] {
				cost++
			}
			before = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
