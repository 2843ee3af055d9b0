package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dowel/engine/identity"
)

var listedItem = regexp.MustCompile(`<li data-text="[^"]*"([^>]*)><a class="(?:connector|offer)" href="[^"]*[/=]([a-z0-9_-]+)"`)

// listed are the connectors that a list shows, in order; what its search leaves out is hidden.
func (p page) listed() []string {
	var out []string
	for _, m := range listedItem.FindAllStringSubmatch(p.body, -1) {
		if !strings.Contains(m[1], " hidden") {
			out = append(out, m[2])
		}
	}
	return out
}

func TestTheGalleryShowsWhatItsAddressSays(t *testing.T) {
	h := newHouse(t)
	h.connected() // at google
	op := h.signIn()
	all := len(h.catalog.Shared())
	for _, tt := range []struct {
		name, query string
		want        []string
	}{
		{"by name", "q=zen", []string{"zendesk"}},
		{"by id, whatever the case", "q=ACME-login", []string{"acme-login"}},
		{"by category, in our words and the file's", "q=crm+sales", []string{"salesforce"}},
		{"every word counts", "q=hub+developer", []string{"github"}},
		{"a name that begins with it first", "q=h", nil},
		{"category", "category=crm", []string{"hubspot", "salesforce"}},
		{"any of several categories", "category=productivity&q=micro", []string{"microsoft"}},
		{"kind", "kind=custom&q=acme", []string{"acme-login"}},
		{"a kind for programs is its group", "kind=oauth2_client_credentials&q=micro", []string{"microsoft"}},
		{"all together", "q=s&kind=bearer&category=payments&signin=yes", []string{"stripe"}},
		{"nothing", "q=fax", nil},
		{"a kind there is none of", "kind=smoke-signals", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := op.get("/console/connectors?" + tt.query).want(http.StatusOK).listed()
			if tt.query == "q=h" {
				if len(got) < 3 || got[0] != "hubspot" || !slices.Contains(got, "github") {
					t.Errorf("%s shows %v", tt.query, got)
				}
				return
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s shows %v, want %v", tt.query, got, tt.want)
			}
		})
	}
	if got := op.get("/console/connectors").listed(); len(got) != all {
		t.Errorf("%d of %d connectors without a filter", len(got), all)
	}
	if got := op.get("/console/connectors?sort=used").listed(); got[0] != "google" {
		t.Errorf("most connections first begins with %v", got[:3])
	}
	op.get("/console/connectors?q=fax").want(http.StatusOK, "No connector matches")
	op.get("/console/connectors?q=a&q=b").want(http.StatusBadRequest)
}

func TestTheSignInBadgeIsForThoseWhoSayWhoThePersonIs(t *testing.T) {
	h := newHouse(t)
	got := h.signIn().get("/console/connectors?signin=yes").listed()
	for _, k := range h.catalog.Shared() {
		if slices.Contains(got, k.ID) != k.SignsIn() {
			t.Errorf("%s is shown: %v", k.ID, !k.SignsIn())
		}
	}
	if len(got) == 0 {
		t.Error("none is shown")
	}
}

func TestAConnectorIsShownWhole(t *testing.T) {
	h := newHouse(t)
	op := h.signIn()
	for _, k := range h.catalog.Shared() {
		at := "/console/connectors/" + k.ID
		op.get(at).want(http.StatusOK, k.Name, k.Version, "How far this is checked", "Where credentials may go")
		requests := op.get(at+"/requests").want(http.StatusOK, k.Name)
		if strings.Contains(requests.body, canary) {
			t.Errorf("%s: the requests show a secret", k.ID)
		}
		written := op.get(at+"/definition").want(http.StatusOK, k.File)
		if n := strings.Count(written.body, `<li id="L`); n != strings.Count(strings.TrimRight(string(k.Source), "\n"), "\n")+1 {
			t.Errorf("%s: %d lines are shown", k.ID, n)
		}
	}
	op.get("/console/connectors/google/requests").want(http.StatusOK, "[client_secret]", "[code_verifier]", "https://oauth2.googleapis.com/token")
	op.get("/console/connectors/slack/definition").want(http.StatusOK, "slack.yaml:26:11", "pkce-off", "Two lists of scopes")
	for _, page := range []string{"", "/requests", "/definition"} {
		op.get("/console/connectors/nothing" + page).want(http.StatusNotFound)
		h.browser().get("/console/connectors/google" + page).want(http.StatusUnauthorized)
	}
}

func TestATenantsOwnConnectorIsInItsGallery(t *testing.T) {
	h := newHouse(t)
	own := "id: our-erp\nname: Our ERP\nextends: zendesk\ncategories: [in-house]\nverified: {level: simulated}\n"
	_, findings, err := h.engine.Connectors.Add(t.Context(), h.operator, "our-erp.yaml", []byte(own), true)
	if err != nil {
		t.Fatal(err, findings)
	}
	op := h.signIn()
	if got := op.get("/console/connectors?category=in-house").want(http.StatusOK, "Our ERP", "Your own", "In house (1)").listed(); !slices.Equal(got, []string{"our-erp"}) {
		t.Errorf("in-house shows %v", got)
	}
	op.get("/console/connectors/our-erp").want(http.StatusOK, "Our ERP", "Your own", "Against the simulator only.")
	op.get("/console/connectors/our-erp/requests").want(http.StatusOK, "https://acme.zendesk.com/oauth/tokens")
	op.get("/console/connectors/our-erp/definition").want(http.StatusOK, "in-house", ".zendesk.com")
}

func TestTryingAConnectorGoesItsOwnWay(t *testing.T) {
	h := newHouse(t)
	op, at := h.signIn(), "/console/connectors/zendesk"
	op.get(at).want(http.StatusOK, "Try it", "Zendesk is simulated here")
	form := url.Values{"end_user": {"olga"}, "method": {"api_token"}}
	path := op.press(at, at+"/connect", form).want(http.StatusSeeOther).header.Get("Location")
	shown := op.get(path).want(http.StatusOK, "API token")
	if !regexp.MustCompile(`id="method-api_token"[^>]* checked`).MatchString(shown.body) {
		t.Errorf("%s does not choose the method", path)
	}
	form.Set("method", "telepathy")
	op.press(at, at+"/connect", form).want(http.StatusBadRequest)
}

func TestThePickerSaysHowOneConnects(t *testing.T) {
	h := newHouse(t)
	path := h.session(identity.SessionInput{})
	p := h.browser().get(path).want(http.StatusOK, "Zendesk sign-in, API token", "Any category")
	if got := p.listed(); !slices.Contains(got, "zendesk") || len(got) != len(h.catalog.Shared()) {
		t.Errorf("offered: %v", got)
	}
	if got := h.browser().get(h.session(identity.SessionInput{})+"?category=crm").want(http.StatusOK, "2 of").listed(); !slices.Equal(got, []string{"hubspot", "salesforce"}) {
		t.Errorf("category crm offers %v", got)
	}
}
