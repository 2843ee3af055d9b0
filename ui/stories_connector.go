package ui

import (
	"strings"
	"time"
)

func connectorStories() []Story {
	c := storyConsole()
	asked := ConnectorRequestsPage{ConnectorHead: storyHead(), Methods: storySent()}
	written := ConnectorDefinitionPage{ConnectorHead: storyHead(), File: "zendesk.yaml", Source: storySource, Rules: 52}
	wrong := written
	wrong.Complaints = []Finding{
		{Line: 4, Col: 8, Level: "warning", Rule: "color-contrast", Message: "the colour is hard to see; take another"},
		{Line: 9, Col: 13, Level: "error", Rule: "field-pattern", Message: "the example <acme corp> does not match the pattern; mend one of them"},
	}
	wrong.Findings = len(wrong.Complaints)
	wrong.Extends, wrong.Written = "support-desk", "id: zendesk\nextends: support-desk\n"
	return []Story{
		{"console-connectors", ConnectorsPage{Console: c, Connectors: storyCards()}},
		{"console-connectors-found", ConnectorsPage{
			Console: c, Search: Search{Query: "s", Kind: "oauth", SignsIn: true, Sort: "used"}, Connectors: storyCards(),
		}},
		{"console-connectors-none", ConnectorsPage{
			Console: c, Search: Search{Query: "fax", Category: "phone-calls", Kind: "none"}, Connectors: storyCards(),
		}},
		{"console-connector", connectorStory(false)},
		{"console-connector-needs-app", connectorStory(true)},
		{"console-connector-requests", asked},
		{"console-connector-definition", written},
		{"console-connector-definition-findings", wrong},
	}
}

func storyCards() []ConnectorCard {
	const oauth = "oauth2_authorization_code"
	card := func(id string, t Tile, category, about string, kinds ...string) ConnectorCard {
		return ConnectorCard{Entry: Entry{ID: id, Tile: t, Categories: []string{category}, Kinds: kinds}, Description: about}
	}
	out := []ConnectorCard{
		card("acme-login", acmeLogin, "example", "A login with user name and password that is renewed on a schedule.", "custom"),
		card("datadog", datadog, "monitoring", "Metrics, logs and monitors. An API key and an application key.", "api_key"),
		card("github", github, "developer", "Repositories, issues and pull requests.", oauth),
		card("google", google, "productivity", "Mail, calendar and files of Google Workspace and personal accounts.", oauth),
		card("slack", slack, "chat", "Channels and messages, as a bot or as the person.", oauth, "oauth2_client_credentials"),
		card("stripe", stripe, "payments", "Payments, customers and invoices with a secret or restricted key.", "bearer"),
		card("xero", xero, "accounting", "Invoices, contacts and bank transactions of one organisation.", oauth),
		card("zendesk", zendesk, "support", "Tickets, people and help articles.", "basic", oauth),
	}
	out[0].Custom, out[2].NeedsApp, out[5].Deprecated = true, true, true
	out[1].Connections, out[3].Connections, out[4].Connections, out[7].Connections = 1, 12, 9, 17
	out[3].SignsIn, out[4].SignsIn, out[7].SignsIn = true, true, true
	out[4].Verified, out[7].Verified = "live", "documented"
	return out
}

func storyHead() ConnectorHead {
	return ConnectorHead{
		Console: storyConsole(), ID: "zendesk", Tile: zendesk, Description: "Tickets, people and help articles.",
		Categories: []string{"support", "crm"}, Version: "4f2a91c0", Kinds: []string{"oauth2_authorization_code", "basic"}, SignsIn: true,
	}
}

func connectorStory(bare bool) ConnectorPage {
	p := ConnectorPage{
		ConnectorHead: storyHead(), AppsURL: "https://docs.example/apps", Inputs: zendeskPage().Inputs,
		Verified: Verified{Level: "documented", Sources: 8, Date: "2026-11-21", Note: "The device code is not documented."},
		Links:    []Link{{"website", "https://zendesk.example"}, {"docs", "https://docs.example/auth"}}, Replaces: []string{"zendesk-classic"},
		Hosts: []string{"${inputs.subdomain}.zendesk.com"}, BaseURL: "https://${inputs.subdomain}.zendesk.com/api/v2",
		RedirectURI: "http://127.0.0.1:8080/callback", LaunchURL: "http://127.0.0.1:8080/connect/launch/acme/zendesk", EndUser: "ana",
		Methods: []ConnectorMethod{
			{
				ID: "oauth", Label: "Sign in at Zendesk", Kind: "oauth2_authorization_code", NeedsApp: true, Refreshes: true,
				Scopes: []string{"read", "write"}, Required: []string{"read"}, PKCE: "S256", ClientAuth: "body",
				AuthorizeURL: "https://${inputs.subdomain}.zendesk.com/oauth/authorizations/new",
				TokenURL:     "https://${inputs.subdomain}.zendesk.com/oauth/tokens",
			},
			{ID: "api_token", Label: "API token", Kind: "basic", Help: "For accounts where an administrator has made a token.", Fields: zendeskMethods()[1].Fields},
		},
	}
	if bare {
		p.NeedsApp, p.Methods[0].LacksApp = true, true
		p.AppForm = AppForm{
			Name: "Production", NoSecret: true, AsksIssuer: true, Issuer: "id.example.com",
			Errors: map[string]string{"client_id": "Client ID is required", "issuer": "This must be the address of a server, such as https://id.example.com."},
			Fields: []Field{
				{Name: "team_id", Label: "Team ID", Required: true, Value: "A1B2C3D4E5"},
				{Name: "private_key", Label: "Private key", Type: "textarea", Secret: true, Required: true, Error: "Private key is a public key and not the private one."},
			},
		}
		p.Custom, p.SignsIn, p.Verified, p.Links, p.Replaces, p.Findings = true, false, Verified{}, nil, nil, 2
		p.Deprecated = "Zendesk has a new sign-in; use zendesk-v2."
		return p
	}
	p.Simulated = true
	p.Apps = []AppRow{
		{ID: "app_1", Name: "Production", Method: "oauth", ClientID: "acme_flows_prod", HasSecret: true, AsksIssuer: true, Issuer: "*", NewIssuer: "*", CreatedAt: storyTime.Add(-2000 * time.Hour)},
		{
			ID: "app_3", Name: "Signing", Method: "robot", AsksIssuer: true, Issuer: "https://id.example.com", NewIssuer: "https://id.example.com", ClientID: "robots", NoSecret: true, CreatedAt: storyTime.Add(-time.Hour),
			Answers: []AppAnswer{{"Team ID", "A1B2C3D4E5", false}, {"Private key", "", true}},
			Fields:  []Field{{Name: "team_id", Label: "Team ID", Value: "A1B2C3D4E5"}, {Name: "private_key", Label: "Private key", Type: "textarea", Secret: true}},
		},
		{ID: "app_2", Name: "Old", AsksIssuer: true, ClientID: "acme_" + strings.Repeat("x", 40), Refused: storyTime.Add(-3 * time.Hour), RefusedReason: "the provider refuses the app (401 invalid_client)", Scopes: []string{"read"}},
	}
	p.Connections = storyRows()[:1]
	return p
}

func storySent() []SentBy {
	return []SentBy{
		{ID: "oauth", Label: "Sign in at Zendesk", Kind: "oauth2_authorization_code", Requests: []Sent{
			{
				Title: "authorize (in the browser)", Method: "GET", URL: "https://acme.zendesk.com/oauth/authorizations/new",
				Query: []SentValue{
					{Name: "response_type", Value: "code", From: "RFC 6749 §4.1.1"},
					{Name: "client_id", Value: "[client_id]", From: "the app"},
					{Name: "scope", Value: "read+write", From: "scopes"},
					{Name: "state", Value: "[state]"},
				},
			},
			{
				Title: "token", Method: "POST", URL: "https://acme.zendesk.com/oauth/tokens",
				Headers: []SentValue{{Name: "Accept", Value: "application/json", From: "Dowel"}, {Name: "Content-Type", Value: "application/json", From: "token.format"}},
				Body:    `{"grant_type":"authorization_code","code":"[code]","client_secret":"[client_secret]","scopes":["read"]}`,
			},
			{
				Title: "callback (from the browser)", Method: "GET", URL: "https://dowel.example/callback",
				Query: []SentValue{{Name: "code", Value: "[code]"}, {Name: "hmac", Value: "[hmac]", ReadBy: "callback.verify"}, {Name: "state", Value: "[state]"}},
				Note:  "refused unless hmac is the HMAC-sha256, keyed with [client_secret], of all other parameters, sorted",
			},
			{Title: "identity, groups", Depends: "the address is not known before the person has chosen"},
			{Title: "wave at the provider", Method: "GET", URL: "https://acme.zendesk.com/api/v2/wave"},
		}},
		{ID: "robot", Label: "Robot", Kind: "oauth2_jwt_bearer", Requests: []Sent{{
			Title: "token", Method: "POST", URL: "https://acme.zendesk.com/oauth/tokens", Body: "assertion=[assertion]", Certificate: true,
			Tokens: []SentToken{{"[assertion]", `{"alg":"RS256","typ":"JWT"}`, `{"exp":"[now + 5m]","iss":"[client_id]"}`}},
		}}},
		{ID: "api_token", Label: "API token", Kind: "basic"},
	}
}

const storySource = `# As the provider's pages say.
id: zendesk
name: "Zendesk # 1"
color: "#03363d" # its own
categories: [support]
inputs:
  subdomain:
    label: The account's name
    example: acme corp
    suffix: .zendesk.com
auth:
  - id: oauth
    kind: oauth2_authorization_code
    authorize: {url: "https://${inputs.subdomain}.zendesk.com/oauth/authorizations/new"}
    # No <b>markup</b> here.
`
