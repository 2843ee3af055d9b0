package ui

import (
	"strings"
	"testing"
)

// marked writes pieces with their classes.
func marked(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Class == "" {
			b.WriteString(p.Text)
			continue
		}
		b.WriteString("<" + p.Class + " " + p.Text + ">")
	}
	return b.String()
}

func TestLinesOfADefinition(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{`id: zendesk`, `<key id>: zendesk`},
		{`  - id: oauth # the usual`, `  - <key id>: oauth <comment # the usual>`},
		{`# all of it`, `<comment # all of it>`},
		{`color: "#03363d"`, `<key color>: "#03363d"`},
		{`color: '#03363d' # its own`, `<key color>: '#03363d' <comment # its own>`},
		{`fix: The secret's value, not its ID. # why`, `<key fix>: The secret's value, not its ID. <comment # why>`},
		{`help: "say \\" # no"`, `<key help>: "say \\" <comment # no">`},
		{`help: "say \" # no"`, `<key help>: "say \" # no"`},
		{`url: https://a.example/#part`, `<key url>: https://a.example/#part`},
		{`"id": "zendesk",`, `<key "id">: "zendesk",`},
		{`auth:`, `<key auth>:`},
		{`- openid`, `- openid`},
		{``, ``},
	} {
		if got := marked(yamlPieces(tt.line)); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

func TestFindingsStandAtTheirLines(t *testing.T) {
	findings := []Finding{{Line: 2, Level: "warning"}, {Line: 2, Level: "error"}, {Line: 3, Level: "warning"}}
	var got []string
	for _, l := range sourceLines("id: a\r\nname: b\r\ncolor: c\r\n", findings) {
		got = append(got, l.Level())
		if strings.Contains(marked(l.Pieces), "\r") {
			t.Errorf("line %d ends with a carriage return", l.Number)
		}
	}
	if strings.Join(got, ",") != ",error,warning" {
		t.Errorf("levels %q", got)
	}
}

func TestNamesInBracketsStandOut(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"Bearer [access_token]", "Bearer <slot [access_token]>"},
		{`{"scopes":["read"],"code":"[code]"}`, `{"scopes":["read"],"code":"<slot [code]>"}`},
		{"[1]", "[1]"},
		{"", ""},
	} {
		if got := marked(slots(tt.text)); got != tt.want {
			t.Errorf("slots(%s) = %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestRequestsSayWhatTheyAreFor(t *testing.T) {
	u := newUI(t)
	for _, tt := range []struct {
		title string
		want  purpose
	}{
		{"token", purpose{"Token", "", u.texts["sent.token.about"]}},
		{"authorize (in the browser)", purpose{"Authorize", "(in the browser)", u.texts["sent.authorize.about"]}},
		{"login step open", purpose{"Login", "step open", u.texts["sent.login.about"]}},
		{"identity, emails", purpose{"Identity", "emails", u.texts["sent.identity.about"]}},
		{"wave at the provider", purpose{Title: "Wave at the provider"}},
	} {
		if got := u.purposeOf(tt.title); got != tt.want {
			t.Errorf("purposeOf(%q) = %+v, want %+v", tt.title, got, tt.want)
		}
	}
}
