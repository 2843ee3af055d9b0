package simulator

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dowel/engine/definition"
)

// answer writes the document the way the provider speaks: its body in the form that the definition
// reads, what stands before it, and headers and cookies where expressions look for them.
func (d document) answer(status int, how definition.Reading) *answer {
	a := (&answer{status: status, header: http.Header{}}).set("Cache-Control", "no-store") // RFC 6749 §5.1
	if err := a.speak(how, d.answerBody()); err != nil {
		return plain(http.StatusInternalServerError, err.Error())
	}
	a.body = append([]byte(how.StripPrefix), a.body...)
	headers, _ := d.get([]any{"response", "headers"}).(map[string]any)
	for name, v := range headers {
		a.set(name, definition.Text(v))
	}
	cookies, _ := d.get([]any{"response", "cookies"}).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(cookies)) {
		k := http.Cookie{Name: name, Value: definition.Text(cookies[name]), Path: "/", Secure: true, HttpOnly: true}
		a.header.Add("Set-Cookie", k.String())
	}
	return a
}

// speak writes a body in the form that a definition names.
func (a *answer) speak(how definition.Reading, body any) (err error) {
	switch how.Parse {
	case definition.ParseForm:
		a.set("Content-Type", "application/x-www-form-urlencoded")
		a.body = formText(body)
	case definition.ParseXML:
		a.set("Content-Type", "application/xml")
		a.body, err = xmlText(body)
	case definition.ParseText:
		a.set("Content-Type", "text/plain; charset=utf-8")
		a.body = []byte(plainText(body))
	case definition.ParseJSONP:
		a.set("Content-Type", "application/javascript")
		a.body, err = json.Marshal(body)
		a.body = []byte("callback( " + string(a.body) + " );\n")
	case definition.ParseJWT:
		a.set("Content-Type", "application/jwt")
		a.body, err = signed("RS256", "", body)
	default:
		a.set("Content-Type", "application/json")
		a.body, err = json.Marshal(body)
	}
	return err
}

// plainText is a body that is one text; an error has nothing but its words to be told by.
func plainText(body any) string {
	m, ok := body.(map[string]any)
	if !ok {
		return definition.Text(body)
	}
	return strings.TrimSpace(definition.Text(m["error"]) + " " + definition.Text(m["error_description"]))
}

func formText(body any) []byte {
	form := url.Values{}
	m, _ := body.(map[string]any)
	for name, v := range m {
		if list, isList := v.([]any); isList && len(list) > 0 {
			v = list[0] // a form knows no lists that all read alike
		}
		form.Set(name, definition.Text(v))
	}
	return []byte(form.Encode())
}

// xmlText writes what a definition reads of an XML answer: the one element that the body is, in the
// spelling of XML elements as maps. Members beside it that RFC 6749 would have there are left out.
func xmlText(body any) ([]byte, error) {
	m, _ := body.(map[string]any)
	var roots []string
	for name, v := range m {
		if _, deep := v.(map[string]any); deep {
			roots = append(roots, name)
		}
	}
	if len(roots) == 0 {
		m, roots = map[string]any{"answer": m}, []string{"answer"}
	}
	if len(roots) > 1 {
		slices.Sort(roots)
		return nil, fmt.Errorf("an XML document has one root, and the definition reads several: %s", strings.Join(roots, ", "))
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	writeElement(&b, roots[0], m[roots[0]])
	return b.Bytes(), nil
}

func writeElement(b *bytes.Buffer, name string, v any) {
	if list, ok := v.([]any); ok {
		for _, entry := range list {
			writeElement(b, name, entry)
		}
		return
	}
	m, isMap := v.(map[string]any)
	names := slices.Sorted(maps.Keys(m))
	b.WriteString("<" + name)
	for _, k := range names {
		if attribute, ok := strings.CutPrefix(k, "@"); ok {
			b.WriteString(" " + attribute + `="`)
			_ = xml.EscapeText(b, []byte(definition.Text(m[k]))) // a buffer takes everything
			b.WriteString(`"`)
		}
	}
	b.WriteString(">")
	if !isMap {
		_ = xml.EscapeText(b, []byte(definition.Text(v)))
	}
	for _, k := range names {
		switch {
		case k == "#text":
			_ = xml.EscapeText(b, []byte(definition.Text(m[k])))
		case !strings.HasPrefix(k, "@"):
			writeElement(b, k, m[k])
		}
	}
	b.WriteString("</" + name + ">")
}
