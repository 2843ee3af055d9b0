package definition

import (
	"cmp"
	"fmt"
	"slices"
)

// Level says how bad a finding is.
type Level string

// The levels. A definition with an error is refused; a warning is for its author to weigh.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
)

// Finding is one complaint about a definition.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Col     int    `json:"col"`
	Level   Level  `json:"level"`
	Rule    string `json:"rule"` // stable name, see `dowel connectors lint --rules`
	Message string `json:"message"`
	// Path is the JSON pointer of the value complained about.
	Path string `json:"path,omitempty"`
	// Fix takes the finding away; nil if only the author can.
	Fix *Fix `json:"fix,omitempty"`
}

// String writes the finding as file:line:col: rule: message.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Col, f.Rule, f.Message)
}

// HasErrors reports whether one of the findings is an error.
func HasErrors(fs []Finding) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Level == LevelError })
}

// sortFindings puts findings in the order of the file.
func sortFindings(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Rule, b.Rule))
	})
}
