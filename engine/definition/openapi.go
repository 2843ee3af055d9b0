package definition

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// FromOpenAPI writes a definition from the security schemes of an OpenAPI 3 description, in YAML or JSON.
func FromOpenAPI(file string, source []byte, given Import) ([]byte, []Finding) {
	m := &openAPI{importer: &importer{d: &document{file: file}, given: given, about: newDraft(), inputs: newDraft(), baseURL: given.BaseURL}}
	if !m.read(source) {
		return nil, m.d.findings
	}
	m.describe()
	schemes := m.part("components", "securitySchemes")
	if !schemes.isMapping() {
		m.note(schemes, importMissing, "the description has no security schemes")
	}
	o := m.object(schemes)
	for _, name := range o.keys() {
		i, _ := o.take(name)
		m.scheme(name, m.object(i))
	}
	return m.finish(), m.d.findings
}

// openAPI reads an OpenAPI description.
type openAPI struct {
	*importer
	parts map[string]yaml.Node
}

// part is the value under a path of keys.
func (m *openAPI) part(path ...string) item {
	at := item{pointer: "/" + escape(path[0])}
	n, ok := m.parts[path[0]]
	if !ok {
		return at
	}
	at.node, at.line, at.col = &n, n.Line, n.Column
	for _, key := range path[1:] {
		at, _ = m.object(at).take(key)
	}
	return at
}

// describe reads the name of the API and where it is.
func (m *openAPI) describe() {
	info := m.object(m.part("info"))
	m.name, _ = info.text("title")
	m.name = words(m.name)
	if s, _ := info.text("summary", "description"); s != "" {
		first, _, _ := strings.Cut(s, "\n")
		if first = words(first); utf8.RuneCountInString(first) <= 400 {
			m.about.text("description", first)
		}
	}
	links := newDraft()
	if s, at := m.object(m.part("externalDocs")).text("url"); m.link(at, s) {
		links.text("docs", s)
	}
	m.about.mapping("links", links)
	servers := m.part("servers").items()
	if len(servers) == 0 || m.baseURL != "" {
		return
	}
	server := m.object(servers[0])
	if len(servers) > 1 {
		m.note(servers[1], importDropped, "the first server is the one that is called")
	}
	m.variables(server)
	address, at := server.text("url")
	switch {
	case strings.HasPrefix(address, "/") || address == "":
		m.note(at, importDropped, "this does not say where the API is; give the base URL")
	case m.secure(at, address):
		m.baseURL = m.filled(at, strings.TrimSuffix(address, "/"))
	}
}

// variables asks for the variables of a server's address.
func (m *openAPI) variables(server *object) {
	i, _ := server.take("variables")
	o := m.object(i)
	for _, key := range o.keys() {
		at, _ := o.take(key)
		v := m.object(at)
		question := newDraft()
		question.text("label", title(key))
		options, _ := v.take("enum")
		var values []string
		for _, option := range options.items() {
			if s, ok := option.scalar(); ok && s != "" && !slices.Contains(values, s) {
				values = append(values, s)
			}
		}
		if len(values) > 0 {
			question.text("type", "select")
			question.texts("options", values)
		}
		if s, _ := v.text("default"); s != "" && (len(values) == 0 || slices.Contains(values, s)) {
			question.text("default", s)
		}
		help, _ := v.text("description")
		question.text("help", words(help))
		if name := identifier(key); !m.inputs.has(name) {
			m.inputs.mapping(name, question)
		}
	}
}

// scheme writes one security scheme.
func (m *openAPI) scheme(name string, o *object) {
	kind, at := o.text("type")
	if ref, _ := o.take("$ref"); ref.node != nil {
		m.note(ref, importDropped, "references are not followed; write the scheme here")
		return
	}
	switch kind {
	case "oauth2":
		m.oauth2(name, o)
	case "http":
		m.http(name, o)
	case "apiKey":
		m.apiKey(name, o)
	case "openIdConnect":
		address, _ := o.text("openIdConnectUrl")
		m.note(o.item, importDropped, "its addresses are published at %s: make a definition from there, with the issuer", cut(address))
	case "mutualTLS":
		m.note(o.item, importDropped, "client certificates were not carried over")
	default:
		m.note(at, importValue, "there is no type of security scheme %q; %s", cut(kind), suggest(kind, []string{"oauth2", "http", "apiKey", "openIdConnect", "mutualTLS"}))
	}
}

// begin begins a method.
func (m *openAPI) begin(name string, kind AuthKind, o *object) *draft {
	out := newDraft()
	out.text("id", orElse(strings.ReplaceAll(slug(title(name)), "-", "_"), "method"))
	out.text("kind", string(kind))
	out.text("label", words(title(name)))
	help, _ := o.text("description")
	if first, _, _ := strings.Cut(help, "\n"); utf8.RuneCountInString(first) <= 200 {
		out.text("help", words(first))
	}
	return out
}

func (m *openAPI) http(name string, o *object) {
	scheme, at := o.text("scheme")
	switch strings.ToLower(scheme) {
	case "basic":
		m.methods = append(m.methods, m.begin(name, Basic, o))
	case "bearer":
		m.methods = append(m.methods, m.begin(name, Bearer, o))
	default:
		m.note(at, importDropped, "the HTTP scheme %q was not carried over", cut(scheme))
	}
}

func (m *openAPI) apiKey(name string, o *object) {
	out := m.begin(name, APIKey, o)
	fields, key := newDraft(), newDraft()
	key.text("label", "API key")
	key.text("type", "password")
	fields.mapping("api_key", key)
	out.mapping("fields", fields)
	parameter, at := o.text("name")
	if parameter == "" {
		m.note(at, importMissing, "this is the name of the header or parameter that the key goes into")
		return
	}
	apply, params := newDraft(), newDraft()
	params.text(parameter, "${fields.api_key}")
	switch in, at := o.text("in"); in {
	case "header":
		apply.mapping("headers", params)
	case "query":
		apply.mapping("query", params)
	case "cookie":
		apply.mapping("cookies", params)
	default:
		m.note(at, importValue, "a key goes into the header, the query or a cookie, not into %q", cut(in))
	}
	out.mapping("apply", apply)
	m.methods = append(m.methods, out)
}
