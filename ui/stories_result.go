package ui

import "time"

func storyResult() ResultPage {
	return ResultPage{
		Dialog: storyDialog(), Connector: "zendesk", Tile: zendesk, Flow: "flow_story",
		Connection: "conn_story", Status: "active", ConnectedAs: "ana@acme.example",
	}
}

func resultStories() []Story {
	plain, warned, anonymous := storyResult(), storyResult(), storyResult()
	warned.MissingScopes, warned.Unverified = []Scope{{Name: "write", Label: "Create and change tickets"}}, true
	warned.EndsAt = storyTime.Add(2 * time.Hour)
	anonymous.ConnectedAs, anonymous.ReturnURL, anonymous.Reconnected = "", "", true
	return []Story{
		{"result-connected", plain},
		{"result-connected-with-warnings", warned},
		{"result-reconnected-anonymous", anonymous},
	}
}

// failureStories shows every failure, and for some the text an operator gets.
func failureStories() []Story {
	var out []Story
	for _, code := range FailureCodes() {
		out = append(out, Story{"failure-" + code, failureStory(code, false)})
	}
	for _, code := range []string{"redirect-uri-mismatch", "app-misconfigured", "app-missing", "server-unknown", "callback-unverified"} {
		out = append(out, Story{"failure-" + code + "-admin", failureStory(code, true)})
	}
	return append(out, Story{"failure-unknown-code", failureStory("never-heard-of", false)})
}

func failureStory(code string, admin bool) ResultPage {
	p := storyResult()
	p.Connection, p.Status, p.ConnectedAs = "", "", ""
	p.Failed = &Failed{Code: code, ForAdmin: admin, Reference: "k7q2mzp4ax"}
	switch code {
	case "denied":
		p.Failed.Words = "access_denied: The resource owner <b>denied</b> the request."
	case "redirect-uri-mismatch":
		p.Failed.Words = "The redirect_uri MUST match the registered callback URL for this application."
	case "admin-approval":
		p.Failed.ApprovalURL = "https://login.example/adminconsent?client_id=9a2f"
	case "missing-scope":
		p.Failed.Scopes = []Scope{{Name: "read", Label: "See tickets, people and help articles"}, {Name: "users:read"}}
	case "duplicate-account", "wrong-account":
		p.Failed.Account = "ana@acme.example"
	case "test-timeout":
		p.Failed.Flow = "flow_story"
	case "provider-error":
		p.Failed.Words = "The account is suspended until 1 December."
		p.Failed.Cause, p.Failed.Fix = "The Zendesk account is suspended.", "Ask its owner to settle the invoice, then try again."
	case "session-expired", "session-used":
		p.Dialog, p.Connector, p.Tile, p.Flow = Dialog{Now: storyTime}, "", Tile{}, ""
	}
	return p
}
