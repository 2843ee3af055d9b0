package ui

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryFailureHasItsOwnTitleCauseAndFix(t *testing.T) {
	u := newUI(t)
	unknown := u.Failure(Failed{Code: "never-heard-of"}, "Zendesk", "Acme")
	for _, code := range FailureCodes() {
		got := u.Failure(Failed{Code: code, Status: 401}, "Zendesk", "Acme")
		if got.Title == "" || got.Cause == "" || got.Fix == "" {
			t.Errorf("%s: %+v", code, got)
		}
		if code != "server-error" && got.Title == unknown.Title {
			t.Errorf("%s has the words of an unknown failure", code)
		}
		if strings.ContainsAny(got.Title+got.Cause+got.Fix, "{}") {
			t.Errorf("%s: a name is not filled in: %+v", code, got)
		}
	}
	if unknown.Title == "" || unknown.Code != "never-heard-of" {
		t.Errorf("unknown failure: %+v", unknown)
	}
}

func TestTheDefinitionsExplanationStandsInPlaceOfOurs(t *testing.T) {
	u := newUI(t)
	got := u.Failure(Failed{Code: "provider-error", Cause: "Suspended.", Fix: "Pay."}, "Zendesk", "")
	if got.Cause != "Suspended." || got.Fix != "Pay." || got.Title == "" {
		t.Errorf("Failure = %+v", got)
	}
}

func TestOperatorsAndEndUsersAreToldDifferentThings(t *testing.T) {
	u := newUI(t)
	for _, code := range []string{"redirect-uri-mismatch", "app-misconfigured", "app-missing", "server-unknown", "callback-unverified"} {
		person := u.Failure(Failed{Code: code}, "Zendesk", "Acme")
		operator := u.Failure(Failed{Code: code, ForAdmin: true}, "Zendesk", "Acme")
		if person.Cause == operator.Cause || person.Fix == operator.Fix {
			t.Errorf("%s: the same for both: %+v", code, person)
		}
	}
}

func TestAFailureAtAFieldQuotesTheProvider(t *testing.T) {
	u := newUI(t)
	f := Failed{Code: "invalid-key"}
	plain := u.AtField(f, "Stripe", "Acme")
	f.Words = "This key was rolled."
	if got := u.AtField(f, "Stripe", "Acme"); plain == "" || got != plain+" Stripe says: “This key was rolled.”" {
		t.Errorf("AtField = %q", got)
	}
}

func TestProvidersWordsAreQuotedAsText(t *testing.T) {
	u := newUI(t)
	html := render(t, u, failureStory("denied", false))
	if strings.Contains(html, "<b>denied</b>") || !strings.Contains(html, "&lt;b&gt;denied&lt;/b&gt;") {
		t.Error("the provider's markup is markup on our page")
	}
}

func TestProgressSaysTheSameAsThePage(t *testing.T) {
	u := newUI(t)
	for _, s := range append(resultStories(), failureStories()...) {
		page := s.Page.(ResultPage)
		html := render(t, u, page)
		got := u.Progress(page)
		for _, part := range append([]string{got.Title, got.Fix, got.Reference}, got.Warnings...) {
			if !strings.Contains(html, escaped(part)) {
				t.Errorf("%s: the page does not say %q", s.Name, part)
			}
		}
		if (got.Status == "failed") != (page.Failed != nil) {
			t.Errorf("%s: status %q", s.Name, got.Status)
		}
	}
}

func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "'", "&#39;", `"`, "&#34;", "<", "&lt;").Replace(s)
}

func TestStatusLineSaysWhyOrWhatComesNext(t *testing.T) {
	u := newUI(t)
	in := func(d time.Duration) time.Time { return storyTime.Add(d) }
	tests := []struct {
		name      string
		row       ConnectionRow
		wantLine  string
		wantHints []string
	}{
		{"renewed", ConnectionRow{Status: "active", Renews: true, ExpiresAt: in(6 * 24 * time.Hour)}, "Expires in 6 days — renewed automatically", nil},
		{"not renewed", ConnectionRow{Status: "active", ExpiresAt: in(6 * 24 * time.Hour)}, "Expires in 6 days — you will need to sign in again", []string{"expiring_soon"}},
		{"not renewed, far off", ConnectionRow{Status: "active", ExpiresAt: in(60 * 24 * time.Hour)}, "Expires in 60 days — you will need to sign in again", nil},
		{"refresh token ends", ConnectionRow{Status: "active", Renews: true, ExpiresAt: in(time.Hour), EndsAt: in(24 * time.Hour)}, "Expires in 1 hour — renewed automatically", []string{"expiring_soon"}},
		{"failing", ConnectionRow{Status: "active", Renews: true, Failures: 2, LastError: "503 from provider", ExpiresAt: in(time.Hour)}, "We'll keep trying; last error: 503 from provider", []string{"failing"}},
		{"static", ConnectionRow{Status: "active", Unverified: true}, "Does not expire.", []string{"unverified"}},
		{"refused", ConnectionRow{Status: "needs_reauth", Reason: "invalid_grant", Tile: slack}, "Access was removed or has run out at Slack. Reconnect to continue.", nil},
		{"refused for a reason of its own", ConnectionRow{Status: "needs_reauth", Reason: "account_inactive", Tile: slack}, "Slack says: account inactive. Reconnect to continue.", nil},
		{"hints are for what works", ConnectionRow{Status: "disabled", Failures: 3, Unverified: true}, "Switched off by an operator. The credential is kept; no token is handed out.", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := u.statusView(tt.row, storyTime)
			var hints []string
			for _, h := range got.Hints {
				hints = append(hints, h.Code)
			}
			if got.Line != tt.wantLine {
				t.Errorf("line %q, want %q", got.Line, tt.wantLine)
			}
			if diff := cmp.Diff(tt.wantHints, hints); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTilesCanBeRead(t *testing.T) {
	for _, tile := range []Tile{{Name: "A", Color: "#ffffff"}, {Name: "B", Color: "#000000"}, {Name: "C", Color: "#FFCC4D"}, {Name: "D", Color: "url(x)"}, {Name: "Ünïcode"}, {Name: "日本 語"}, {}} {
		m := monogramOf(tile)
		if c := contrast(m.Fill, m.Ink); c < 3 {
			t.Errorf("%+v: contrast %.1f of %+v", tile, c, m)
		}
		if m.Letters == "" || !hexColor.MatchString(m.Fill) {
			t.Errorf("%+v: %+v", tile, m)
		}
	}
	for i := range 500 {
		if m := monogramOf(Tile{Name: strings.Repeat("x", i)}); contrast(m.Fill, m.Ink) < 3 {
			t.Errorf("made colour %+v cannot be read", m)
		}
	}
}

func TestEveryTextIsUsed(t *testing.T) {
	u := newUI(t)
	var source bytes.Buffer
	for _, dir := range []string{".", "templates", "templates/pages", "templates/partials"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			content, err := os.ReadFile(dir + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			source.Write(content)
		}
	}
	// Keys that are put together from a code or a name.
	made := regexp.MustCompile(`^(failure|status|hint|line|reason|event|fact|kind|group|category|notice|login|error|verified|client_auth|scope|span|sort|sent|link)\.`)
	for key := range u.texts {
		name := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		if !made.MatchString(key) && !strings.Contains(source.String(), `"`+name+`"`) {
			t.Errorf("text %q is not used", key)
		}
	}
}

func TestRenderWritesNothingWhenItFails(t *testing.T) {
	u := newUI(t)
	delete(u.texts, "connect.button")
	var buf bytes.Buffer
	if err := u.Render(&buf, zendeskPage()); err == nil || buf.Len() > 0 {
		t.Errorf("Render: error %v after %d bytes, want an error and none", err, buf.Len())
	}
}
