package ui

import "time"

// Story is one page with made-up data, to look at without a server.
type Story struct {
	Name string // file name without extension
	Page Page
}

// Stories returns every page in every status.
func Stories() []Story {
	var out []Story
	for _, group := range [][]Story{
		connectStories(), resultStories(), failureStories(), consoleStories(), connectorStories(), connectionStories(), keyStories(),
	} {
		out = append(out, group...)
	}
	return out
}

// storyTime is when all stories take place.
var storyTime = time.Date(2026, 11, 21, 9, 41, 0, 0, time.UTC)

func storyDialog() Dialog {
	return Dialog{
		Tenant: Tile{Name: "Acme Flows", Color: "#2f5bd0"}, Ticket: "tkt_story", CSRF: "csrf-story",
		OpenerOrigin: "https://app.acme.example", ReturnURL: "https://app.acme.example/settings/accounts", Now: storyTime,
	}
}

func storyConsole() Console {
	return Console{Tenant: "Acme Flows", Operator: "ana@acme.example", CSRF: "csrf-story", Now: storyTime}
}

var (
	zendesk   = Tile{Name: "Zendesk", Color: "#03363d"}
	slack     = Tile{Name: "Slack", Color: "#4a154b"}
	google    = Tile{Name: "Google", Color: "#4285f4"}
	stripe    = Tile{Name: "Stripe", Color: "#635bff"}
	xero      = Tile{Name: "Xero", Color: "#13b5ea"}
	datadog   = Tile{Name: "Datadog", Color: "#632ca6"}
	github    = Tile{Name: "GitHub", Color: "#24292f"}
	acmeLogin = Tile{Name: "Acme Login", Color: "#ffcc4d"}
)

func zendeskMethods() []Method {
	return []Method{
		{
			ID: "oauth", Label: "Sign in at Zendesk", Help: "You sign in there and allow access. Recommended.",
			Kind: "oauth2_authorization_code", Redirects: true,
			Scopes: []Scope{{Name: "read", Label: "See tickets, people and help articles"}, {Name: "write", Label: "Create and change tickets"}, {Name: "webhooks:write"}},
		},
		{
			ID: "api_token", Label: "API token", Help: "For accounts where an administrator has made a token.",
			Kind: "basic", DocsURL: "https://support.example/api-tokens",
			Fields: []Field{
				{Name: "email", Label: "E-mail address", Required: true, Help: "Of the agent the token was made for."},
				{Name: "token", Label: "API token", Type: "password", Secret: true, Required: true, HelpURL: "https://support.example/api-tokens"},
			},
		},
	}
}

func zendeskPage() ConnectPage {
	return ConnectPage{
		Dialog: storyDialog(), Connector: "zendesk", Tile: zendesk, EndUser: "Ana Ruiz", Pick: true,
		Inputs: []Field{{
			Name: "subdomain", Label: "Subdomain", Type: "host", Required: true, Prefix: "https://", Suffix: ".zendesk.com",
			Help: "The first part of the address you use.", Example: "acme",
		}},
		Methods: zendeskMethods(), Method: "oauth",
	}
}

func connectStories() []Story {
	oauth, token, wrong, again := zendeskPage(), zendeskPage(), zendeskPage(), zendeskPage()
	token.Method = "api_token"
	wrong.Method, wrong.Inputs[0].Value = "api_token", "acme corp"
	wrong.Inputs[0].Error = "Subdomain must be a host name such as example.com"
	wrong.Methods[1].Fields[0].Value = "ana@acme.example"
	wrong.Methods[1].Fields[1].Error = "Zendesk rejected this key (401)"
	again.ReconnectOf, again.Pick, again.Inputs[0].Value, again.Inputs[0].Disabled = "ana@acme.example", false, "acme", true
	again.Failed = &Failed{Code: "denied", Words: "The end-user denied the authorization request.", Reference: "k7q2mzp4ax"}
	dialog := storyDialog()
	return []Story{
		{"connect-picker", PickerPage{Dialog: dialog, EndUser: "Ana Ruiz", Offers: storyOffers()}},
		{"connect-picker-found", PickerPage{Dialog: dialog, Search: Search{Query: "G"}, Offers: storyOffers()}},
		{"connect-picker-empty", PickerPage{Dialog: dialog, Search: Search{Query: "fax"}, Offers: storyOffers()}},
		{"connect-redirect", oauth},
		{"connect-form", token},
		{"connect-form-errors", wrong},
		{"connect-reconnect-after-denial", again},
		{"connect-every-field", everyFieldPage()},
		{"connect-simplest", ConnectPage{
			Dialog: Dialog{Ticket: "tkt_story", CSRF: "csrf-story", Now: storyTime}, Connector: "google", Tile: google,
			Methods: []Method{{ID: "oauth", Label: "Google", Redirects: true}}, Method: "oauth",
		}},
		{"connect-more", FormPage{Dialog: dialog, Tile: acmeLogin, Flow: "flow_story", Fields: []Field{
			{Name: "otp", Label: "One-time code", Required: true, Help: "From your authenticator app."},
		}}},
		{"connect-fragment", FragmentPage{Dialog: Dialog{CSRF: "story-csrf", Now: storyTime}}},
		{"connect-launch", LaunchPage{
			Dialog: Dialog{Tenant: dialog.Tenant, CSRF: "story-csrf", Now: storyTime}, Tile: zendesk, Path: "/connect/launch/acme/zendesk",
			Subject: "north.zendesk.com", Query: "shop=north&hmac=6f1e",
		}},
		{"connect-launch-nobody", LaunchPage{Dialog: Dialog{CSRF: "story-csrf", Now: storyTime}, Tile: zendesk, Path: "/connect/launch/acme/zendesk", Query: "hmac=6f1e"}},
		{"connect-leave", LeavePage{Dialog: dialog, Tile: google, URL: "https://accounts.example/authorize?state=x"}},
		{"connect-wait", WaitPage{Dialog: dialog, Tile: google, Flow: "flow_story", URL: "https://accounts.example/authorize"}},
		{"connect-wait-code-complete", WaitPage{
			Dialog: dialog, Connector: "google", Tile: google, Flow: "flow_story", URL: "https://accounts.example/device", Code: "GQVQ-JKEC",
			CompleteURL: "https://accounts.example/device?user_code=GQVQ-JKEC", QR: storyQR(),
			ExpiresAt: storyTime.Add(14*time.Minute + 30*time.Second),
		}},
		{"connect-wait-handing", WaitPage{Dialog: dialog, Tile: github, Flow: "flow_story", Handing: true}},
		{"connect-wait-code", WaitPage{
			Dialog: dialog, Tile: github, Flow: "flow_story", URL: "https://github.example/login/device", Code: "WDJB-MJHT",
			ExpiresAt: storyTime.Add(14*time.Minute + 30*time.Second),
		}},
		{"connect-choice", ChoicePage{
			Dialog: dialog, Tile: xero, Flow: "flow_story", Question: "Which organisation?",
			Choices: []Choice{
				{Value: "1", Label: "Acme Trading Ltd", Detail: "United Kingdom"},
				{Value: "2", Label: "Acme Holdings", Detail: "New Zealand"},
				{Value: "3", Label: "Demo Company"},
			},
		}},
		{"connect-choice-none", ChoicePage{Dialog: dialog, Tile: xero, Flow: "flow_story", Question: "Which organisation?"}},
		{"connect-wrong-account", WrongAccountPage{
			Dialog: dialog, Tile: google, Flow: "flow_story", SignedInAs: "ben@acme.example", BelongsTo: "ana@acme.example",
		}},
	}
}

func storyOffers() []Offer {
	offer := func(id string, t Tile, category, kind, label string) Offer {
		return Offer{Entry: Entry{ID: id, Tile: t, Categories: []string{category}, Kinds: []string{kind}}, Label: label}
	}
	return []Offer{
		offer("acme-login", acmeLogin, "example", "custom", ""),
		offer("datadog", datadog, "monitoring", "api_key", ""),
		offer("github", github, "developer", "oauth2_authorization_code", "Sign in"),
		offer("google", google, "productivity", "oauth2_authorization_code", "Sign in"),
		offer("slack", slack, "chat", "oauth2_authorization_code", "Sign in"),
		offer("stripe", stripe, "payments", "bearer", "Token"),
		offer("zendesk", zendesk, "support", "basic", "Sign in, API token"),
	}
}

func everyFieldPage() ConnectPage {
	return ConnectPage{
		Dialog: storyDialog(), Connector: "acme-login", Tile: acmeLogin, EndUser: "Ana Ruiz",
		Methods: []Method{{ID: "custom", Label: "Acme Login", Kind: "custom", Fields: []Field{
			{Name: "text", Label: "User name", Required: true, Help: "As you sign in at Acme."},
			{Name: "password", Label: "Password", Type: "password", Secret: true, Required: true},
			{Name: "number", Label: "Port", Type: "number", Value: "443"},
			{Name: "url", Label: "Address", Type: "url", Required: true, Example: "https://erp.acme.example", HelpURL: "https://docs.example"},
			{Name: "select", Label: "Region", Type: "select", Required: true, Options: []Option{{"eu", "Europe"}, {"us", "United States"}}},
			{Name: "key", Label: "Private key", Type: "textarea", Secret: true, Help: "PEM, with the first and last line."},
			{Name: "fixed", Label: "Environment", Value: "production", Disabled: true},
			{Name: "boolean", Label: "Include archived records", Type: "boolean", Value: "true"},
		}}},
		Method: "custom",
	}
}

// storyQR looks like one from afar.
func storyQR() QR {
	return QR{Size: 21, Path: "M0 0h7v7h-7zM14 0h7v7h-7zM0 14h7v7h-7zM9 9h3v3h-3z"}
}
