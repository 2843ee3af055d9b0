package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"dowel/engine/definition"
)

// What can be wrong with an answer in one of the rarer forms.
var (
	errNotXML  = errors.New("the answer is not XML")
	errDoctype = errors.New("the answer's XML has a document type, which could make it mean anything")
	errNotJWT  = errors.New("the answer is not a JWT")
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// parse turns the body of an answer into a value, in the form that the definition says. Providers that
// answer in a form of their own often write their errors as JSON all the same: what is plainly not of
// that form is read as usual.
func parse(how definition.Reading, body []byte) (any, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), byteOrderMark))
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte(how.StripPrefix)))
	switch {
	case len(body) == 0:
		return nil, nil
	case !utf8.Valid(body):
		return nil, errNotUTF8
	case how.Parse == definition.ParseXML && body[0] == '<':
		return decodeXML(body)
	case isPage(body, how.Parse):
		return nil, errPage
	}
	switch how.Parse {
	case definition.ParseJSON:
		return decodeJSON(body)
	case definition.ParseForm:
		return decodeForm(string(body))
	case definition.ParseText:
		return string(body), nil
	case definition.ParseJSONP:
		if m := functionCall.FindSubmatch(body); m != nil {
			return decodeJSON(m[1])
		}
	case definition.ParseJWT:
		if body[0] != '{' {
			return decodeJWT(string(body))
		}
	}
	return parseUsual(body)
}

// parseUsual reads JSON whatever its declared type, else a form (RFC 6749 leaves no choice, but some
// providers answer so).
func parseUsual(body []byte) (any, error) {
	if body[0] == '{' || body[0] == '[' || body[0] == '"' {
		return decodeJSON(body)
	}
	return decodeForm(string(body))
}

// isPage reports whether a body is a page for people, which providers' front doors answer with.
func isPage(body []byte, how string) bool {
	if how != definition.ParseText {
		return body[0] == '<'
	}
	start := strings.ToLower(string(body[:min(len(body), 14)]))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

// functionCall finds the argument of a call such as callback({…});
var functionCall = regexp.MustCompile(`(?s)^[A-Za-z_$][A-Za-z0-9_$.]*\s*\((.*)\)\s*;?$`)

// decodeJWT reads the claims of a JWT in compact form (RFC 7519 §3). Who signed it is not looked at.
func decodeJWT(s string) (any, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil, errNotJWT
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, errNotJWT
	}
	claims, err := decodeJSON(payload)
	if err != nil {
		return nil, err
	}
	if _, ok := claims.(map[string]any); !ok {
		return nil, errNotJWT
	}
	return claims, nil
}

// decodeXML reads a document into nested maps: an element by its local name, one with attributes or
// elements as a map with @name for an attribute and #text for its own text, any other as its text, and
// repeated ones as a list. Namespaces are not looked at. A document type is refused: entities could let
// a small answer mean a large one.
func decodeXML(b []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(b)) //nolint:gosec // token by token, into text and maps of it
	var root map[string]any
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && root != nil:
			return root, nil
		case err != nil:
			return nil, errNotXML // its own text quotes the body
		}
		switch t := t.(type) {
		case xml.Directive:
			if bytes.HasPrefix(bytes.ToLower(t), []byte("doctype html")) {
				return nil, errPage
			}
			return nil, errDoctype
		case xml.StartElement:
			switch {
			case strings.EqualFold(t.Name.Local, "html"):
				return nil, errPage
			case root != nil:
				return nil, errTrailing
			}
			v, err := decodeElement(d, t, 1)
			if err != nil {
				return nil, err
			}
			root = map[string]any{t.Name.Local: v}
		}
	}
}

func decodeElement(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	out := map[string]any{}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			out["@"+a.Name.Local] = a.Value
		}
	}
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return nil, errNotXML
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.Directive:
			return nil, errDoctype
		case xml.StartElement:
			v, err := decodeElement(d, t, depth+1)
			if err != nil {
				return nil, err
			}
			addElement(out, t.Name.Local, v)
		case xml.EndElement:
			own := strings.TrimSpace(text.String())
			if len(out) == 0 {
				return own, nil
			}
			if own != "" {
				out["#text"] = own
			}
			return out, nil
		}
	}
}

// addElement puts an element among its siblings; of one name there may be several.
func addElement(into map[string]any, name string, v any) {
	switch before := into[name].(type) {
	case nil:
		into[name] = v
	case []any: // elements are texts or maps, so a list is one of ours
		into[name] = append(before, v)
	default:
		into[name] = []any{before, v}
	}
}
