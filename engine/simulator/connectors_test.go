package simulator_test

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// grantCase is one provider's code flow, written from what the provider documents, not from the
// definition: the same fact said twice.
type grantCase struct {
	id              string
	authorize       string
	ask             url.Values // besides the standard ones
	noPKCE          bool
	token           string
	method          string // POST
	in              string // form, json, query
	clientHeader    bool
	header          map[string]string
	more, moreAgain map[string]string // further parameters of the exchange and of the refresh
	rotates         bool
	trades          string // the parameter that carries the access token instead of a refresh token; first at once
	call            request
	place           string // header of the access token; empty: Authorization, with Bearer
	proof           string // query parameter with the HMAC-SHA-256 of the access token in hex, keyed with the app's secret
	subject         string // where the call's answer, or the token's, says who it is
	said            string // how it says so; if empty, by the account's id
	fromToken       bool
	revoke          func(access, refresh string) request
	reusedStatus    int
	reused          string // path and value of the error after a replay
	reusedIs        any
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

func grantCases() []grantCase {
	const errorPath = "error"
	zendesk, shop := "https://acme.zendesk.com", "https://acme.myshopify.com"
	notion := map[string]string{"Notion-Version": "2022-06-28"}
	return []grantCase{
		{
			id: "google", authorize: "https://accounts.google.com/o/oauth2/v2/auth",
			ask:   url.Values{"scope": {"openid email"}, "access_type": {"offline"}, "prompt": {"consent"}, "include_granted_scopes": {"true"}},
			token: "https://oauth2.googleapis.com/token", call: request{url: "https://openidconnect.googleapis.com/v1/userinfo"}, subject: "sub",
			revoke: func(_, refresh string) request {
				return request{method: "POST", url: "https://oauth2.googleapis.com/revoke", form: url.Values{"token": {refresh}}}
			},
		},
		{
			id: "microsoft", authorize: "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
			ask:   url.Values{"scope": {"openid User.Read offline_access"}, "response_mode": {"query"}, "nonce": {"nonce-1"}},
			token: "https://login.microsoftonline.com/organizations/oauth2/v2.0/token", rotates: true,
			call: request{url: "https://graph.microsoft.com/v1.0/me"}, subject: "displayName", said: "Ben Example", reusedStatus: 400, reused: errorPath, reusedIs: "invalid_grant",
		},
		{
			id: "github", authorize: "https://github.com/login/oauth/authorize", ask: url.Values{"scope": {"read:user user:email"}},
			token: "https://github.com/login/oauth/access_token", header: map[string]string{"Accept": "application/json"}, rotates: true,
			call:    request{url: "https://api.github.com/user", header: map[string]string{"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}},
			subject: "id", reusedStatus: 200, reused: errorPath, reusedIs: "bad_refresh_token",
			revoke: func(access, _ string) request {
				return request{method: "DELETE", url: "https://api.github.com/applications/" + url.PathEscape(appID) + "/token", client: true, json: map[string]any{"access_token": access}}
			},
		},
		{
			id: "slack", authorize: "https://slack.com/oauth/v2/authorize", ask: url.Values{"scope": {"users:read"}, "user_scope": {"search:read"}}, noPKCE: true,
			token: "https://slack.com/api/oauth.v2.access", rotates: true,
			call: request{method: "POST", url: "https://slack.com/api/auth.test"}, subject: "team_id",
			reusedStatus: 200, reused: errorPath, reusedIs: "invalid_refresh_token",
			revoke: func(access, _ string) request {
				return request{method: "POST", url: "https://slack.com/api/auth.revoke", header: bearer(access)}
			},
		},
		{
			id: "notion", authorize: "https://api.notion.com/v1/oauth/authorize", ask: url.Values{"owner": {"user"}},
			token: "https://api.notion.com/v1/oauth/token", in: "json", clientHeader: true, header: notion, rotates: true,
			call: request{url: "https://api.notion.com/v1/users/me", header: notion}, subject: "owner.user.id", fromToken: true,
			reusedStatus: 400, reused: errorPath, reusedIs: "invalid_grant",
			revoke: func(access, _ string) request {
				return request{method: "POST", url: "https://api.notion.com/v1/oauth/revoke", client: true, json: map[string]any{"token": access}}
			},
		},
		{
			id: "hubspot", authorize: "https://app.hubspot.com/oauth/authorize", ask: url.Values{"scope": {"oauth"}},
			token: "https://api.hubapi.com/oauth/2026-03/token", call: request{url: "https://api.hubapi.com/account-info/v3/details"}, subject: "portalId",
			revoke: func(_, refresh string) request {
				return request{method: "POST", url: "https://api.hubapi.com/oauth/2026-03/token/revoke", form: url.Values{
					"client_id": {appID}, "client_secret": {appSecret}, "token": {refresh}, "token_type_hint": {"refresh_token"},
				}}
			},
		},
		{
			id: "salesforce", authorize: "https://test.salesforce.com/services/oauth2/authorize", ask: url.Values{"scope": {"api refresh_token"}},
			token: "https://test.salesforce.com/services/oauth2/token", rotates: true,
			call: request{url: "https://test.salesforce.com/services/oauth2/userinfo"}, subject: "user_id",
			reusedStatus: 400, reused: errorPath, reusedIs: "invalid_grant",
			revoke: func(_, refresh string) request {
				return request{method: "POST", url: "https://test.salesforce.com/services/oauth2/revoke", form: url.Values{"token": {refresh}}}
			},
		},
		{
			id: "zendesk", authorize: zendesk + "/oauth/authorizations/new", ask: url.Values{"scope": {"read"}},
			token: zendesk + "/oauth/tokens", in: "json", more: map[string]string{"expires_in": "1800"}, moreAgain: map[string]string{"expires_in": "1800"}, rotates: true,
			call: request{url: zendesk + "/api/v2/users/me.json"}, subject: "user.id", reusedStatus: 400, reused: errorPath, reusedIs: "invalid_grant",
			revoke: func(access, _ string) request {
				return request{method: "DELETE", url: zendesk + "/api/v2/oauth/tokens/current.json", header: bearer(access)}
			},
		},
		{
			id: "shopify", authorize: shop + "/admin/oauth/authorize", ask: url.Values{"scope": {"read_products,read_orders"}}, noPKCE: true,
			token: shop + "/admin/oauth/access_token", more: map[string]string{"expiring": "1"}, rotates: true, place: "X-Shopify-Access-Token",
			call: request{url: shop + "/admin/api/2026-01/shop.json"}, subject: "shop.id", reusedStatus: 400, reused: errorPath, reusedIs: "invalid_grant",
			revoke: func(access, _ string) request {
				return request{method: "DELETE", url: shop + "/admin/api_permissions/current.json", header: map[string]string{"X-Shopify-Access-Token": access}}
			},
		},
		{
			id: "airtable", authorize: "https://airtable.com/oauth2/v1/authorize", ask: url.Values{"scope": {"data.records:read"}},
			token: "https://airtable.com/oauth2/v1/token", clientHeader: true, rotates: true,
			call: request{url: "https://api.airtable.com/v0/meta/whoami"}, subject: "id", reusedStatus: 400, reused: errorPath, reusedIs: "invalid_grant",
		},
		{
			id: "facebook", authorize: "https://www.facebook.com/v25.0/dialog/oauth", ask: url.Values{"scope": {"email,public_profile"}},
			token: "https://graph.facebook.com/v25.0/oauth/access_token", method: "GET", in: "query", trades: "fb_exchange_token",
			call: request{url: "https://graph.facebook.com/v25.0/me?fields=id,name,email,picture.type(large)"}, subject: "id",
			proof: "appsecret_proof", reusedStatus: 400, reused: "error.code", reusedIs: float64(190),
			revoke: func(access, _ string) request {
				address := grantCase{proof: "appsecret_proof"}.proven("https://graph.facebook.com/v25.0/me/permissions", access)
				return request{method: "DELETE", url: address, header: bearer(access)}
			},
		},
		{
			id: "xero", authorize: "https://login.xero.com/identity/connect/authorize", ask: url.Values{"scope": {"openid offline_access"}},
			token: "https://identity.xero.com/connect/token", clientHeader: true,
			call: request{url: "https://identity.xero.com/connect/userinfo"}, subject: "sub",
			revoke: func(_, refresh string) request {
				return request{method: "POST", url: "https://identity.xero.com/connect/revocation", client: true, form: url.Values{"token": {refresh}}}
			},
		},
	}
}

// authorizeParams are the parameters of a sound authorization request.
func (g grantCase) authorizeParams() url.Values {
	v := maps.Clone(g.ask)
	v.Set("response_type", "code")
	v.Set("client_id", appID)
	v.Set("redirect_uri", redirectURI)
	v.Set("state", "state-1")
	if !g.noPKCE {
		v.Set("code_challenge", challenge(verifier))
		v.Set("code_challenge_method", "S256")
	}
	return v
}

// exchange is a sound token request for a code.
func (g grantCase) exchange(code string) request {
	p := map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": redirectURI}
	if !g.noPKCE {
		p["code_verifier"] = verifier
	}
	maps.Copy(p, g.more)
	return g.tokenRequest(p)
}

// renew is a sound refresh.
func (g grantCase) renew(access, refresh string) request {
	p := map[string]string{"grant_type": "refresh_token", "refresh_token": refresh}
	if g.trades != "" {
		p = map[string]string{"grant_type": g.trades, g.trades: access}
	}
	maps.Copy(p, g.moreAgain)
	return g.tokenRequest(p)
}

func (g grantCase) tokenRequest(p map[string]string) request {
	if !g.clientHeader {
		p["client_id"], p["client_secret"] = appID, appSecret
	}
	q := request{method: "POST", url: g.token, header: g.header, client: g.clientHeader}
	values, object := url.Values{}, map[string]any{}
	for k, v := range p {
		values.Set(k, v)
		object[k] = v
	}
	switch g.in {
	case "json":
		q.json = object
	case "query":
		q.method, q.url = g.method, g.token+"?"+values.Encode()
	default:
		q.form = values
	}
	return q
}

func (g grantCase) apiCall(access string) request {
	q := g.call
	q.header = maps.Clone(g.call.header)
	if q.header == nil {
		q.header = map[string]string{}
	}
	if g.proof != "" {
		q.url = g.proven(q.url, access)
	}
	if g.place != "" {
		q.header[g.place] = access
	} else {
		q.header["Authorization"] = "Bearer " + access
	}
	return q
}

// proven adds the proof that the app's own server makes the call.
func (g grantCase) proven(address, access string) string {
	m := hmac.New(sha256.New, []byte(appSecret))
	m.Write([]byte(access))
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + g.proof + "=" + hex.EncodeToString(m.Sum(nil))
}

func TestEveryCodeFlowRunsFromConsentToRevocation(t *testing.T) {
	for _, g := range grantCases() {
		t.Run(g.id, func(t *testing.T) {
			c := newClient(t, g.id, tokenOptions)
			answer := c.allow(g.authorize, g.authorizeParams(), "1002", "allow")
			if answer.Get("state") != "state-1" || answer.Get("code") == "" {
				t.Fatalf("callback = %v", answer)
			}
			first := c.send(g.exchange(answer.Get("code")))
			access, refresh := first.text1("access_token"), first.text1("refresh_token")
			if first.status != 200 || access == "" || (refresh == "") != (g.trades != "") {
				t.Fatalf("exchange: %d %s", first.status, first.text)
			}
			if g.trades != "" {
				if r := c.send(g.apiCall(access)); r.status != http.StatusUnauthorized {
					t.Fatalf("call with the token that is to be traded: %d %s", r.status, r.text)
				}
				access = c.send(g.renew(access, "")).text1("access_token")
			}
			who := c.send(g.apiCall(access))
			if g.fromToken {
				who = first
			}
			if want := cmp.Or(g.said, "1002"); who.status != 200 || who.text1(g.subject) != want {
				t.Fatalf("call: %d %s; want %s %s", who.status, who.text, g.subject, want)
			}
			second := c.send(g.renew(access, refresh))
			again, next := second.text1("access_token"), second.text1("refresh_token")
			if second.status != 200 || again == "" || again == access || (next != "") != (g.rotates || g.id == "xero") {
				t.Fatalf("refresh: %d %s", second.status, second.text)
			}
			if r := c.send(g.apiCall(again)); r.status != 200 {
				t.Fatalf("call with the new token: %d %s", r.status, r.text)
			}
			if g.rotates {
				g.replay(t, c, again, refresh, next)
				return
			}
			g.giveBack(t, c, again, refresh)
		})
	}
}

// replay shows a used refresh token again: the whole grant must end.
func (g grantCase) replay(t *testing.T, c *client, access, used, next string) {
	r := c.send(g.renew(access, used))
	if r.status != g.reusedStatus || r.at(g.reused) != g.reusedIs {
		t.Errorf("replay: %d %s; want %d, %s = %v", r.status, r.text, g.reusedStatus, g.reused, g.reusedIs)
	}
	if r := c.send(g.renew(access, next)); r.text1("access_token") != "" {
		t.Errorf("the grant lives on after a replay: %s", r.text)
	}
	if r := c.send(g.apiCall(access)); !refused(r) {
		t.Errorf("the access token lives on after a replay: %d %s", r.status, r.text)
	}
	if s := c.sim.Stats(g.id); s.ReuseDetected != 1 || s.FamiliesRevoked != 1 || s.Refreshed != 1 {
		t.Errorf("stats = %+v", s)
	}
	if g.revoke == nil {
		return
	}
	answer := c.allow(g.authorize, g.authorizeParams(), "1001", "allow")
	fresh := c.send(g.exchange(answer.Get("code")))
	g.giveBack(t, c, fresh.text1("access_token"), fresh.text1("refresh_token"))
}

// refused reports whether a call was refused, in the body alone where the provider does so.
func refused(r reply) bool {
	return r.status == http.StatusUnauthorized || r.at("ok") == false || r.at("message") != nil
}

// giveBack revokes, after which nothing of the grant may work.
func (g grantCase) giveBack(t *testing.T, c *client, access, refresh string) {
	if g.revoke == nil {
		return
	}
	if r := c.send(g.revoke(access, refresh)); r.status != 200 {
		t.Fatalf("revoke: %d %s", r.status, r.text)
	}
	if r := c.send(g.apiCall(access)); !refused(r) {
		t.Errorf("the access token lives on after revocation: %s", r.text)
	}
	r := c.send(g.renew(access, refresh))
	if r.text1("access_token") != "" {
		t.Errorf("the grant lives on after revocation: %s", r.text)
	}
	if s := c.sim.Stats(g.id); s.Revoked != 1 {
		t.Errorf("stats = %+v", s)
	}
	if g.trades != "" && (r.status != g.reusedStatus || r.at(g.reused) != g.reusedIs) {
		t.Errorf("refusal: %d %s", r.status, r.text)
	}
}
