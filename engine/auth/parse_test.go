package auth

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/definition"
	"dowel/engine/egress"
)

func TestParse(t *testing.T) {
	type m = map[string]any
	jwt := "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwMTIzNDU2Nzg5MCIsIm4iOjkwMDcxOTkyNTQ3NDA5OTN9." // {"sub":"12345678901234567890","n":9007199254740993}
	for _, tt := range []struct {
		name, how, prefix, body string
		want                    any
		err                     error
	}{
		{"a prefix before JSON", "auto", "&&&START&&&", "&&&START&&&{\"a\":1}", m{"a": 1}, nil},
		{"a prefix that is not there", "json", "&&&START&&&", `{"error":"x"}`, m{"error": "x"}, nil},
		{"a prefix and nothing else", "json", "OK", " OK\n", nil, nil},
		{"a prefix twice", "json", "x", `xx{}`, nil, errNotJSON},
		{"a number", "json", "", "7", 7, nil},
		{"a form where JSON is meant", "json", "", "a=1", nil, errNotJSON},
		{"JSON where a form is meant", "form", "", `{"a=":"b"}`, m{`{"a`: `":"b"}`}, nil},
		{"a form", "form", "", "a=%7B&b=", m{"a": "{", "b": ""}, nil},
		{"a text", "text", "", " sid-123 \n", "sid-123", nil},
		{"a text like XML", "text", "", "<sid>1</sid>", "<sid>1</sid>", nil},
		{"a page instead of a text", "text", "", "<!DOCTYPE html><p>Sorry", nil, errPage},
		{"a short page instead of a text", "text", "", "<html>", nil, errPage},
		{"a page instead of JSON", "json", "", "<p>", nil, errPage},

		{"a function call", "jsonp", "", "callback( {\"openid\":\"x)\"} );\n", m{"openid": "x)"}, nil},
		{"a dotted function", "jsonp", "", "$.a.b([1])", []any{1}, nil},
		{"no call but a form", "jsonp", "", "access_token=x&expires_in=7", m{"access_token": "x", "expires_in": "7"}, nil},
		{"a call with two arguments", "jsonp", "", `f({},{})`, nil, errTrailing},
		{"a call of nothing", "jsonp", "", "f()", nil, errNotJSON},

		{"a JWT", "jwt", "", jwt, m{"sub": "12345678901234567890", "n": 9007199254740993}, nil},
		{"an error instead of a JWT", "jwt", "", `{"error":"x"}`, m{"error": "x"}, nil},
		{"half a JWT", "jwt", "", "e30.e30", nil, errNotJWT},
		{"a JWT of a list", "jwt", "", "e30.W10.", nil, errNotJWT},
		{"a JWT with a claim twice", "jwt", "", "e30.eyJhIjoxLCJhIjoyfQ.", nil, errDuplicate},
		{"a JWT that is not base64url", "jwt", "", "e30.{}.x", nil, errNotJWT},

		{"an element", "xml", "", "<a>x &amp; y</a>", m{"a": "x & y"}, nil},
		{"an empty element", "xml", "", "<a/>", m{"a": ""}, nil},
		{"after the XML declaration", "xml", "", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hi -->\n<a>x</a>\n", m{"a": "x"}, nil},
		{
			"attributes, text, repetition", "xml", "", `<r xmlns="urn:x" xmlns:s="urn:y"><s:e n="1">one</s:e><e>two</e><e><f/></e><g> </g></r>`,
			m{"r": m{"e": []any{m{"@n": "1", "#text": "one"}, "two", m{"f": ""}}, "g": ""}},
			nil,
		},
		{"CDATA", "xml", "", "<a><![CDATA[<b>]]></a>", m{"a": "<b>"}, nil},
		{"JSON where XML is meant", "xml", "", `{"error":"x"}`, m{"error": "x"}, nil},
		{"a page instead of XML", "xml", "", "<!DOCTYPE html><html><p></html>", nil, errPage},
		{"a page that is XML", "xml", "", "<html></html>", nil, errPage},
		{"two roots", "xml", "", "<a/><b/>", nil, errTrailing},
		{"no end", "xml", "", "<a>", nil, errNotXML},
		{"no root", "xml", "", "<!-- hi -->", nil, errNotXML},
		{"another encoding", "xml", "", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, nil, errNotXML},
		{"an entity of its own", "xml", "", `<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`, nil, errDoctype},
		{"an entity from elsewhere", "xml", "", `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>`, nil, errDoctype},
		{"an unknown entity", "xml", "", `<a>&e;</a>`, nil, errNotXML},
		{"too deep", "xml", "", strings.Repeat("<a>", 200_000), nil, errDeep},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(definition.Reading{Parse: tt.how, StripPrefix: tt.prefix}, []byte(tt.body))
			if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Fatalf("parse(%s, %.60q): %v, want %v", tt.how, tt.body, err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("parse(%s, %.60q) (-want +got):\n%s", tt.how, tt.body, diff)
			}
		})
	}
}

func TestCookiesOfAnAnswer(t *testing.T) {
	a := response{Response: &egress.Response{Header: http.Header{"Set-Cookie": {
		"B1SESSION=abc; Path=/; HttpOnly; Expires=Wed, 21 Oct 2037 07:28:00 GMT", `quoted="a b"`, "gone=; Max-Age=0", "gone2=x; max-age=-1", "B1SESSION=newer",
	}}}}
	want := map[string]any{"B1SESSION": "newer", "quoted": "a b"}
	if diff := cmp.Diff(want, a.env()["cookies"]); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, body := range []string{`{"a":1}`, "a=b", "<a n='1'><b/>x<b>y</b></a>", "f({})", "e30.e30.x", "&&&START&&&{}"} {
		f.Add("auto", "", body)
		f.Add("xml", "&&&", body)
		f.Add("jsonp", "", body)
		f.Add("jwt", "", body)
	}
	f.Fuzz(func(t *testing.T, how, prefix, body string) {
		v, err := parse(definition.Reading{Parse: how, StripPrefix: prefix}, []byte(body))
		if err != nil && v != nil {
			t.Errorf("parse(%q, %q, %q) = %v and %v", how, prefix, body, v, err)
		}
		if err != nil && len(body) > 20 && strings.Contains(err.Error(), body[:20]) {
			t.Errorf("the error quotes the answer: %v", err)
		}
	})
}
