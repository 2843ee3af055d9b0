package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"dowel/engine/e2e"
)

// listed are the names in the list of connectors that one sees, in order.
func (w *window) listed() []string {
	w.t.Helper()
	return evaluate[[]string](w, `[...document.querySelectorAll("#found li")].filter((e) => e.checkVisibility())
  .map((e) => e.querySelector(".row-name, .offer-name").textContent)`)
}

// atGallery is an operator at the connectors.
func (h *house) atGallery() *window {
	h.t.Helper()
	w := h.operator()
	w.open(h.URL + "/console/connectors")
	w.see(h.of(h.catalogue()))
	w.do("mark the page", script("window.mark = 1"))
	return w
}

// few are three connectors in a category of their own, among all that Dowel ships.
func few() map[string]string {
	sources := map[string]string{}
	for id, name := range map[string]string{"made-zebra": "Zebra Desk", "made-zebu": "Zebu Farm"} {
		sources[id] = fmt.Sprintf(made, id, name)
	}
	sources["made-zorilla"] = madeOAuth
	return sources
}

// houseWithFew is a house that has them too.
func houseWithFew(t *testing.T) *house {
	t.Helper()
	return newHouseWith(t, []string{"DOWEL_CONNECTORS_DIR=" + e2e.Definitions(t, few())})
}

func TestTheGalleryFollowsWhatOneTypesAndChooses(t *testing.T) {
	t.Parallel()
	h := houseWithFew(t)
	all := h.of(h.catalogue())
	w := h.atGallery()

	w.fill("Search", "ze")
	w.typeText("br")
	w.see(h.of(1))
	w.at("?q=zebr")
	if got := w.listed(); !slices.Equal(got, []string{"Zebra Desk"}) {
		t.Errorf("zebr shows %v", got)
	}
	w.back() // what was typed is one step
	w.see(all)
	if at := w.address(); strings.Contains(at, "?") || evaluate[string](w, "document.getElementById('q').value") != "" {
		t.Errorf("back leads to %s", at)
	}
	w.choose("Category", "made-up")
	w.see(h.of(3))
	w.at("?category=made-up")
	w.press("Custom Input")
	w.see(h.of(0), "No connector matches")
	w.at("?category=made-up&kind=custom")
	w.back()
	w.see(h.of(3), "Zebra Desk", "Zebu Farm", "Zorilla")
	if !evaluate[bool](w, "document.getElementById('kind-any').checked") {
		t.Error("back leaves the kind chosen")
	}
	w.press("Clear")
	w.see(all)
	if evaluate[int](w, "window.mark") != 1 {
		t.Error("the page was loaded again")
	}

	w.choose("Category", "made-up")
	w.see(h.of(3))
	w.press("Zebra Desk")
	w.at("/console/connectors/made-zebra")
	w.see("How far this is checked")
	w.back()
	w.see(h.of(3))
	w.at("?category=made-up")
}

// What the script makes of a list is what the server makes of its address.
func TestAnAddressShowsTheSameAsTheScript(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Connect(t, "stripe", "", "user-1", map[string]string{"secret_key": "sk_test_1"})
	w := h.operatorWithConnections()
	w.open(h.URL + "/console/connectors")
	for _, tt := range []struct {
		query, kind, sort string
		signin            bool
	}{
		{query: "h"},
		{query: " Developer  hub "},
		{query: "s", sort: "used"},
		{sort: "verified"},
		{kind: "oauth", sort: "verified"},
		{query: "e", kind: "api_key"},
		{signin: true, query: "a"},
		{query: "fax"},
	} {
		name := fmt.Sprintf("%+v", tt)
		w.do("fill in "+name, script(fmt.Sprintf(`
document.getElementById("q").value = %q;
document.getElementById("sort").value = %q;
document.getElementById("kind-%s").checked = true;
document.getElementById("signin").checked = %v;
document.getElementById("q").dispatchEvent(new Event("input", { bubbles: true }));`, tt.query, tt.sort, kindOr(tt.kind), tt.signin)))
		live, counted := w.listed(), evaluate[string](w, "document.getElementById('count').innerText")
		w.open(w.address())
		if loaded := w.listed(); !slices.Equal(live, loaded) {
			t.Errorf("%s: the script shows %v, its address %v", name, live, loaded)
		}
		if now := evaluate[string](w, "document.getElementById('count').innerText"); now != counted {
			t.Errorf("%s: the script counts %s, the server %s", name, counted, now)
		}
	}
}

func kindOr(kind string) string {
	if kind == "" {
		return "any"
	}
	return kind
}

func TestTheGalleryWithoutScript(t *testing.T) {
	t.Parallel()
	h := houseWithFew(t)
	w := h.operator()
	w.withoutScript()
	w.open(h.URL + "/console/connectors")
	w.fill("Search", "made up")
	w.press("OAuth")
	w.press("Apply")
	w.see(h.of(1), "Zorilla")
	w.at("q=made+up")
	w.at("kind=oauth")
	w.press("Clear")
	w.see(h.of(h.catalogue()))
	w.fill("Search", "fax")
	w.press("Apply")
	w.see("No connector matches")
}

func TestTheGalleryByKeyboard(t *testing.T) {
	t.Parallel()
	h := houseWithFew(t)
	w := h.atGallery()
	names := w.listed()
	// The list is one stop of Tab, and arrows lead through it as it is seen: by columns and rows.
	w.tabTo(names[0])
	columns := evaluate[int](w, `getComputedStyle(document.getElementById("found")).gridTemplateColumns.split(" ").length`)
	for _, step := range []struct {
		key string
		to  int
	}{{kb.ArrowRight, 1}, {kb.ArrowDown, 1 + columns}, {kb.ArrowLeft, columns}, {kb.ArrowUp, 0}, {kb.End, len(names) - 1}, {kb.Home, 0}} {
		w.keys(step.key)
		if f := w.focused(); !strings.Contains(f, names[step.to]) {
			t.Errorf("the key leads to %q, want %s", f, names[step.to])
		}
	}
	w.keys(kb.Tab)
	if f := w.focused(); strings.HasPrefix(f, "a ") && slices.ContainsFunc(names[1:], func(n string) bool { return strings.Contains(f, n) }) {
		t.Errorf("Tab stays in the list, at %q", f)
	}
	w.tabTo(names[0])
	w.keys(kb.ArrowUp)
	if f := w.focused(); !strings.HasPrefix(f, "input") {
		t.Errorf("up from the first row leads to %q", f)
	}
	w.typeText("zori")
	w.see(h.of(1))
	w.keys(kb.Enter)
	if f := w.focused(); !strings.Contains(f, "Zorilla") {
		t.Errorf("Enter leads to %q", f)
	}
	w.keys(kb.Enter)
	w.see("How far this is checked")
}

// made is a definition like most of a large catalogue.
const made = `id: %[1]s
name: "%[2]s"
description: "Records, tasks and people of an account in one place."
categories: [made-up]
hosts: [api.example.com]
auth:
  - id: key
    kind: api_key
    label: API key
    fields: {api_key: {label: API key, type: password}}
    apply: {headers: {X-Api-Key: "${fields.api_key}"}}
api: {base_url: https://api.example.com}
test: {get: /me}
identity: none
`

const madeOAuth = `id: made-zorilla
name: Zorilla
description: "Records, tasks and people of an account in one place."
categories: [made-up]
hosts: [api.example.com]
auth:
  - id: account
    kind: oauth2_client_credentials
    label: Zorilla account
    token: {url: https://api.example.com/token, client_auth: header}
api: {base_url: https://api.example.com}
test: {get: /me}
identity: none
`

func TestFiveHundredConnectorsAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	sources := map[string]string{}
	for i := range 480 {
		id := fmt.Sprintf("made-%03d", i)
		sources[id] = fmt.Sprintf(made, id, fmt.Sprintf("Made up %03d", i))
	}
	h := newHouseWith(t, []string{"DOWEL_CONNECTORS_DIR=" + e2e.Definitions(t, sources)})
	w := h.atGallery()
	// One letter: the list is narrowed, put in order and drawn. A second is a slow machine's; it takes
	// some twenty milliseconds.
	if took := evaluate[float64](w, `(() => {
  const q = document.getElementById("q"), before = performance.now();
  q.value = "4";
  q.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.offsetHeight;
  return performance.now() - before;
})()`); took > 1000 {
		t.Errorf("a letter takes %.0f ms", took)
	}
	w.fill("Search", "made 477")
	w.see(h.of(1), "Made up 477")
	w.press("Clear")
	w.wide(320, 640)
	w.wantFits("a large gallery")

	w.wide(1280, 800)
	w.open(h.session(map[string]any{"end_user": "user-1"}))
	of := func(n int) string { return fmt.Sprintf("%d of %d", n, h.offered()) }
	w.see(of(h.offered()))
	w.choose("Category", "made-up")
	w.see(of(480), "Made up · API key")
	w.at("?category=made-up")
	w.fill("Search", "477")
	w.see(of(1))
	w.fill("Search", "478 fax")
	w.see(of(0), "Nothing matches")
	w.press("Clear")
	w.see(of(h.offered()))
	w.wide(320, 640)
	w.wantFits("a large picker")
	w.wide(1280, 800)
	w.fill("Search", "made-479")
	w.press("Made up 479")
	w.see("wants to connect to Made up 479")
}

func TestTryAConnectorInTheWayOneChooses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.operator()
	w.open(h.URL + "/console/connectors/zendesk")
	w.see("Zendesk is simulated here: you need no account")
	w.choose("Which way", "api_token")
	w.press("Try it")
	w.see("wants to connect to Zendesk")
	w.fill("Zendesk subdomain", "acme")
	w.fill("Your e-mail", "ana@example.com")
	w.fill("API token", "tok-1")
	w.press("Connect")
	w.at("/console/connections/conn_") // by itself
	w.see("Timeline", "API token")
	w.open(h.URL + "/console/connectors/zendesk")
	w.see("Connections 1", "All its connections")
}

func TestADefinitionIsReadWithWhatTheLinterSays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.operator()
	w.open(h.URL + "/console/connectors/slack")
	w.press("Requests")
	w.see("https://slack.com/oauth/v2/authorize", "[client_id]", "POST", "Revoke")
	w.press("Definition")
	w.see("What the linter says", "pkce-off", "Two lists of scopes")
	w.wide(1280, 400)
	w.press("slack.yaml:26:11")
	if !w.until(`document.querySelector("li:target")?.innerText.includes("pkce") && document.querySelector("li:target").getBoundingClientRect().bottom < innerHeight`) {
		w.fail("the finding does not lead to its line")
	}
}
