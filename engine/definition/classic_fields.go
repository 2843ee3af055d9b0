package definition

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// question is one field of a form, read.
type question struct {
	item
	name         string
	draft        *draft
	fixed        bool // never asked: always the default
	defaultValue string
	secret       bool
	in, prefix   string // of an API key: where it goes, and what stands before it
}

// ours are the types of fields by the names that forms give them.
var classicTypes = map[string]string{
	"": "", "text": "", "string": "", "password": "password", "secret": "password", "number": "number", "integer": "number",
	"boolean": "boolean", "checkbox": "boolean", "url": "url", "hostname": "host", "host": "host", "select": "select",
	"dropdown": "select", "enum": "select", "textarea": "textarea", "email": "email",
}

// questions reads a form. What lives for some time is told apart: it is no question.
func (m *classic) questions(form item) (qs []question, lifetime item, lives bool) {
	o := m.object(form)
	for _, key := range o.keys() {
		i, _ := o.take(key)
		switch {
		case key == "expires_in":
			lifetime, lives = i, true
		case !i.isMapping() && slices.Contains(besideForm, key):
		case !i.isMapping():
			m.note(i, importDropped, "this is not a question; a question is an object with description, type and so on")
		default:
			q := m.question(key, i)
			for slices.ContainsFunc(qs, func(other question) bool { return other.name == q.name }) {
				q.name = q.name[:min(len(q.name), 62)] + "_2"
			}
			qs = append(qs, q)
		}
	}
	return qs, lifetime, lives
}

// besideForm are the members of an auth method that may stand among its questions.
var besideForm = []string{"type", "title", "isDefault"}

func (m *classic) question(key string, i item) question {
	o := m.object(i)
	q := question{item: i, name: identifier(key), draft: newDraft()}
	if q.name != key {
		m.note(i, importAlias, "formulas cannot use the name; it became %s", q.name)
	}
	label, _ := o.text("label", "description", "title")
	q.draft.text("label", words(strings.TrimRight(label, ": ")))
	if q.draft.empty() {
		q.draft.text("label", title(key))
	}
	m.questionType(o, &q)
	if b := o.bool("required"); b != nil && !*b {
		q.draft.bool("required", false)
	}
	m.questionDefault(o, &q)
	if s, at := o.text("helpUrl", "docsUrl"); m.link(at, s) {
		q.draft.text("help_url", s)
	}
	help, _ := o.text("help", "helpText", "placeholder", "tooltip")
	q.draft.text("help", words(help))
	if s, at := o.text("pattern", "regex"); s != "" {
		if _, err := regexp.Compile(`^(?:` + s + `)$`); err != nil {
			m.note(at, importDropped, "this is not an RE2 expression: %v", err)
		} else {
			q.draft.text("pattern", s)
		}
	}
	q.in, _ = o.text("in", "location", "addTo")
	if i, ok := o.take("prefix"); ok {
		q.prefix, _ = i.scalar() // the blank at its end counts
	}
	o.ignore("key", "name", "order", "label", "description")
	o.rest()
	return q
}

func (m *classic) questionType(o *object, q *question) {
	given, at := o.text("type")
	kind, ok := classicTypes[strings.ToLower(given)]
	if !ok {
		m.note(at, importDropped, "there is no field type %q; it became a text", cut(given))
	}
	q.secret = kind == "password"
	switch options := m.options(o); {
	case kind == "email":
		q.draft.text("format", "email")
	case kind == "select" && len(options) == 0:
		m.note(at, importDropped, "there is nothing to select from; it became a text")
	case len(options) > 0:
		q.draft.text("type", "select")
		q.draft.put("options", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: options})
	default:
		q.draft.text("type", kind)
	}
}

// options are the answers to choose from: texts, or objects with value and label.
func (m *classic) options(o *object) []*yaml.Node {
	list, ok := o.take("options", "enum", "values")
	if !ok {
		return nil
	}
	var out []*yaml.Node
	var seen []string
	for _, i := range list.items() {
		value, plain := i.scalar()
		label := ""
		if !plain {
			option := m.object(i)
			value, _ = option.text("value", "id")
			label, _ = option.text("label", "name")
		}
		if value == "" || slices.Contains(seen, value) {
			continue
		}
		seen = append(seen, value)
		if label == "" || label == value {
			out = append(out, textNode(value))
			continue
		}
		d := newDraft()
		d.text("value", value)
		d.text("label", words(label))
		out = append(out, &d.Node)
	}
	return out
}

// questionDefault reads the default, and what makes a question one that is not asked.
func (m *classic) questionDefault(o *object, q *question) {
	value, at := o.text("default", "defaultValue", "value")
	if at.pointer == o.pointer+"/defaultValue" && value != "" {
		m.note(at, importAlias, "defaultValue was read as default")
	}
	hidden, disabled := o.bool("hidden"), o.bool("disabled")
	off := func(b *bool) bool { return b != nil && *b }
	if value != "" && q.secret {
		m.note(at, importDropped, "everybody who can read a definition could read the default of a secret")
		value = ""
	}
	switch {
	case value == "" && (off(hidden) || off(disabled)):
		m.note(q.item, importDropped, "what cannot be changed needs a default; it is asked instead")
	case off(hidden):
		q.draft.bool("hidden", true)
	case off(disabled):
		q.draft.bool("disabled", true)
	}
	q.fixed, q.defaultValue = value != "" && (off(hidden) || off(disabled)), value
	q.draft.text("default", value)
}

// contract reads the Input Contract: what is asked before connecting.
func (m *classic) contract(form item) {
	if form.node != nil && !form.isMapping() {
		if s, _ := form.scalar(); s != "" {
			m.note(form, importDropped, "this is not a form")
		}
		return
	}
	qs, _, _ := m.questions(form)
	for _, q := range qs {
		if m.inputs.has(q.name) {
			m.note(q.item, importDropped, "%s is asked already; it is asked once", q.name)
			continue
		}
		m.inputs.mapping(q.name, q.draft)
	}
}

// usualLifetime is the expires_in that every published example has: about 28 hours, which says nothing
// about how long a key is good.
const usualLifetime = "100000"

// lifetime carries over how long a typed credential is good.
func (m *classic) lifetime(i item, out *draft) {
	value, _ := i.scalar()
	if i.isMapping() {
		value, _ = m.object(i).text("default", "defaultValue", "value")
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil || seconds <= 0 || seconds > int64(longestLifetime/time.Second):
		m.note(i, importDropped, "this is not a lifetime in seconds")
	case value == usualLifetime:
		m.note(i, importDropped, "%s seconds is what every example has and no key's life; to have the key verified from time to time, "+
			"give the definition a test and the method expires: {default: %s}", value, hours(seconds))
	default:
		expires := newDraft()
		expires.text("default", hours(seconds))
		out.mapping("expires", expires)
		out.text("on_expiry", "expire")
		m.note(i, importAssumed, "the credential ends after %s; with a test, on_expiry: verify would prolong it", hours(seconds))
	}
}

const longestLifetime = 100 * 365 * 24 * time.Hour

// hours writes seconds as definitions do.
func hours(seconds int64) string {
	var b strings.Builder
	for _, part := range []struct {
		unit string
		n    int64
	}{{"h", seconds / 3600}, {"m", seconds / 60 % 60}, {"s", seconds % 60}} {
		if part.n > 0 {
			b.WriteString(strconv.FormatInt(part.n, 10) + part.unit)
		}
	}
	return b.String()
}
