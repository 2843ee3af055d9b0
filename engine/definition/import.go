package definition

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Import says what a foreign description does not: what a definition needs besides.
type Import struct {
	// ID and Name are the connector's; empty: what the description says, or what can be made of it.
	ID, Name string
	// BaseURL is where the provider's API is; empty: what the description says.
	BaseURL string
}

// The rules of findings about what is imported. After an error the definition has to be completed by
// hand; the others say what to look at.
const (
	importMissing = "import-missing" // error: a definition cannot do without it
	importValue   = "import-value"   // error: it cannot be understood, or not be said
	importDropped = "import-dropped" // warning: it was not carried over
	importAssumed = "import-assumed" // warning: the description does not say it
	importAlias   = "import-alias"   // warning: it goes by another name
)

// importer takes a foreign description apart and writes a definition.
type importer struct {
	d       *document
	given   Import
	name    string // of the connector, as the description has it
	about   *draft // the first section, after id and name
	inputs  *draft
	hosts   []string
	baseURL string
	methods []*draft

	test, identity *draft
}

func newImporter(file string, source []byte, given Import) *importer {
	m := &importer{d: read(file, source), given: given, about: newDraft(), inputs: newDraft()}
	m.baseURL = given.BaseURL
	return m
}

// note adds a finding about a value of the description. The message begins with its path.
func (m *importer) note(at item, rule, format string, args ...any) {
	level := LevelWarning
	if rule == importMissing || rule == importValue {
		level = LevelError
	}
	m.d.findings = append(m.d.findings, Finding{
		File: m.d.file, Line: max(at.line, 1), Col: max(at.col, 1), Level: level, Rule: rule, Path: at.pointer,
		Message: at.path() + ": " + fmt.Sprintf(format, args...),
	})
}

// finish writes the definition.
func (m *importer) finish() []byte {
	root := rootItem(m.d.root)
	out := newDraft()
	name := cmp.Or(m.given.Name, m.name)
	stem := strings.TrimSuffix(path.Base(m.d.file), path.Ext(m.d.file))
	id := cmp.Or(m.given.ID, slug(name), slug(stem))
	if name == "" {
		name = title(id)
	}
	if id == "" {
		m.note(root, importMissing, "the description names no connector; give it an id")
	}
	out.text("id", id)
	out.text("name", cut(name))
	out.Content = append(out.Content, m.about.Content...)
	out.mapping("inputs", m.inputs)
	if m.baseURL != "" {
		m.host(m.baseURL)
	}
	if len(m.hosts) == 0 && !m.lacks() {
		m.note(root, importMissing, "nothing says where the provider's API is, so that the credential could be sent nowhere; give the base URL")
	}
	out.list("hosts", m.hosts)
	if len(m.methods) == 0 {
		m.note(root, importMissing, "there is no way of connecting in it that could be carried over")
	}
	m.distinguish()
	out.mappings("auth", m.methods)
	if m.baseURL != "" {
		api := newDraft()
		api.text("base_url", m.baseURL)
		out.mapping("api", api)
	}
	out.mapping("test", m.test)
	out.mapping("identity", m.identity)
	text := out.yaml()
	if !HasErrors(m.d.findings) {
		m.refused(root, text)
	}
	sortFindings(m.d.findings)
	return text
}

// refused notes what is wrong with the definition that nothing was said about: what is imported without
// an error loads.
func (m *importer) refused(at item, text []byte) {
	_, own := Parse("definition.yaml", text)
	for _, f := range own {
		if f.Level == LevelError && f.Rule != "id-mismatch" {
			m.note(at, importValue, "the definition that was made of it is refused: %s %s", f.Path, f.Message)
		}
	}
}

// lacks reports whether it was said already that something is missing.
func (m *importer) lacks() bool {
	return slices.ContainsFunc(m.d.findings, func(f Finding) bool { return f.Rule == importMissing })
}

// distinguish gives every method an id of its own.
func (m *importer) distinguish() {
	seen := map[string]int{}
	for _, d := range m.methods {
		s, ok := child(&d.Node, "id")
		if !ok {
			continue
		}
		seen[s.value.Value]++
		if n := seen[s.value.Value]; n > 1 {
			s.value.Value = fmt.Sprintf("%s_%d", s.value.Value, n)
		}
	}
}

// host adds the host of an address to those that may be sent to.
func (m *importer) host(address string) {
	_, host, ok := strings.Cut(address, "://")
	if !ok {
		return
	}
	open := 0 // a formula may hold what would end a host
	for i, r := range host {
		switch r {
		case '{':
			open++
		case '}':
			open--
		}
		if open == 0 && strings.ContainsRune("/?#", r) {
			host = host[:i]
			break
		}
	}
	if host != "" && !slices.Contains(m.hosts, host) {
		m.hosts = append(m.hosts, host)
	}
}

// secure complains about an address that nothing may be sent to, and reports whether it is one at all.
func (m *importer) secure(at item, address string) bool {
	plain := variables.ReplaceAllString(address, "x")
	u, err := url.Parse(plain)
	switch {
	case address == "":
		m.note(at, importMissing, "this is empty, and required")
	case err != nil || u.Host == "":
		m.note(at, importValue, "this is not an address that begins with https://")
	case u.Scheme != "https":
		m.note(at, importValue, "nothing is sent over %s, which others can read; the address must begin with https://", u.Scheme)
	default:
		return true
	}
	return false
}

// link reports whether an address is one that people can be sent to; any other is left out.
func (m *importer) link(at item, address string) bool {
	u, err := url.Parse(address)
	ok := err == nil && u.Scheme == "https" && u.Host != ""
	if !ok && address != "" {
		m.note(at, importDropped, "this is not an address that begins with https://")
	}
	return ok
}

// variables are the ways in which descriptions write what is to be filled in.
var variables = regexp.MustCompile(`\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}|<<\s*([A-Za-z_][\w.-]*)\s*>>|\$\{\s*([A-Za-z_][\w.-]*)\s*\}|\{([A-Za-z_][\w.-]*)\}`)

// filled turns the variables of a text into formulas. One that nothing asks for becomes a question.
func (m *importer) filled(at item, text string) string {
	return variables.ReplaceAllStringFunc(text, func(v string) string {
		groups := variables.FindStringSubmatch(v)
		name := cmp.Or(groups[1], groups[2], groups[3], groups[4])
		for part := range strings.SplitSeq(name, ".") {
			if m.inputs.has(part) {
				return "${inputs." + part + "}"
			}
		}
		name = identifier(name[strings.LastIndex(name, ".")+1:])
		if !m.inputs.has(name) {
			question := newDraft()
			question.text("label", title(name))
			m.inputs.mapping(name, question)
			m.note(at, importAssumed, "nothing asks for %s; it was made a question before connecting", name)
		}
		return "${inputs." + name + "}"
	})
}

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes an id of a name.
func slug(name string) string {
	s := notInID.ReplaceAllString(strings.ToLower(name), "-")
	return strings.Trim(s[:min(len(s), 64)], "-")
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// identifier makes a name that formulas can use.
func identifier(name string) string {
	s := strings.Trim(notInName.ReplaceAllString(name, "_"), "_")
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "_" + s
	}
	return s[:min(len(s), 64)]
}

// title makes words for people of a name for programs: apiKey and api_key are both Api key.
func title(name string) string {
	var b strings.Builder
	before := rune(' ')
	for i, r := range name {
		switch {
		case r == '_' || r == '-' || r == '.':
			r = ' '
		case i > 0 && unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteRune(' ')
			r = unicode.ToLower(r)
		case i == 0:
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
		before = r
	}
	return strings.TrimSpace(b.String())
}

// words puts a text for people into one line.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }
