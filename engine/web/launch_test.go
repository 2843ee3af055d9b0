package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dowel/engine/connection"
	"dowel/engine/identity"
)

// shops is a house with providers whose people begin in an app store.
func shops(t *testing.T) *house {
	t.Helper()
	return newHouseWith(t, map[string]string{
		"shop": `
id: shop
name: Shop
hosts: ["${inputs.shop}.shop.example"]
inputs:
  shop: {label: Shop, suffix: .shop.example, pattern: "[a-z0-9-]+", example: acme-store}
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "https://${inputs.shop}.shop.example/authorize"}
    callback:
      verify: {hmac: {key: "${app.client_secret}", param: hmac, over: sorted_query, timestamp: timestamp}}
      provider_initiated:
        answers: {shop: "before_first(callback.query.shop, '.shop.example')"}
        subject: callback.query.shop
    scopes: {default: [read]}
    token: {url: "https://${inputs.shop}.shop.example/token", client_auth: body}
api: {base_url: "https://${inputs.shop}.shop.example"}
test: {get: /me}
identity: {from: test, subject: response.body.id, email: response.body.email}
`,
		"store": `
id: store
name: Store
hosts: [store.example]
inputs:
  region: {label: Region, pattern: "[a-z]+"}
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "https://store.example/authorize", params: {region: "${inputs.region}"}}
    callback:
      provider_initiated:
        verify: {jwt: {param: signed, key: "${app.client_secret}", issuer: store, audience: "${app.client_id}"}}
    scopes: {default: [read]}
    token: {url: "https://store.example/token", client_auth: body}
api: {base_url: "https://store.example"}
test: {get: /me}
identity: {from: test, subject: response.body.id, email: response.body.email}
`,
	})
}

// launch is the address that the provider's app store sends people to.
func (h *house) launch(connector string) string {
	h.t.Helper()
	address, err := h.sim.Launch(context.Background(), connector, "client-"+connector, public+"/connect/launch/acme/"+connector)
	h.must(err)
	return address
}

// confirm is what the page posts that asks.
func confirm(shown page) url.Values {
	return url.Values{"csrf": {shown.csrf()}, "query": {hiddenField(shown, "query")}}
}

func TestAPersonWhomTheProviderSendsConfirmsAndThenConnects(t *testing.T) {
	h := shops(t)
	b := h.browser()
	address := h.launch("shop")
	shown := b.get(address).want(http.StatusOK, "Connect Shop?", "Acme Workflows", "acme-store", "Did you just choose this at Shop?")
	protected(t, shown)
	if s := h.sim.Stats("shop"); s.Authorize != 0 || len(h.connections()) != 0 {
		t.Fatalf("something happens before anybody has confirmed: %+v", s)
	}
	leaving := b.post("/connect/launch/acme/shop", confirm(shown)).want(http.StatusOK)
	to := leaving.leaves()
	if !strings.Contains(to, "/acme-store.shop.example/authorize?") {
		t.Fatalf("the browser is sent to %s", to)
	}
	b.follow(b.get(h.consent(to, "allow", "1001"))).want(http.StatusOK, "Connected as ana@example.com")
	made := h.connections()
	if len(made) != 1 || made[0].EndUser != "shop:acme-store" {
		t.Errorf("connections: %+v", made)
	}
	// Another time, in another browser, it is asked again.
	h.browser().get(address).want(http.StatusOK, "Connect Shop?")
}

func TestALaunchThatDoesNotSayEverythingLeadsToTheForm(t *testing.T) {
	h := shops(t)
	b := h.browser()
	shown := b.get(h.launch("store")).want(http.StatusOK, "Connect Store?")
	form := b.post("/connect/launch/acme/store", confirm(shown)).want(http.StatusOK, "Region")
	if strings.Contains(form.body, "is required") {
		t.Error("the form complains before anybody has answered")
	}
	ticket := ticketOf(t, form)
	p := b.post(ticket+"/start", url.Values{"csrf": {form.csrf()}, "connector": {"store"}, "method": {"oauth"}, "f.region": {"eu"}})
	b.follow(b.get(h.consent(p.want(http.StatusOK).leaves(), "allow", "1002"))).want(http.StatusOK, "Connected as ben@example.com")
	if made := h.connections(); len(made) != 1 || !strings.HasPrefix(made[0].EndUser, "store:") {
		t.Errorf("connections: %+v", made)
	}
}

func ticketOf(t *testing.T, p page) string {
	t.Helper()
	_, rest, found := strings.Cut(p.body, `action="/connect/`)
	ticket, _, _ := strings.Cut(rest, "/")
	if !found || len(ticket) != 52 {
		t.Fatalf("the page has no form of a ticket:\n%s", p.body)
	}
	return "/connect/" + ticket
}

// (F03) A launch that the provider has not made is refused, whatever is wrong with it and whoever may be
// at the address; nothing is made of it.
func TestAForgedLaunchIsRefusedAlike(t *testing.T) {
	h := shops(t)
	good, err := url.Parse(h.launch("shop"))
	h.must(err)
	with := func(change func(q url.Values)) string {
		q := good.Query()
		change(q)
		return q.Encode()
	}
	h.must(h.engine.Identity.EnsureTenant(t.Context(), "globex", "Globex"))
	id, key := "client-of-globex", "another secret, which is not acme's"
	globex := h.operator
	globex.Tenant = "globex"
	_, err = h.engine.Connections.CreateApp(t.Context(), globex, connection.AppInput{Connector: "shop", ClientID: &id, ClientSecret: &key})
	h.must(err)
	refused := h.browser().get("/connect/launch/acme/shop").want(http.StatusUnprocessableEntity)
	if strings.Contains(refused.body, "Acme") {
		t.Error("a stranger learns the tenant's name")
	}
	alike := func(name string, p page) {
		if p.status != refused.status || p.body != refused.body {
			t.Errorf("%s is answered %d, and not as one without anything", name, p.status)
		}
	}
	for name, address := range map[string]string{
		"another connector's":      "/connect/launch/acme/store?" + good.RawQuery,
		"another tenant's":         "/connect/launch/globex/shop?" + good.RawQuery,
		"a tenant that is none":    "/connect/launch/nobody/shop?" + good.RawQuery,
		"a connector that is none": "/connect/launch/acme/nothing?" + good.RawQuery,
		"one that sends nobody":    "/connect/launch/acme/google?" + good.RawQuery,
	} {
		alike(name, h.browser().get(address))
	}
	for name, query := range map[string]string{
		"no signature":            with(func(q url.Values) { q.Del("hmac") }),
		"an empty signature":      with(func(q url.Values) { q.Set("hmac", "") }),
		"another shop":            with(func(q url.Values) { q.Set("shop", "evil") }),
		"a parameter more":        with(func(q url.Values) { q.Set("x", "1") }),
		"a parameter twice":       with(func(q url.Values) { q["shop"] = []string{"acme-store", "evil"} }),
		"another time":            with(func(q url.Values) { q.Set("timestamp", "1") }),
		"a query that is broken":  "shop=%zz&" + good.RawQuery,
		"a query of another kind": strings.Repeat("a=b&", 1000) + good.RawQuery,
	} {
		alike(name, h.browser().get("/connect/launch/acme/shop?"+query))
		// And what the page brings along when it is confirmed is believed no more.
		b := h.browser()
		token := b.get(good.String()).csrf()
		b.post("/connect/launch/acme/shop", url.Values{"csrf": {token}, "query": {query}}).want(refused.status)
	}
	if s := h.sim.Stats("shop"); s.Authorize != 0 || len(h.connections()) != 0 {
		t.Errorf("something was begun: %+v", s)
	}
}

// (F03, F14, T20) Nobody is connected by being sent here: it takes a press of theirs, on our page, in
// their browser.
func TestALaunchAloneConnectsNobody(t *testing.T) {
	h := shops(t)
	victim := h.browser()
	address := h.launch("shop") // of the attacker's own shop, signed by the provider
	shown := victim.get(address).want(http.StatusOK)
	if shown.header.Get("X-Frame-Options") != "DENY" || !strings.Contains(shown.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the page that asks may be framed")
	}
	form := confirm(shown)
	for name, token := range map[string]string{"no token": "", "a guessed one": "guessed", "the attacker's own": h.browser().get(address).csrf()} {
		form.Set("csrf", token)
		if p := victim.post("/connect/launch/acme/shop", form); p.status != http.StatusForbidden {
			t.Errorf("with %s: status %d, want 403", name, p.status)
		}
	}
	// The flow begins in the browser of who has confirmed, and ends in no other.
	attacker := h.browser()
	begun := attacker.post("/connect/launch/acme/shop", confirm(attacker.get(address))).want(http.StatusOK)
	victim.get(h.session(identity.SessionInput{})).want(http.StatusOK)
	victim.get(h.consent(begun.leaves(), "allow", "1001")).want(http.StatusForbidden)
	victim.do("HEAD", address, nil).want(http.StatusMethodNotAllowed)
	if n := len(h.connections()); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// A launch is for the browser that has confirmed it: the ticket it makes is no ticket anywhere else.
func TestTheTicketOfALaunchIsBoundToItsBrowser(t *testing.T) {
	h := shops(t)
	b := h.browser()
	form := b.post("/connect/launch/acme/store", confirm(b.get(h.launch("store")))).want(http.StatusOK)
	path := ticketOf(t, form)
	b.get(path).want(http.StatusOK)
	h.browser().get(path).want(http.StatusForbidden)
	b.get(path + "?connector=google").want(http.StatusForbidden)
}
