package definition

import (
	"slices"
	"strings"
)

// fields writes the questions of a method; end writes how long the answers are good.
func (m *classic) fields(form item, out *draft, rename map[string]string) (qs []question, end func()) {
	qs, lifetime, lives := m.questions(form)
	fields := newDraft()
	for k := range qs {
		if to := rename[qs[k].name]; to != "" {
			qs[k].name = to
		}
		fields.mapping(qs[k].name, qs[k].draft)
	}
	out.mapping("fields", fields)
	return qs, func() {
		if lives {
			m.lifetime(lifetime, out)
		}
	}
}

// setKind says of which kind the method is; its place was kept.
func setKind(out *draft, k AuthKind) { out.set("kind", string(k)) }

// basic writes RFC 7617.
func (m *classic) basic(form item, out *draft) {
	setKind(out, Basic)
	qs, end := m.fields(form, out, nil)
	defer end()
	for _, part := range []struct {
		key   string
		names []string
	}{{"username", []string{"username", "userName", "user"}}, {"password", []string{"password"}}} {
		i := slices.IndexFunc(qs, func(q question) bool { return slices.Contains(part.names, q.name) })
		switch {
		case i < 0 && len(qs) > 0:
			m.note(form.missing(part.names[0]), importMissing, "a user name and a password are asked for, and this is neither among the questions")
		case i >= 0 && qs[i].name != part.key:
			out.text(part.key, "${fields."+qs[i].name+"}")
		}
	}
}

// apiKey writes a key and the place it goes to. The name of the place is a question of the form whose
// answer is fixed.
func (m *classic) apiKey(form item, out *draft) {
	setKind(out, APIKey)
	qs, lifetime, lives := m.questions(form)
	m.conceal(qs)
	name, in, prefix := "", "", ""
	fields := newDraft()
	apply := []string{}
	for _, q := range qs {
		if slices.Contains([]string{"apiKeyName", "keyName", "key", "headerName", "name"}, q.name) && !q.secret {
			if name = q.defaultValue; name == "" {
				m.note(q.item, importMissing, "a definition says in which header the key goes; give this a default")
			} else if !q.fixed {
				m.note(q.item, importDropped, "where the key goes is not asked; it is always %s", name)
			}
			in = q.in
			continue
		}
		fields.mapping(q.name, q.draft)
		in, prefix = orElse(in, q.in), orElse(prefix, q.prefix)
		if !q.fixed {
			apply = append(apply, q.name)
		}
	}
	out.mapping("fields", fields)
	if lives {
		m.lifetime(lifetime, out)
	}
	if len(apply) == 0 {
		m.note(form, importMissing, "there is no key among the questions")
		return
	}
	if name == "" {
		name = "X-API-Key"
		m.note(form, importAssumed, "the name of the header is not said; it was taken to be %s", name)
	}
	key := apply[len(apply)-1]
	if i := slices.IndexFunc(apply, func(n string) bool { return strings.Contains(strings.ToLower(n), "key") }); i >= 0 {
		key = apply[i]
	}
	out.mapping("apply", m.placed(form, in, name, prefix+"${fields."+key+"}"))
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// placed writes where a value goes.
func (m *classic) placed(at item, in, name, value string) *draft {
	apply, params := newDraft(), newDraft()
	params.text(name, value)
	switch strings.ToLower(in) {
	case "query", "queryparam", "queryparams", "query parameters":
		apply.mapping("query", params)
	case "cookie", "cookies":
		apply.mapping("cookies", params)
	case "", "header", "headers":
		apply.mapping("headers", params)
	default:
		m.note(at, importDropped, "a key cannot go into the %s of every request; it goes into a header", cut(in))
		apply.mapping("headers", params)
	}
	return apply
}

// bearer writes a token that the person brings.
func (m *classic) bearer(form item, out *draft) {
	setKind(out, Bearer)
	qs, end := m.fields(form, out, map[string]string{"access_token": "token", "bearerToken": "token", "bearer_token": "token"})
	m.conceal(qs)
	end()
}

// conceal makes a secret of what must be one: of a form without any, the last question.
func (m *classic) conceal(qs []question) {
	if len(qs) == 0 || slices.ContainsFunc(qs, func(q question) bool { return q.secret }) {
		return
	}
	q := &qs[len(qs)-1]
	if q.fixed || q.draft.has("options") {
		return
	}
	drop(&q.draft.Node, "type")
	drop(&q.draft.Node, "default")
	q.draft.text("type", "password")
	q.secret = true
	m.note(q.item, importAssumed, "this was made a field of type password: it is what has to be kept secret")
}

// custom writes a form. Where its answers go is said nowhere in that JSON: its actions take them by name.
func (m *classic) custom(form item, out *draft) {
	setKind(out, Custom)
	qs, end := m.fields(form, out, nil)
	end()
	if len(qs) == 0 {
		m.note(form, importMissing, "the form asks nothing")
		return
	}
	m.note(form, importAssumed, "where the answers go on a request is not said; write it under apply, such as apply: {headers: {X-API-Key: \"${fields.%s}\"}}", qs[0].name)
}
