package definition

import (
	"regexp"
	"strings"
)

var pathForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$`)

// pathOf returns the members a formula names one after the other, if it does nothing else.
func pathOf(source string) []string {
	if source = strings.TrimSpace(source); !pathForm.MatchString(source) {
		return nil
	}
	return strings.Split(source, ".")
}

// walk follows path through nested mappings. What is not there is nil, as it is for a formula; anything
// but mappings on the way is left to the machine (ok is false).
func walk(env Env, path []string) (v any, ok bool) {
	if path == nil {
		return nil, false
	}
	at := map[string]any(env)
	for _, name := range path[:len(path)-1] {
		switch next := at[name].(type) {
		case nil:
			return nil, true
		case map[string]any:
			at = next
		default:
			return nil, false
		}
	}
	return at[path[len(path)-1]], true
}
