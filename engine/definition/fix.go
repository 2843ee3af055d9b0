package definition

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Fix is a change of the text that takes a finding away without deciding anything for the author: at a
// place, Old becomes New. Nothing is fixed unless Old stands there.
type Fix struct {
	Line int    `json:"line"`
	Col  int    `json:"col"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// fixes are the rules whose findings have a mechanical fix, with how it is found. They do not change.
var fixes = map[string]func(x *fixer, f Finding) *Fix{
	"http-url":                 (*fixer).https,
	"id-mismatch":              (*fixer).idOfFile,
	"key-not-text":             (*fixer).quotedKey,
	"type":                     (*fixer).quotedValue,
	"formula":                  (*fixer).bareFormula,
	"hidden-required":          (*fixer).withoutMember,
	"client-auth-unused":       (*fixer).withoutMember,
	"options-without-select":   func(x *fixer, f Finding) *Fix { return x.typed(f, "select") },
	"range-without-number":     func(x *fixer, f Finding) *Fix { return x.typed(f, "number") },
	"duplicate-scope":          (*fixer).withoutItem,
	"template-without-formula": (*fixer).formula,
}

// meantFix writes the word that was probably meant; nil if there is none.
func meantFix(at Position, given, meant string) *Fix {
	if given == "" || meant == "" {
		return nil
	}
	return &Fix{at.Line, at.Col, given, meant}
}

// fixer finds fixes in one text.
type fixer struct {
	d     *document
	lines []string
}

// addFixes gives findings the fixes that there are.
func (d *document) addFixes() {
	if d.root == nil || d.merged && len(d.findings) == 0 {
		return
	}
	x := &fixer{d: d, lines: strings.Split(string(d.source), "\n")}
	for i := range d.findings {
		f := &d.findings[i]
		if f.Fix != nil {
			f.Fix = x.replace(f.Fix.Line, f.Fix.Col, f.Fix.Old, f.Fix.New)
		} else if find, ok := fixes[f.Rule]; ok {
			f.Fix = find(x, *f)
		}
	}
}

// from is the line from a place on; false if there is no such place.
func (x *fixer) from(line, col int) (string, bool) {
	if line < 1 || line > len(x.lines) {
		return "", false
	}
	rest := x.lines[line-1]
	for range col - 1 {
		_, n := utf8.DecodeRuneInString(rest)
		if n == 0 {
			return "", false
		}
		rest = rest[n:]
	}
	return rest, true
}

// replace changes before, which may stand behind a quotation mark.
func (x *fixer) replace(line, col int, before, after string) *Fix {
	rest, ok := x.from(line, col)
	if ok && (strings.HasPrefix(rest, `"`) || strings.HasPrefix(rest, "'")) && !strings.HasPrefix(before, rest[:1]) {
		rest, col = rest[1:], col+1
	}
	if !ok || before == "" || !strings.HasPrefix(rest, before) {
		return nil
	}
	return &Fix{line, col, before, after}
}

func (x *fixer) https(f Finding) *Fix { return x.replace(f.Line, f.Col, "http://", "https://") }

func (x *fixer) idOfFile(f Finding) *Fix {
	base := path.Base(x.d.file)
	id := strings.TrimSuffix(base, path.Ext(base))
	if !idForm.MatchString(id) {
		return nil
	}
	return x.replace(f.Line, f.Col, x.d.id(), id)
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// word is a plain scalar at the beginning of a text.
var word = regexp.MustCompile(`^[A-Za-z0-9.+-]+`)

func (x *fixer) quotedKey(f Finding) *Fix {
	rest, _ := x.from(f.Line, f.Col)
	w := word.FindString(rest)
	return x.replace(f.Line, f.Col, w, `"`+w+`"`)
}

// quotedValue makes a text of a number or a boolean where a text is wanted.
func (x *fixer) quotedValue(f Finding) *Fix {
	if !strings.Contains(f.Message, "put quotes around it") {
		return nil
	}
	return x.quotedKey(f)
}

// bareFormula takes ${ and } off what is all formula.
func (x *fixer) bareFormula(f Finding) *Fix {
	s, ok := find(x.d.root, f.Path)
	if !ok || s.value.Kind != yaml.ScalarNode || !strings.Contains(f.Message, "without ${") {
		return nil
	}
	inner, open := strings.CutPrefix(s.value.Value, "${")
	inner, closed := strings.CutSuffix(inner, "}")
	if !open || !closed || strings.Contains(inner, "${") {
		return nil
	}
	return x.replace(f.Line, f.Col, s.value.Value, inner)
}

// formula makes a formula of a text that reads like one.
func (x *fixer) formula(f Finding) *Fix {
	s, ok := find(x.d.root, f.Path)
	if !ok || s.value.Kind != yaml.ScalarNode {
		return nil
	}
	with := "${" + s.value.Value + "}"
	if s.value.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
		with = `"` + with + `"` // a brace would end a mapping that is written in a line
	}
	return x.replace(f.Line, f.Col, s.value.Value, with)
}

// withoutMember takes out a member whose value is one word on the same line.
func (x *fixer) withoutMember(f Finding) *Fix {
	s, ok := find(x.d.root, f.Path)
	if !ok || s.key == nil || s.value.Kind != yaml.ScalarNode || s.value.Line != s.key.Line {
		return nil
	}
	return x.without(s.key.Line, s.key.Column, regexp.MustCompile(`^["']?`+regexp.QuoteMeta(s.key.Value)+`["']?\s*:\s*["']?`+regexp.QuoteMeta(s.value.Value)+`["']?`))
}

// withoutItem takes an item out of a list that is written in one line.
func (x *fixer) withoutItem(f Finding) *Fix {
	s, ok := find(x.d.root, f.Path)
	if !ok || s.value.Kind != yaml.ScalarNode {
		return nil
	}
	return x.without(s.value.Line, s.value.Column, regexp.MustCompile(`^["']?`+regexp.QuoteMeta(s.value.Value)+`["']?`))
}

// without takes out what stands at a place, with the comma that parts it from the others, or with its
// whole line.
func (x *fixer) without(line, col int, what *regexp.Regexp) *Fix {
	rest, ok := x.from(line, col)
	text := what.FindString(rest)
	if !ok || text == "" {
		return nil
	}
	after := rest[len(text):]
	before := strings.TrimSuffix(x.lines[line-1], rest)
	switch blanks := len(after) - len(strings.TrimLeft(after, " ")); {
	case strings.HasPrefix(after[blanks:], ","):
		comma := after[:blanks+1]
		comma += after[len(comma) : len(after)-len(strings.TrimLeft(after[len(comma):], " "))]
		return &Fix{line, col, text + comma, ""}
	case strings.HasSuffix(strings.TrimRight(before, " "), ","):
		lead := before[strings.LastIndex(before, ","):]
		return &Fix{line, col - utf8.RuneCountInString(lead), lead + text, ""}
	case strings.Trim(before, " -") == "" && strings.TrimSpace(after) == "" && line < len(x.lines):
		return &Fix{line, 1, x.lines[line-1] + "\n", ""}
	}
	return nil
}

// typed gives a field the type that its other keys are for.
func (x *fixer) typed(f Finding, kind string) *Fix {
	field := f.Path[:max(strings.LastIndexByte(f.Path, '/'), 0)]
	if s, ok := find(x.d.root, field+"/type"); ok {
		return x.replace(s.value.Line, s.value.Column, s.value.Value, kind)
	}
	s, ok := find(x.d.root, f.Path)
	if !ok || s.key == nil {
		return nil
	}
	rest, _ := x.from(s.key.Line, s.key.Column)
	before := strings.TrimSuffix(x.lines[s.key.Line-1], rest)
	between := ", "
	if strings.TrimSpace(before) == "" {
		between = "\n" + before
	}
	return x.replace(s.key.Line, s.key.Column, s.key.Value, "type: "+kind+between+s.key.Value)
}

// ApplyFixes returns source with the fixes of the findings made, and how many were. Of fixes that touch
// the same place, the first is made.
func ApplyFixes(source []byte, findings []Finding) (fixed []byte, made int) {
	var todo []Fix
	for _, f := range findings {
		if f.Fix != nil && !slices.Contains(todo, *f.Fix) {
			todo = append(todo, *f.Fix)
		}
	}
	// From the end on, so that places stay what they are.
	slices.SortFunc(todo, func(a, b Fix) int { return cmp.Or(cmp.Compare(b.Line, a.Line), cmp.Compare(b.Col, a.Col)) })
	text, end := string(source), len(source)
	for _, f := range todo {
		at := offsetOf(text, f.Line, f.Col)
		if at < 0 || at+len(f.Old) > end || !strings.HasPrefix(text[at:], f.Old) {
			continue
		}
		text = text[:at] + f.New + text[at+len(f.Old):]
		end = at
		made++
	}
	return []byte(text), made
}

// offsetOf is the place of a line and a column in a text, in bytes; negative if there is none.
func offsetOf(text string, line, col int) int {
	at := 0
	for range line - 1 {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	for range col - 1 {
		_, n := utf8.DecodeRuneInString(text[at:])
		if n == 0 {
			return -1
		}
		at += n
	}
	return at
}

// String says what the fix does.
func (f Fix) String() string {
	switch {
	case f.New == "":
		return fmt.Sprintf("take away %q", strings.TrimSpace(f.Old))
	case strings.HasPrefix(f.New, "type: "):
		return fmt.Sprintf("add %q", strings.TrimRight(strings.TrimSuffix(f.New, f.Old), ", \n\t"))
	}
	return fmt.Sprintf("write %q instead of %q", f.New, f.Old)
}
