package definition

import (
	"regexp"
	"slices"
	"strings"
)

// ImportClassic reads classic Fastn JSON, a connector group, one auth method or what is inside of one, and
// writes a definition. The findings say what is missing, what was assumed and what could not be carried
// over, each with its place in the JSON; after an error among them the definition has to be completed by
// hand. It returns nil if the JSON cannot be read at all. The words of that JSON exist nowhere else.
func ImportClassic(file string, source []byte, given Import) ([]byte, []Finding) {
	m := &classic{newImporter(file, source, given)}
	if m.d.root == nil || HasErrors(m.d.findings) {
		return nil, m.d.findings
	}
	m.group(rootItem(m.d.root))
	return m.finish(), m.d.findings
}

// classic reads classic Fastn JSON.
type classic struct{ *importer }

// The kinds of auth methods, in both generations' spellings without case and underscores.
var classicKinds = map[string]string{
	"oauth": "oauth", "oauth2": "oauth", "basic": "basic", "basicauth": "basic", "digest": "digest", "apikey": "apiKey",
	"bearertoken": "bearerToken", "bearer": "bearerToken", "custominput": "customInput", "input": "customInput", "noauth": "noAuth",
}

// group reads a connector group, or whatever part of one there is.
func (m *classic) group(root item) {
	o := m.object(root)
	switch {
	case root.items() != nil:
		m.list(root)
		return
	case !root.isMapping():
		m.note(root, importValue, "this is neither an object nor a list of auth methods")
		return
	case m.kindOf(root) != "" || !m.isGroup(o):
		m.method(root, "")
		return
	}
	m.described(o)
	if i, ok := o.take(groupKeys...); ok {
		kinds := m.object(i)
		switch {
		case i.items() != nil:
			m.list(i)
		case m.byKind(kinds):
			kinds.rest()
		default:
			m.method(i, "")
		}
	}
	m.byKind(o)
	o.rest()
}

// groupKeys are the members of a connector group that hold its auth methods.
var groupKeys = []string{"authMethods", "auth", "authentication"}

// isGroup reports whether an object describes a connector and not one auth method.
func (m *classic) isGroup(o *object) bool {
	for _, key := range o.keys() {
		if slices.Contains(groupKeys, key) || m.namesKind(o, key) {
			return true
		}
	}
	return false
}

// namesKind reports whether a member is an auth method named after its kind.
func (m *classic) namesKind(o *object, key string) bool {
	s, _ := child(o.node, key)
	i := o.at(key, s)
	return classicKinds[bareWord(key)] != "" && i.isMapping() && !m.isQuestion(i)
}

// byKind reads members that are named after the kind of the method they hold.
func (m *classic) byKind(o *object) bool {
	found := false
	for _, key := range o.keys() {
		if !o.taken[key] && m.namesKind(o, key) {
			i, _ := o.take(key)
			m.method(i, classicKinds[bareWord(key)])
			found = true
		}
	}
	return found
}

func (m *classic) list(list item) {
	for _, i := range list.items() {
		before := len(m.methods)
		m.method(i, "")
		if first := m.object(i).bool("isDefault"); first != nil && *first && len(m.methods) > before {
			m.methods = slices.Insert(m.methods[:before:before], 0, m.methods[before])
		}
	}
}

// described reads what a group says about the connector.
func (m *classic) described(o *object) {
	m.name, _ = o.text("name", "title")
	m.name = words(m.name)
	if s, _ := o.text("slug"); m.given.ID == "" && s != "" {
		m.given.ID = slug(title(s))
	}
	if s, at := o.text("description"); len([]rune(s)) <= 400 {
		m.about.text("description", words(s))
	} else {
		m.note(at, importDropped, "this is longer than the 400 characters that a description may have")
	}
	if s, at := o.text("color"); colorForm.MatchString(s) {
		m.about.text("color", s)
	} else if s != "" {
		m.note(at, importDropped, "a color is written as # and six hex digits")
	}
	links := newDraft()
	if s, at := o.text("documentationLink", "documentation", "documentationUrl", "docs", "docsUrl"); m.link(at, s) {
		links.text("docs", s)
	}
	m.about.mapping("links", links)
	for _, name := range []string{"baseUrl", "apiUrl", "url"} {
		if s, at := o.text(name); s != "" && m.baseURL == "" && m.secure(at, s) {
			m.baseURL = m.filled(at, s)
		}
	}
	if i, ok := o.take("images"); ok && len(i.items()) > 0 {
		m.note(i, importDropped, "pictures are not part of a definition; an operator puts %s into a folder of his own", "<id>.svg")
	}
	if s, at := o.text("resourceType"); strings.EqualFold(s, "INTERNAL") {
		m.note(at, importDropped, "whether private addresses may be called is the operator's policy and not the definition's")
	}
	o.ignore("id", "enableActivation", "enableActivate", "activateStatus", "connectors", "actions")
}

var colorForm = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// method reads one auth method: {type, details}, or the details alone, of the given kind if they do not
// say one.
func (m *classic) method(i item, kind string) {
	if !i.isMapping() {
		m.note(i, importValue, "this is not an auth method")
		return
	}
	o := m.object(i)
	details, wrapped := o.take("details", "configuration")
	if wrapped = wrapped && details.isMapping(); !wrapped {
		details = i
	}
	kind = m.kind(o, details, kind)
	out := newDraft()
	id := map[string]string{"oauth": "oauth", "basic": "basic", "apiKey": "api_key", "bearerToken": "token", "customInput": "login"}[kind]
	out.text("id", id)
	out.put("kind", textNode("")) // in its place, once it is known
	if wrapped {
		if contract, ok := o.take("inputContract"); ok {
			m.contract(contract)
		}
		label, _ := o.text("title")
		out.text("label", words(label))
		if s, at := o.text("docsUrl", "documentationUrl", "authDocsUrl"); m.link(at, s) {
			out.text("docs_url", s)
		}
		o.ignore("type", "isDefault", "id")
		o.rest()
	}
	if m.write(kind, i, details, out) {
		m.methods = append(m.methods, out)
	}
}

// kind is the kind of a method, as it says, as its place says, or as it looks.
func (m *classic) kind(o *object, details item, placed string) string {
	said, at := o.text("type")
	found, known := classicKinds[bareWord(said)]
	switch {
	case known && said != found:
		m.note(at, importAlias, "%s was read as %s", cut(said), found)
		return found
	case known:
		return found
	case placed != "":
		return placed
	case said != "" && details.pointer != o.pointer:
		m.note(at, importValue, "there is no auth type %q; %s", cut(said), suggest(said, []string{"oauth", "basic", "apiKey", "bearerToken", "customInput"}))
	}
	looks := m.looksLike(details)
	m.note(o.item, importAssumed, "the kind of this auth method is not said; it was read as %s", looks)
	return looks
}

// write writes a method of a kind; it reports false if there is no such method in definitions.
func (m *classic) write(kind string, i, details item, out *draft) bool {
	switch kind {
	case "oauth":
		m.oauth(m.object(details), out)
	case "basic":
		m.basic(details, out)
	case "apiKey":
		m.apiKey(details, out)
	case "bearerToken":
		m.bearer(details, out)
	case "customInput":
		m.custom(details, out)
	case "digest":
		m.note(i, importDropped, "digest authentication (RFC 7616) cannot be said in a definition; ask the provider for another way")
		return false
	case "noAuth":
		m.note(i, importDropped, "a method that asks for nothing makes no connection, so there is nothing to define")
		return false
	default:
		return false
	}
	return true
}

// kindOf is the kind that an object says it is of; empty if it says none that is known.
func (m *classic) kindOf(i item) string {
	s, ok := child(i.node, "type")
	if !ok {
		return ""
	}
	text, _ := i.at("type", s).scalar()
	return classicKinds[bareWord(text)]
}

// looksLike guesses the kind of details that come without one.
func (m *classic) looksLike(i item) string {
	keys := m.object(i).keys()
	has := func(names ...string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(names, k) })
	}
	switch {
	case has("baseUrl", "authorization", "accessTokenUrl", "clientId"):
		return "oauth"
	case has("access_token", "bearerToken"):
		return "bearerToken"
	case has("apiKeyName", "apiKeyValue"):
		return "apiKey"
	case has("password") && has("username", "userName") && len(keys) <= 3:
		return "basic"
	}
	return "customInput"
}

// isQuestion reports whether an object is a question of a form and not an auth method.
func (m *classic) isQuestion(i item) bool {
	o := m.object(i)
	for _, key := range o.keys() {
		s, _ := child(i.node, key)
		if o.at(key, s).isMapping() || key == "baseUrl" || key == "clientId" {
			return false
		}
	}
	return m.kindOf(i) == ""
}
