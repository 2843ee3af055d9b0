package e2e

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What a provider says is quoted as text, in the callback and from the token endpoint. (F01, F02)
func TestTheProvidersWordsAreNeverMarkup(t *testing.T) {
	t.Parallel()
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, "odd"+attack, attack)
	})
	source := fmt.Sprintf(`id: words
name: Words
hosts: ["%[1]s"]
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "https://%[1]s/authorize"}
    pkce: required
    token: {url: "https://%[1]s/token", client_auth: body}
`, p.Host)
	i := Serve(t, append(p.Settings(t), "DOWEL_CONNECTORS_DIR="+Definitions(t, map[string]string{"words": source}))...)
	app := map[string]any{"connector": "words", "name": "words", "client_id": "me", "client_secret": "hunter2-hunter2"}
	if status, b := i.Do(http.MethodPost, "/api/v1/apps", app); status != http.StatusCreated {
		t.Fatalf("app: %d %s", status, b)
	}
	for name, answer := range map[string]url.Values{
		"in the callback":         {"error": {"odd" + attack}, "error_description": {attack}, "error_uri": {"javascript:alert(1)"}},
		"from the token endpoint": {"code": {"abc" + attack}},
	} {
		b := NewBrowser(t)
		u, err := url.Parse(b.Press(i.Ticket(t, "somebody", "words"), "", nil).URL)
		if err != nil {
			t.Fatal(err)
		}
		answer.Set("state", u.Query().Get("state"))
		page := b.Follow(i.URL + "/callback?" + answer.Encode())
		csp := page.Header.Get("Content-Security-Policy")
		if strings.Contains(page.Body, "<script>alert") || strings.Contains(page.Body, "<img src=x") || strings.Contains(page.Body, "javascript:") {
			t.Errorf("%s: the words are markup:\n%s", name, page.Body)
		}
		if !strings.Contains(page.Body, html.EscapeString("<script>alert(1)</script>")) {
			t.Errorf("%s: the words are not quoted:\n%s", name, page.Body)
		}
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || page.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: the policy is %q", name, csp)
		}
	}
	if n := len(p.Requests()); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
}
